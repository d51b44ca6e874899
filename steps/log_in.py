"""Open a session for a person who has proved who they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from auth.refresh_tokens import RefreshTokens
from database import Transaction
from messages.envelopes import Envelopes
from messages.message import Address, Draft
from models.columns import new_id
from models.deliveries import DeliveryKind
from models.sessions import OPEN_SESSION, SessionEnd
from models.users import Role, User
from steps.deliver import post
from steps.end_sessions import end_sessions
from steps.person_locks import lock_user
from steps.refusals import RefusalCode, Refused, busy
from steps.register import Person, register_user

SESSIONS_PER_PERSON_MAX = 50
DEVICE_CHARACTERS_MAX = 200
PROVIDERS_ROLES_HOURS = 12
"""So long a session lasts that has more than USER from a provider, which is then asked again."""
HANDED_OVER_SECONDS = 60
"""So soon the refresh token of a session must be used that travels by an address."""

LASTS_UNTIL = f"""
    CASE WHEN roles <> ARRAY['USER'] THEN created_at + interval '{PROVIDERS_ROLES_HOURS} hours'
    ELSE statement_timestamp() + make_interval(days => {{days}}) END"""

OPEN = f"""
    INSERT INTO sessions (user_id, id, refresh_hash, device, roles, expires_at)
    SELECT $1, $2, $3, $4, roles,
        CASE WHEN $7 THEN created_at + interval '{HANDED_OVER_SECONDS} seconds'
        ELSE {LASTS_UNTIL.format(days="$5")} END
    FROM (VALUES ($6::text[], statement_timestamp())) AS given (roles, created_at)"""

CROWDED_OUT = f"""
    SELECT id FROM sessions WHERE user_id = $1 AND {OPEN_SESSION}
    ORDER BY last_used_at DESC, id DESC OFFSET $2"""


@dataclass(frozen=True)
class LoggedIn:
    """A person with a session, and the refresh token that keeps it going."""

    user: User
    session_id: UUID
    refresh_token: str
    session_roles: Sequence[str] | None = None

    @property
    def roles(self) -> frozenset[Role]:
        """What the session allows: what a provider gave it, or else the account has."""
        names = self.user.roles if self.session_roles is None else self.session_roles
        return frozenset(Role(name) for name in names)


async def log_in(
    tx: Transaction,
    *,
    user_id: UUID,
    proven_hash: str | None,
    new_hash: str | None,
    tokens: RefreshTokens,
    device: str,
) -> LoggedIn:
    """Open a session for a person whose password was compared with `proven_hash`, and take the new hash.

    Refuses a person who is deactivated, and one whose password has changed since it was compared.
    """
    row = await lock_user(tx, user_id)
    if row is None:
        raise Refused(RefusalCode.INVALID_CREDENTIALS)
    if row["password_hash"] != proven_hash:
        raise busy()
    if not row["active"]:
        raise Refused(RefusalCode.USER_DEACTIVATED)
    if new_hash:
        await tx.rows("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, new_hash)
    return await open_session(tx, User(**row), tokens, device)


async def register_and_log_in(
    tx: Transaction,
    *,
    person: Person,
    envelopes: Envelopes,
    password_hash: str,
    tokens: RefreshTokens,
    device: str,
) -> LoggedIn:
    """Make an account, open its first session, and welcome the person: all of it, or nothing."""
    user = await register_user(tx, person=person, password_hash=password_hash)
    to = Address(DeliveryKind.EMAIL, user.email)
    if DeliveryKind.EMAIL in envelopes.sends:
        await post(tx, envelopes, user.id, Draft(to, user.language, "welcome", {"name": user.greeting_name}))
    return await open_session(tx, user, tokens, device)


async def open_session(
    tx: Transaction,
    user: User,
    tokens: RefreshTokens,
    device: str,
    *,
    roles: Sequence[str] | None = None,
    is_handed_over: bool = False,
) -> LoggedIn:
    """Open a session of a person whom this transaction has locked or made; beyond the bound of sessions, the
    one that was not used for longest ends.

    With `roles` it allows these and no others. One that is handed over by its refresh token is gone in a
    minute if that is not used.
    """
    token = tokens.first(user.id, new_id())
    device = device[:DEVICE_CHARACTERS_MAX]
    key = user.id, token.session_id
    await tx.rows(OPEN, *key, token.digest, device, tokens.session_days, roles, is_handed_over)
    crowded_out = await tx.rows(CROWDED_OUT, user.id, SESSIONS_PER_PERSON_MAX)
    if crowded_out:
        await end_sessions(tx, user.id, SessionEnd.CROWD, only=[row["id"] for row in crowded_out])
    return LoggedIn(user, token.session_id, tokens.write(token), roles)
