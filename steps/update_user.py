"""Change what a person says of themselves."""

from collections.abc import Mapping
from uuid import UUID

from database import Transaction
from models.users import User
from steps.person_locks import lock_user
from steps.refusals import Inputs, RefusalCode, Refused
from steps.register import check_profile

PROFILE = ("username", "full_name", "phone")

UPDATE = "UPDATE users SET username = $2, full_name = $3, phone = $4 WHERE id = $1 RETURNING *"


async def update_user(
    tx: Transaction, *, caller_id: UUID, any_user: bool, user_id: UUID, changes: Mapping[str, str | None]
) -> User:
    """Change one's own profile, or that of `any_user` for who may; what is not named stays as it is.

    Null takes a part away. Another person's account is refused as one that is not there.
    """
    if not (any_user or user_id == caller_id):
        raise Refused(RefusalCode.USER_NOT_FOUND)
    row = await lock_user(tx, user_id)
    if row is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    inputs = Inputs()
    named = {name: changes.get(name) for name in PROFILE}
    named["phone"] = check_profile(inputs, **named)
    inputs.refuse_if_wrong()
    values = [named[name] if name in changes else row[name] for name in PROFILE]
    changed = await tx.row(UPDATE, user_id, *values)
    assert changed is not None, "who is locked is there"
    return User(**changed)
