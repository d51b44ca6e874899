"""Accounts for people: what they must say of themselves, and who is somebody already."""

import asyncio

import pytest

from database import Database
from models.users import Role, User
from steps.refusals import RefusalCode, Refused
from steps.register import Person, check_person, register_user
from steps.transact import transact
from tests.world import everything, refusal_of

RIGHT: dict[str, str | None] = {
    "email": "Alice@Example.COM",
    "password": "a long one",
    "phone": None,
    "username": None,
    "full_name": None,
}


def checked(**changes: str | None) -> Person:
    return check_person(**(RIGHT | changes))  # type: ignore[arg-type]


async def register(database: Database, email: str, username: str | None = None, *roles: Role) -> User:
    return await transact(
        database,
        register_user,
        person=Person(email, None, username, None),
        password_hash="-",
        roles=roles or (Role.USER,),
    )


def test_an_e_mail_address_and_a_phone_number_are_kept_in_one_form() -> None:
    person = checked(phone="+49 30 901820", username="alice", full_name="Alice A.")
    assert person == Person("Alice@example.com", "+4930901820", "alice", "Alice A.")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "nobody"}, "input.email"),
        ({"email": ""}, "input.email"),
        ({"password": "x" * 7}, "input.password"),
        ({"password": "x" * 129}, "input.password"),
        ({"phone": "0301234567"}, "input.phone"),
        ({"phone": "+49 1"}, "input.phone"),
        ({"username": " "}, "input.username"),
        ({"username": "x" * 51}, "input.username"),
        ({"full_name": ""}, "input.fullName"),
        ({"full_name": "x" * 201}, "input.fullName"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, str], field: str) -> None:
    with pytest.raises(Refused) as refused:
        checked(**changes)
    assert refused.value.code is RefusalCode.VALIDATION_ERROR
    assert [problem.field for problem in refused.value.problems] == [field]


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(Refused) as refused:
        checked(email="nobody", password="short", phone="1", username="", full_name="")
    assert [problem.field for problem in refused.value.problems] == [
        "input.email",
        "input.phone",
        "input.username",
        "input.fullName",
        "input.password",
    ]


async def test_a_new_person_has_an_account(database: Database) -> None:
    alice = await register(database, "alice@example.com", None, Role.USER, Role.STAFF)
    (row,) = await database.rows("SELECT id, email, roles, active FROM users")
    assert tuple(row) == (alice.id, "alice@example.com", ["USER", "STAFF"], True)


@pytest.mark.parametrize(
    ("email", "username", "code"),
    [
        ("ALICE@example.com", "bob", RefusalCode.EMAIL_ALREADY_EXISTS),
        ("bob@example.com", "Alice", RefusalCode.USERNAME_ALREADY_EXISTS),
    ],
)
async def test_the_same_in_other_letters_is_somebody_already(
    database: Database, email: str, username: str, code: RefusalCode
) -> None:
    await register(database, "alice@example.com", "alice")
    before = await everything(database)
    assert (await refusal_of(register(database, email, username))).code is code
    assert await everything(database) == before
    await register(database, "bob@example.com", "bob")


async def test_people_without_a_user_name_are_not_the_same(database: Database) -> None:
    await register(database, "alice@example.com")
    await register(database, "bob@example.com")


async def test_of_many_with_one_address_at_once_one_gets_the_account(database: Database) -> None:
    attempts = [register(database, "alice@example.com") for _ in range(8)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
    assert codes == [RefusalCode.EMAIL_ALREADY_EXISTS] * 7
    assert len(await database.rows("SELECT 1 FROM users")) == 1
