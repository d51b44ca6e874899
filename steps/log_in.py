"""Open a session for a person who has proved who they are."""

from dataclasses import dataclass
from uuid import UUID

from auth.refresh_tokens import RefreshTokens
from database import Transaction
from models.columns import new_id
from models.sessions import OPEN_SESSION, SessionEnd
from models.users import User
from steps.end_sessions import end_sessions
from steps.person_locks import lock_user
from steps.refusals import RefusalCode, Refused, busy
from steps.register import Person, register_user

SESSIONS_PER_PERSON_MAX = 50
DEVICE_CHARACTERS_MAX = 200

OPEN = """
    INSERT INTO sessions (user_id, id, refresh_hash, device, expires_at)
    VALUES ($1, $2, $3, $4, statement_timestamp() + make_interval(days => $5))"""

CROWDED_OUT = f"""
    SELECT id FROM sessions WHERE user_id = $1 AND {OPEN_SESSION}
    ORDER BY last_used_at DESC, id DESC OFFSET $2"""


@dataclass(frozen=True)
class LoggedIn:
    """A person with a session, and the refresh token that keeps it going."""

    user: User
    session_id: UUID
    refresh_token: str


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
    tx: Transaction, *, person: Person, password_hash: str, tokens: RefreshTokens, device: str
) -> LoggedIn:
    """Make an account and open its first session: both or neither."""
    user = await register_user(tx, person=person, password_hash=password_hash)
    return await open_session(tx, user, tokens, device)


async def open_session(tx: Transaction, user: User, tokens: RefreshTokens, device: str) -> LoggedIn:
    """Open a session of a person whom this transaction has locked or made; beyond the bound of sessions, the
    one that was not used for longest ends."""
    token = tokens.first(user.id, new_id())
    device = device[:DEVICE_CHARACTERS_MAX]
    await tx.rows(OPEN, user.id, token.session_id, token.digest, device, tokens.session_days)
    crowded_out = await tx.rows(CROWDED_OUT, user.id, SESSIONS_PER_PERSON_MAX)
    if crowded_out:
        await end_sessions(tx, user.id, SessionEnd.CROWD, only=[row["id"] for row in crowded_out])
    return LoggedIn(user, token.session_id, tokens.write(token))
