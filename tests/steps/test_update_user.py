"""Changing a profile: one's own, in parts; what is wrong or taken changes nothing."""

from uuid import UUID

import pytest

from database import Database
from models.users import User
from steps.refusals import RefusalCode
from steps.transact import transact
from steps.update_user import update_user
from tests.codes import CODES
from tests.world import everything, new_user, refusal_of

PROFILE = {"username": "ann", "full_name": "Ann Example", "phone": "+4930123456"}


async def updated(
    database: Database, caller: User, user_id: UUID, *, any_user: bool = False, **changes: str | None
) -> User:
    return await transact(
        database,
        update_user,
        caller_id=caller.id,
        any_user=any_user,
        user_id=user_id,
        changes=changes,
        codes=CODES,
    )


async def test_what_is_not_named_stays_and_null_takes_away(database: Database) -> None:
    ann, bob = await new_user(database), await new_user(database)
    await updated(database, ann, ann.id, **PROFILE)
    await updated(database, ann, ann.id)
    user = await updated(database, ann, ann.id, phone="+49 30 654321", username=None)
    assert (user.username, user.full_name, user.phone) == (None, "Ann Example", "+4930654321")
    assert (user.email, user.roles, user.password_hash) == (ann.email, ann.roles, ann.password_hash)
    (row,) = await database.rows("SELECT * FROM users WHERE id = $1", bob.id)
    assert (row["username"], row["full_name"], row["phone"]) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"phone": "12"}, ["input.phone"]),
        ({"username": " "}, ["input.username"]),
        ({"full_name": "x" * 201, "phone": ""}, ["input.phone", "input.fullName"]),
    ],
)
async def test_what_is_wrong_is_named_and_changes_nothing(
    database: Database, changes: dict[str, str], fields: list[str]
) -> None:
    ann = await new_user(database)
    before = await everything(database)
    refusal = await refusal_of(updated(database, ann, ann.id, **(PROFILE | changes)))
    assert (refusal.code, [p.field for p in refusal.problems]) == (RefusalCode.VALIDATION_ERROR, fields)
    assert await everything(database) == before


async def test_a_user_name_belongs_to_one_person(database: Database) -> None:
    ann, bob = await new_user(database), await new_user(database)
    await updated(database, ann, ann.id, username="ann")
    await updated(database, ann, ann.id, username="Ann")
    before = await everything(database)
    refusal = await refusal_of(updated(database, bob, bob.id, username="ANN", phone="+4930123456"))
    assert refusal.code is RefusalCode.USERNAME_ALREADY_EXISTS
    assert await everything(database) == before


async def test_others_are_changed_only_by_who_may(database: Database) -> None:
    ann, bob = await new_user(database), await new_user(database)
    before = await everything(database)
    for user_id, any_user in ((ann.id, False), (UUID(int=1), True)):
        refusal = await refusal_of(updated(database, bob, user_id, any_user=any_user, **PROFILE))
        assert refusal.code is RefusalCode.USER_NOT_FOUND
    assert await everything(database) == before
    assert (await updated(database, bob, ann.id, any_user=True, username="ann")).id == ann.id
