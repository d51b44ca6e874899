"""What every resolver has at hand: the house, who is asking, and the loaders of this operation."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from auth.bearer import bearer_token
from auth.budgets import Budgets
from auth.codes import Codes
from auth.qr_codes import QrCodes
from auth.rate_limits import Door, RateLimited, RateLimits
from auth.refresh_tokens import RefreshTokens
from auth.revocations import Revocations
from auth.tokens import AccessTokens
from auth.viewer import Viewer
from database import Database
from dataloaders.loads import Loads
from dataloaders.plans import Plans
from live.hub import Hub
from live.news import News
from payments.provider import Provider
from schema import ids
from schema.errors import forbidden, no_account, rate_limited, unauthorized
from settings import Settings
from steps.idempotency import KEY_CHARACTERS_MAX, Key
from steps.pay_together import Payments
from steps.refusals import Refused, invalid
from steps.reserve_together import Reservations
from steps.transact import transact
from steps.visitors import Visitors

Result = TypeVar("Result")


@dataclass(frozen=True)
class House:
    """What lives as long as the process. Its `looks` are for all who watch: they look in the same moment."""

    settings: Settings
    database: Database
    tokens: AccessTokens
    refresh_tokens: RefreshTokens
    revocations: Revocations
    visitors: Visitors
    rate_limits: RateLimits
    budgets: Budgets
    codes: Codes
    qr_codes: QrCodes
    plans: Plans
    hub: Hub
    news: News
    looks: Loads
    payments: Payments
    reservations: Reservations
    provider: Provider | None


@dataclass
class Context:
    """One request, or one socket, who is asking, from what device and address, and what they like to read."""

    house: House
    viewer: Viewer | None = None
    device: str = ""
    address: str = ""
    accepted_languages: str = ""

    @cached_property
    def loads(self) -> Loads:
        """The loaders; they keep nothing, so a socket that lives for hours reads what is true now."""
        return Loads(self.house.database)

    async def transact(self, step: Callable[..., Awaitable[Result | Refused]], **arguments: Any) -> Result:
        """Run a step in a transaction of its own."""
        return await transact(self.house.database, step, **arguments)

    async def recognize(self, authorization: object) -> None:
        """Learn from an access token who is asking; raises `TokenRefused` for one that is not good, and
        `CannotTell` when that is not to be known now. A token of our own is never waited for."""
        self.viewer = None
        token = bearer_token(authorization)
        if token is None:
            return
        issuer = self.house.visitors.issuers.of(token)
        if issuer:
            viewer = await self.house.visitors.viewer(issuer, token)
        else:
            viewer = self.house.tokens.read(token)
        self.house.revocations.refuse_ended(viewer)
        self.viewer = viewer

    async def count_try(self, door: Door, account: str | None = None) -> None:
        """Count a try at a door that guessers would try for ever; raises RATE_LIMITED for one too many."""
        try:
            await self.house.rate_limits.count(door, self.address, account)
        except RateLimited as limited:
            raise rate_limited(str(limited), limited.limit, limited.retry_after_seconds) from None

    @property
    def spender(self) -> str:
        """Whose budget operations are taken from: the account's, or else the address's."""
        return str(self.viewer.id) if self.viewer else self.address

    def require_viewer(self) -> Viewer:
        """Return who is asking, or raise UNAUTHORIZED."""
        if self.viewer is None:
            raise unauthorized()
        return self.viewer

    def require_person(self) -> Viewer:
        """Return who is asking if it is a person, or raise UNAUTHORIZED or, for a SERVICE, FORBIDDEN."""
        viewer = self.require_viewer()
        if viewer.is_service:
            raise no_account()
        return viewer

    def require_staff(self) -> Viewer:
        """Return who is asking if they work at the door, or raise UNAUTHORIZED or FORBIDDEN."""
        viewer = self.require_viewer()
        if not viewer.works_at_the_door:
            raise forbidden()
        return viewer

    def require_service(self) -> Viewer:
        """Return who is asking if they are ADMIN or another system, or raise UNAUTHORIZED or FORBIDDEN."""
        viewer = self.require_viewer()
        if not (viewer.manages_people or viewer.is_service):
            raise forbidden()
        return viewer

    def require_operator(self) -> Viewer:
        """Return who is asking if they run events, or raise UNAUTHORIZED or FORBIDDEN."""
        viewer = self.require_viewer()
        if not viewer.runs_events:
            raise forbidden()
        return viewer

    def require_admin(self) -> Viewer:
        """Return who is asking if they are ADMIN, or raise UNAUTHORIZED or FORBIDDEN."""
        viewer = self.require_viewer()
        if not viewer.manages_people:
            raise forbidden()
        return viewer

    def is_person(self, user_id: UUID) -> bool:
        """Say whether the caller is this very person."""
        return self.viewer is not None and self.viewer.id == user_id and not self.viewer.is_service

    def may_see_account(self, user_id: UUID) -> bool:
        """Say whether the caller may see all about a person: it is themselves, or they run events."""
        return self.viewer is not None and (self.viewer.id == user_id or self.viewer.runs_events)

    def owner_of_lists(self, user_id: strawberry.ID | None) -> UUID | None:
        """Return whose orders or tickets the caller may list, None for everybody's, or raise FORBIDDEN."""
        viewer = self.require_person()
        if viewer.runs_events:
            return None
        if user_id is not None and ids.read_user(user_id) != viewer.id:
            raise forbidden()
        return viewer.id

    def buyer(self, buyer_id: strawberry.ID | None) -> UUID:
        """Return whom the caller reserves for: themselves, or whoever is named by one who may; or refuse.

        A SERVICE has no account to own tickets, so it must name somebody.
        """
        viewer = self.require_viewer()
        if buyer_id is None:
            if viewer.is_service:
                raise invalid("input.buyerId", "Another system reserves for a person: say for whom.")
            return viewer.id
        named = ids.read_user(buyer_id)
        if named != viewer.id and not (viewer.runs_events or viewer.is_service):
            raise forbidden()
        return named

    def key(self, mutation: str, key: str | None, **request: Any) -> Key | None:
        """The caller's idempotency key for a mutation with this input, if one was given."""
        if key is None:
            return None
        if not 1 <= len(key) <= KEY_CHARACTERS_MAX:
            raise invalid("input.idempotencyKey", f"A key has 1 to {KEY_CHARACTERS_MAX} characters.")
        return Key.of(self.require_viewer().id, mutation, key, request)

    @property
    def runs_events(self) -> bool:
        return self.viewer is not None and self.viewer.runs_events


Info = strawberry.Info[Context, None]
