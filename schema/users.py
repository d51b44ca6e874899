"""People: as they see themselves, and as others may see them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from dataloaders.pages import PageArguments
from models import users as rows
from schema import carts, ids, later, notifications, orders, sessions, tickets, transfers
from schema.context import Info
from schema.enums import Language, Role
from schema.filters import (
    OrderFilter,
    TicketFilter,
    TransferFilter,
    orders_listing,
    tickets_listing,
    transfers_listing,
)
from schema.money import Money
from schema.nodes import Node
from schema.orders_by_event import ORDERS_BY_EVENT, EventOrders
from schema.pages import After, Before, Connection, First, Last, connect


@strawberry.type(description="A person's account, seen by that person, OPERATOR and ADMIN.")
class User(Node):
    email: str = strawberry.field(description="The e-mail address.")
    username: str | None = strawberry.field(description="The user name, if one was chosen.")
    full_name: str | None = strawberry.field(description="The full name, if it was given.")
    phone: str | None = strawberry.field(description="The phone number, in E.164.")
    roles: list[Role] = strawberry.field(description="What this person may do.")
    active: bool = strawberry.field(description="Whether this person may log in.")
    flagged: bool = strawberry.field(
        description="Whether this person is seen as a high risk, who pays only with a code."
    )
    created_at: datetime = strawberry.field(description="When the account was made.")
    language: Language = strawberry.field(
        description="The language in which the house writes to this person."
    )
    row: strawberry.Private[rows.User]

    @classmethod
    def of(cls, row: rows.User) -> "User":
        return cls(
            id=ids.user_id(row.id),
            email=row.email,
            username=row.username,
            full_name=row.full_name,
            phone=row.phone,
            roles=[Role(role) for role in row.roles],
            active=row.active,
            flagged=row.flagged,
            created_at=row.created_at,
            language=Language(row.language),
            row=row,
        )

    @classmethod
    async def find(cls, info: Info, id: str) -> "User | None":
        return await cls.visible(info, ids.read_user(id))

    @classmethod
    async def visible(cls, info: Info, user_id: UUID) -> "User | None":
        """Load a person whom the caller may see: themselves, or anybody for those who run events."""
        if not info.context.may_see_account(user_id):
            return None
        row = await info.context.loads.user.load((user_id,))
        return cls.of(row) if row else None

    @strawberry.field(description="The credits on the account, in the house's currency.")
    async def credit_balance(self, info: Info) -> Money:
        currency = info.context.house.settings.credits_currency
        account = await info.context.loads.account.load((self.row.id, currency))
        return Money.of(account.balance_minor if account else 0, currency)

    @strawberry.field(description="The tickets that this person owns, the newest first.")
    async def tickets(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[TicketFilter | None, strawberry.argument(description="Only these tickets.")] = None,
    ) -> Connection[later.Ticket]:
        page = PageArguments(first, after, last, before)
        listing = tickets_listing(filter or TicketFilter(), parent=("owner_id", "uuid"))
        return await connect(info, listing, tickets.Ticket.of, page, self.row.id)

    @strawberry.field(description="The orders that this person made, the newest first.")
    async def orders(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[OrderFilter | None, strawberry.argument(description="Only these orders.")] = None,
    ) -> Connection[later.Order]:
        page = PageArguments(first, after, last, before)
        listing = await orders_listing(info, filter or OrderFilter(), parent=("buyer_id", "uuid"))
        return await connect(info, listing, orders.Order.of, page, self.row.id)

    @strawberry.field(description="The same, together for each event: that which was made last comes first.")
    async def orders_by_event(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[EventOrders]:
        page = PageArguments(first, after, last, before)
        return await connect(info, ORDERS_BY_EVENT, EventOrders.of, page, self.row.id)

    @strawberry.field(description="What this person has put aside to buy; empty for everybody but them.")
    async def cart(self, info: Info) -> later.Cart:
        return await carts.Cart.of_user(info, self.row.id)

    @strawberry.field(description="The transfers from and to this person, the newest first.")
    async def transfers(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[
            TransferFilter | None, strawberry.argument(description="Only these transfers.")
        ] = None,
    ) -> Connection[later.Transfer]:
        page = PageArguments(first, after, last, before)
        listing = transfers_listing(filter or TransferFilter(), of_party=True)
        return await connect(info, listing, transfers.Transfer.of, page, self.row.id)

    @strawberry.field(description="Where this person is logged in, the session last used first; at most 50.")
    async def sessions(self, info: Info) -> list[later.Session]:
        rows = await info.context.loads.open_sessions_of_user.load((self.row.id,))
        return [sessions.Session.of(row) for row in rows]

    @strawberry.field(description="What this person was notified of, the newest first.")
    async def notifications(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[later.Notification]:
        page = PageArguments(first, after, last, before)
        listing, of = notifications.NEWEST_FIRST, notifications.Notification.of
        return await connect(info, listing, of, page, self.row.id)

    @strawberry.field(description="How much of it this person has not read.")
    async def unread_notifications(self, info: Info) -> int:
        return await notifications.unread_notifications(info, self.row.id)

    @strawberry.field(description="By which channels this person hears of what: every kind and channel.")
    async def notification_preferences(self, info: Info) -> list[later.NotificationPreference]:
        return await notifications.NotificationPreference.of_user(info, self.row.id)


@strawberry.type(description="What anybody who has to do with someone may know of them.")
class Person:
    id: strawberry.ID = strawberry.field(description="The user's id.")
    user_id: strawberry.Private[UUID]

    @classmethod
    def of(cls, user_id: UUID) -> "Person":
        return cls(id=ids.user_id(user_id), user_id=user_id)

    @strawberry.field(description="Full name, else user name, else the e-mail address, masked.")
    async def name(self, info: Info) -> str:
        row = await info.context.loads.user.load((self.user_id,))
        return row.shown_name if row else ""

    @strawberry.field(description="The whole account, for the person, OPERATOR and ADMIN.")
    async def user(self, info: Info) -> User | None:
        return await User.visible(info, self.user_id)
