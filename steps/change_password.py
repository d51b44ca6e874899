"""Change a password: whoever else was logged in with the old one is out."""

from uuid import UUID

from auth.refresh_tokens import RefreshTokens
from database import Transaction
from models.codes import CodePurpose
from models.sessions import SessionEnd
from models.users import User
from steps.codes import void_codes
from steps.end_sessions import end_sessions
from steps.log_in import LASTS_UNTIL, LoggedIn
from steps.person_locks import lock_session, lock_user
from steps.refusals import RefusalCode, Refused, busy

BEGIN_ANEW = f"""
    UPDATE sessions SET refresh_hash = $3, last_used_at = statement_timestamp(),
        expires_at = {LASTS_UNTIL.format(days="$4")}
    WHERE user_id = $1 AND id = $2"""


async def change_password(
    tx: Transaction,
    *,
    user_id: UUID,
    session_id: UUID | None,
    proven_hash: str | None,
    new_hash: str,
    tokens: RefreshTokens,
) -> LoggedIn:
    """Take a new password from a person whose old one was compared with `proven_hash`.

    Every other session ends, and this one gets a new refresh token, so that no old one is good for anything.
    """
    row = await lock_user(tx, user_id)
    session = await lock_session(tx, user_id, session_id) if session_id else None
    if row is None or session is None or session["ended_at"]:
        raise Refused(RefusalCode.SESSION_REVOKED)
    if row["password_hash"] != proven_hash:
        raise busy()
    await tx.rows("UPDATE users SET password_hash = $2 WHERE id = $1", user_id, new_hash)
    await void_codes(tx, user_id, CodePurpose.PASSWORD)
    await end_sessions(tx, user_id, SessionEnd.PASSWORD, but=session["id"])
    token = tokens.first(user_id, session["id"])
    await tx.rows(BEGIN_ANEW, user_id, token.session_id, token.digest, tokens.session_days)
    return LoggedIn(User(**row), token.session_id, tokens.write(token), session["roles"])
