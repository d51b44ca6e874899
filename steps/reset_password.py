"""Set a new password without the old one, by a word that was sent to the person's e-mail address."""

from contextlib import suppress
from uuid import UUID

from auth.codes import CodeObject, Codes
from auth.refresh_tokens import RefreshTokens
from database import Transaction
from messages.message import Address
from models.codes import CodePurpose
from models.deliveries import DeliveryKind
from models.sessions import SessionEnd
from models.users import User
from steps.codes import issue_code, void_codes
from steps.end_sessions import end_sessions
from steps.log_in import LoggedIn, open_session
from steps.person_locks import lock_code, lock_user
from steps.refusals import RefusalCode, Refused

FIND = "SELECT id FROM users WHERE lower(email) = lower($1)"
SET = "UPDATE users SET password_hash = $2 WHERE id = $1 RETURNING *"


async def request_password_reset(tx: Transaction, *, codes: Codes, email: str) -> None:
    """Send such a word to the person with this address, if there is one who may log in.

    Nobody learns here whether there is, nor whether one was sent that is still good: a stranger who asks
    again and again must not void it.
    """
    user_id = await tx.value(FIND, email)
    user = await lock_user(tx, user_id) if user_id else None
    if user is None or not user["active"]:
        return
    to = Address(DeliveryKind.EMAIL, user["email"])
    with suppress(Refused):
        token = codes.make_token(user_id)
        terms = {"language": user["language"], "pause_seconds": codes.seconds}
        await issue_code(tx, codes, _about(user_id), to, token, **terms)


async def reset_password(
    tx: Transaction, *, codes: Codes, token: str, new_hash: str, tokens: RefreshTokens, device: str
) -> LoggedIn:
    """Take a new password for the word, which is good once, and log the person in.

    Every session until now ends, and every code is void. Refuses a word that was never sent (OTP_INVALID),
    one that is used, replaced or too old (OTP_EXPIRED), and a person who is deactivated.
    """
    user_id = codes.person_of(token)
    user = await lock_user(tx, user_id) if user_id else None
    if user_id is None or user is None:
        raise Refused(RefusalCode.OTP_INVALID)
    await _refuse_unless_good(tx, codes, user_id, token)
    if not user["active"]:
        raise Refused(RefusalCode.USER_DEACTIVATED)
    changed = await tx.row(SET, user_id, new_hash)
    assert changed is not None, "who is locked is there"
    await void_codes(tx, user_id)
    await end_sessions(tx, user_id, SessionEnd.PASSWORD)
    return await open_session(tx, User(**changed), tokens, device)


async def _refuse_unless_good(tx: Transaction, codes: Codes, user_id: UUID, token: str) -> None:
    """A wrong word is not counted: it cannot be guessed, and a stranger could use up the tries."""
    last = await lock_code(tx, _about(user_id))
    now = await tx.value("SELECT statement_timestamp()")
    if last is None or last["digest"] is None or last["expires_at"] <= now:
        raise Refused(RefusalCode.OTP_EXPIRED)
    if not codes.is_code(token, _about(user_id), last["digest"]):
        raise Refused(RefusalCode.OTP_INVALID)


def _about(user_id: UUID) -> CodeObject:
    return CodeObject(user_id, CodePurpose.PASSWORD, user_id)
