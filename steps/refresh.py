"""Keep a session going: a refresh token for the next one."""

from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from auth.refresh_tokens import RefreshToken, RefreshTokens
from database import Transaction
from models.sessions import SessionEnd
from models.users import User
from steps.end_sessions import end_sessions
from steps.log_in import LASTS_UNTIL, LoggedIn
from steps.person_locks import lock_session
from steps.refusals import RefusalCode, Refused

ROTATE = f"""
    UPDATE sessions SET refresh_hash = $3, previous_hash = $4, was_repeated = false,
        last_used_at = statement_timestamp(),
        expires_at = {LASTS_UNTIL.format(days="$5")}
    WHERE user_id = $1 AND id = $2"""

REPEAT = "UPDATE sessions SET was_repeated = true WHERE user_id = $1 AND id = $2"


async def refresh_session(
    tx: Transaction, *, tokens: RefreshTokens, refresh_token: str
) -> LoggedIn | Refused:
    """Take a refresh token and give the next one.

    The token before the last may come once more, shortly after, as two tabs of one browser do it: it gets the
    same successor. Any other old token is in two hands, and its session ends, although the answer is a no.
    Refuses a token that is not ours or too old (SESSION_EXPIRED), and one of a session that was ended.
    """
    token = tokens.read(refresh_token)
    session = await lock_session(tx, token.user_id, token.session_id) if token else None
    if token is None or session is None:
        raise Refused(RefusalCode.SESSION_EXPIRED)
    # The lock was waited for; what time it is, is asked now.
    now: datetime = await tx.value("SELECT statement_timestamp()")
    if session["ended_at"]:
        raise Refused(RefusalCode.SESSION_REVOKED)
    if session["expires_at"] <= now:
        raise Refused(RefusalCode.SESSION_EXPIRED)
    successor = await _successor(tx, session, token, tokens, now)
    if successor is None:
        await end_sessions(tx, token.user_id, SessionEnd.REUSE, only=[token.session_id])
        return Refused(RefusalCode.SESSION_REVOKED)
    user = await _active_user(tx, token.user_id)
    return LoggedIn(user, token.session_id, tokens.write(successor), session["roles"])


async def _successor(
    tx: Transaction, session: Record, token: RefreshToken, tokens: RefreshTokens, now: datetime
) -> RefreshToken | None:
    """What comes after this token, taken down; None when the token was used and may not be repeated."""
    key, successors = (token.user_id, token.session_id), tokens.successors(token)
    if token.digest == session["refresh_hash"]:
        await tx.rows(ROTATE, *key, successors[0].digest, token.digest, tokens.session_days)
        return successors[0]
    repeats_until = session["last_used_at"] + timedelta(seconds=tokens.repeat_seconds)
    if token.digest != session["previous_hash"] or session["was_repeated"] or now > repeats_until:
        return None
    await tx.rows(REPEAT, *key)
    return next((given for given in successors if given.digest == session["refresh_hash"]), None)


async def _active_user(tx: Transaction, user_id: UUID) -> User:
    row = await tx.row("SELECT * FROM users WHERE id = $1 AND active", user_id)
    if row is None:
        raise Refused(RefusalCode.SESSION_REVOKED)
    return User(**row)
