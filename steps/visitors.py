"""Who comes with a token of an OpenID Connect provider: found once, and remembered for some minutes."""

import hashlib
import time
from uuid import UUID

from auth.introductions import Introduction
from auth.issuers import Issuer, Issuers
from auth.refresh_tokens import RefreshTokens
from auth.revocations import SessionEnded
from auth.tokens import EXPIRED, CannotTell, TokenExpired
from auth.viewer import Viewer
from database import Database
from steps.faults import is_passing
from steps.refusals import RefusalCode, Refused
from steps.transact import transact
from steps.welcome import welcome

REMEMBERED_MAX = 10_000

KNOWN = """
    SELECT i.user_id, i.session_id
    FROM identities i
    JOIN users u ON u.id = i.user_id AND u.active
    JOIN sessions s ON s.user_id = i.user_id AND s.id = i.session_id
        AND s.ended_at IS NULL AND s.expires_at > statement_timestamp()
    WHERE i.issuer = $1 AND i.subject = $2 AND (i.void_until IS NULL OR i.void_until < to_timestamp($4))
        AND ($3::uuid IS NULL OR i.user_id = $3 OR NOT EXISTS (SELECT FROM users WHERE id = $3))"""


class Visitors:
    """Tells who a provider's token speaks for.

    Nothing is remembered for longer than a token of our own lives: ended sessions are not either.
    """

    def __init__(
        self, database: Database, issuers: Issuers, tokens: RefreshTokens, lifetime_seconds: int
    ) -> None:
        self._database, self._tokens = database, tokens
        self._lifetime_seconds = lifetime_seconds
        self._remembered: dict[bytes, Viewer] = {}
        self.issuers = issuers

    async def viewer(self, issuer: Issuer, token: str) -> Viewer:
        """Who a token speaks for; raises `TokenRefused`, and `CannotTell` when nobody can say it now."""
        digest = hashlib.sha256(token.encode()).digest()
        viewer = self._remembered.get(digest)
        if viewer is None or viewer.expires_at <= time.time():
            viewer = await self._recognized(await issuer.introduced_by(token))
            self._remember(digest, viewer)
        return viewer

    async def _recognized(self, person: Introduction) -> Viewer:
        now = time.time()
        if person.expires_at <= now:
            raise TokenExpired(EXPIRED)
        try:
            user_id, session_id = await self._found(person)
        except Refused as refused:
            if refused.code in (RefusalCode.USER_DEACTIVATED, RefusalCode.SESSION_REVOKED):
                raise SessionEnded(str(refused)) from None
            raise CannotTell(str(refused)) from None
        except Exception as error:
            if is_passing(error):
                raise CannotTell("The service cannot answer right now; try again in a moment.") from None
            raise
        expires_at = min(person.expires_at, now + self._lifetime_seconds)
        return Viewer(user_id, person.roles, session_id, expires_at)

    async def _found(self, person: Introduction) -> tuple[UUID, UUID]:
        found = await self._database.rows(
            KNOWN, person.issuer, person.subject, person.custom_id, person.issued_at
        )
        if found:
            return found[0]["user_id"], found[0]["session_id"]
        return await transact(self._database, welcome, person=person, tokens=self._tokens)

    def _remember(self, digest: bytes, viewer: Viewer) -> None:
        self._remembered.pop(digest, None)
        if len(self._remembered) >= REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = viewer
