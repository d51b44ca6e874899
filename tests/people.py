"""People who are logged in, as `login` does it but for the password."""

from uuid import UUID

from asyncpg import Record

from auth.refresh_tokens import RefreshTokens
from database import Database
from models.users import User
from settings import read_settings
from steps.log_in import LoggedIn, log_in
from steps.refresh import refresh_session
from steps.transact import transact

TOKENS = RefreshTokens(read_settings())
PASSWORD_HASH = "-"


async def logged_in(database: Database, user: User, device: str = "a test") -> LoggedIn:
    """A session of somebody, opened now."""
    return await transact(
        database,
        log_in,
        user_id=user.id,
        proven_hash=PASSWORD_HASH,
        new_hash=None,
        tokens=TOKENS,
        device=device,
    )


async def refreshed(database: Database, refresh_token: str, tokens: RefreshTokens = TOKENS) -> LoggedIn:
    """What a refresh token gets."""
    return await transact(database, refresh_session, tokens=tokens, refresh_token=refresh_token)


async def session_row(database: Database, session_id: UUID) -> Record:
    (row,) = await database.rows("SELECT * FROM sessions WHERE id = $1", session_id)
    return row
