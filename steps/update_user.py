"""Change what a person says of themselves."""

from collections.abc import Mapping
from uuid import UUID

from asyncpg import Record

from auth.codes import CodeObject, Codes
from database import Transaction
from messages.message import Address
from models.codes import CodePurpose
from models.deliveries import DeliveryKind
from models.users import User
from steps.codes import issue_code
from steps.person_locks import lock_user
from steps.refusals import Inputs, RefusalCode, Refused
from steps.register import check_profile, checked_email

PROFILE = ("username", "full_name", "phone")

IS_TAKEN = "SELECT true FROM users WHERE lower(email) = lower($1)"

UPDATE = "UPDATE users SET username = $2, full_name = $3, phone = $4, language = $5 WHERE id = $1 RETURNING *"


async def update_user(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_user: bool,
    user_id: UUID,
    changes: Mapping[str, str | None],
    codes: Codes,
) -> User:
    """Change one's own profile, or that of `any_user` for who may; what is not named stays as it is.

    Null takes a part away, but for the language. A new e-mail address is only sent a code; it takes effect
    when the code is confirmed. Another person's account is refused as one that is not there.
    """
    if not (any_user or user_id == caller_id):
        raise Refused(RefusalCode.USER_NOT_FOUND)
    row = await lock_user(tx, user_id)
    if row is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    inputs = Inputs()
    named = {name: changes.get(name) for name in PROFILE}
    named["phone"] = check_profile(inputs, **named)
    email = row["email"]
    if "email" in changes:
        email = inputs.take(lambda: checked_email(changes["email"] or ""), "input.email", email)
    inputs.refuse_if_wrong()
    if email.lower() != row["email"].lower():
        await _ask_to_confirm(tx, codes, row, email)
    values = [named[name] if name in changes else row[name] for name in PROFILE]
    language = changes.get("language") or row["language"]
    changed = await tx.row(UPDATE, user_id, *values, language)
    assert changed is not None, "who is locked is there"
    return User(**changed)


async def _ask_to_confirm(tx: Transaction, codes: Codes, user: Record, email: str) -> None:
    if await tx.value(IS_TAKEN, email):
        raise Refused(RefusalCode.EMAIL_ALREADY_EXISTS)
    about = CodeObject(user["id"], CodePurpose.EMAIL, user["id"])
    to = Address(DeliveryKind.EMAIL, email)
    terms = {"language": user["language"], "pause_seconds": codes.pause_seconds}
    await issue_code(tx, codes, about, to, codes.make(), **terms)
