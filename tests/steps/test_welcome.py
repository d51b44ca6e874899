"""A person whom a provider introduces is found, or gets an account: one, and nobody else's."""

import asyncio
import time
from uuid import UUID, uuid4

import pytest

from auth.introductions import Introduction
from database import Database
from models.languages import Language
from models.sessions import SessionEnd
from models.users import Role, User
from steps.delete_user import delete_user
from steps.end_sessions import end_sessions
from steps.export_data import export_data
from steps.permit import activate_user, deactivate_user
from steps.refresh import refresh_session
from steps.refusals import RefusalCode
from steps.transact import transact
from steps.welcome import NO_ADDRESS, welcome, welcome_and_log_in
from tests.people import TOKENS, session_row
from tests.world import everything, new_user, refusal_of, until_somebody_waits

ISSUER = "https://id.example/realms/house"


def person(**changes: object) -> Introduction:
    """Somebody whom the provider introduces now."""
    now = time.time()
    given = {
        "issuer": ISSUER,
        "provider": "house",
        "subject": "subject-1",
        "roles": frozenset({Role.USER}),
        "custom_id": None,
        "email": None,
        "full_name": None,
        "issued_at": now,
        "expires_at": now + 300,
    }
    return Introduction(**(given | changes))  # type: ignore[arg-type]


async def welcomed(database: Database, **changes: object) -> tuple[UUID, UUID]:
    return await transact(database, welcome, person=person(**changes), tokens=TOKENS)


async def account(database: Database, user_id: UUID) -> User:
    (row,) = await database.rows("SELECT * FROM users WHERE id = $1", user_id)
    return User(**row)


async def test_who_is_seen_first_gets_an_account_and_later_the_same(database: Database) -> None:
    user_id, session_id = await welcomed(database, full_name="Ada")
    made = await account(database, user_id)
    assert (made.full_name, made.roles, made.password_hash, made.active) == ("Ada", ["USER"], None, True)
    assert made.email.endswith(NO_ADDRESS)
    assert await welcomed(database) == (user_id, session_id)
    assert (await welcomed(database, subject="subject-2"))[0] != user_id
    assert (await welcomed(database, issuer="https://another.example"))[0] != user_id
    assert str(user_id) in await transact(database, export_data, user_id=user_id)


async def test_two_first_requests_at_once_make_one_person(database: Database) -> None:
    async with database.transaction() as first:
        found = await welcome(first, person=person(), tokens=TOKENS)
        second = asyncio.create_task(welcomed(database))
        await until_somebody_waits(database)
    assert await second == found
    (row,) = await database.rows("SELECT count(*) FROM users")
    assert row["count"] == 1


async def test_two_requests_at_once_open_one_session(database: Database) -> None:
    user_id, session_id = await welcomed(database)
    await transact(database, end_sessions, user_id=user_id, by=SessionEnd.LOGOUT)
    later = person(issued_at=time.time() + 5)
    async with database.transaction() as first:
        found = await welcome(first, person=later, tokens=TOKENS)
        second = asyncio.create_task(transact(database, welcome, person=later, tokens=TOKENS))
        await until_somebody_waits(database)
    assert await second == found
    assert found[1] != session_id


async def test_custom_id_names_an_account_of_ours(database: Database) -> None:
    alice, bob = await new_user(database), await new_user(database)
    assert (await welcomed(database, custom_id=alice.id))[0] == alice.id
    assert (await welcomed(database))[0] == alice.id
    # It decides also later, and one that is not ours decides nothing.
    assert (await welcomed(database, custom_id=bob.id))[0] == bob.id
    assert (await welcomed(database, custom_id=uuid4()))[0] == bob.id


async def test_an_account_is_not_taken_over_by_its_address(database: Database) -> None:
    alice = await new_user(database, email="alice@example.com")
    user_id, _ = await welcomed(database)
    assert user_id != alice.id
    assert (await account(database, user_id)).email.endswith(NO_ADDRESS)


async def test_an_address_that_is_trusted_finds_the_account_or_is_kept(database: Database) -> None:
    alice = await new_user(database, email="alice@example.com")
    assert (await welcomed(database, email="Alice@Example.com"))[0] == alice.id
    bob_id, _ = await welcomed(database, subject="bob", email="bob@Example.com")
    assert (await account(database, bob_id)).email == "bob@example.com"
    nobody_id, _ = await welcomed(database, subject="nobody", email="not an address")
    assert (await account(database, nobody_id)).email.endswith(NO_ADDRESS)


async def test_a_new_account_has_the_language_that_the_provider_says(database: Database) -> None:
    user_id, _ = await welcomed(database, language=Language.DE)
    assert (await account(database, user_id)).language == "de"


@pytest.mark.parametrize("step", [deactivate_user, delete_user])
async def test_who_is_deactivated_or_deleted_stays_out(database: Database, step: object) -> None:
    user_id, session_id = await welcomed(database)
    await transact(database, step, user_id=user_id)  # type: ignore[arg-type]
    assert (await session_row(database, session_id))["ended_at"]
    before = await everything(database)
    later = person(issued_at=time.time() + 5)
    for attempt in (
        transact(database, welcome, person=later, tokens=TOKENS),
        transact(
            database,
            welcome_and_log_in,
            person=later,
            tokens=TOKENS,
            device="",
            is_handed_over=False,
        ),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.USER_DEACTIVATED
    assert await everything(database) == before


async def test_who_is_activated_again_needs_a_new_token(database: Database) -> None:
    old = person()
    user_id, session_id = await transact(database, welcome, person=old, tokens=TOKENS)
    await transact(database, deactivate_user, user_id=user_id)
    await transact(database, activate_user, user_id=user_id)
    before = await everything(database)
    refusal = await refusal_of(transact(database, welcome, person=old, tokens=TOKENS))
    assert refusal.code is RefusalCode.SESSION_REVOKED
    assert await everything(database) == before
    found = await welcomed(database, issued_at=time.time() + 5)
    assert found[0] == user_id
    assert found[1] != session_id


async def test_a_token_of_an_ended_session_stays_void_when_another_came(database: Database) -> None:
    old = person()
    user_id, _ = await transact(database, welcome, person=old, tokens=TOKENS)
    await transact(database, end_sessions, user_id=user_id, by=SessionEnd.LOGOUT)
    await welcomed(database, issued_at=time.time() + 5)
    refusal = await refusal_of(transact(database, welcome, person=old, tokens=TOKENS))
    assert refusal.code is RefusalCode.SESSION_REVOKED


async def logged_in(database: Database, introduced: Introduction, *, is_handed_over: bool = False) -> object:
    return await transact(
        database,
        welcome_and_log_in,
        person=introduced,
        tokens=TOKENS,
        device="a browser",
        is_handed_over=is_handed_over,
    )


async def hours_left(database: Database, session_id: UUID) -> float:
    (row,) = await database.rows(
        "SELECT extract(epoch FROM expires_at - created_at) / 3600 AS hours FROM sessions WHERE id = $1",
        session_id,
    )
    return float(row["hours"])


async def test_a_login_has_the_roles_of_the_provider_and_no_others(database: Database) -> None:
    admin = await new_user(database, Role.ADMIN)
    introduced = person(custom_id=admin.id, roles=frozenset({Role.USER, Role.STAFF}))
    session = await logged_in(database, introduced)
    assert session.roles == {Role.USER, Role.STAFF}  # type: ignore[attr-defined]
    refreshed = await transact(
        database,
        refresh_session,
        tokens=TOKENS,
        refresh_token=session.refresh_token,  # type: ignore[attr-defined]
    )
    assert refreshed.roles == {Role.USER, Role.STAFF}
    # Refreshing does not make it last: the provider is asked again after some hours.
    assert await hours_left(database, refreshed.session_id) == 12
    assert (await account(database, admin.id)).roles == ["USER", "ADMIN"]


async def test_a_buyers_login_lasts_as_any_other(database: Database) -> None:
    session = await logged_in(database, person())
    assert await hours_left(database, session.session_id) == 30 * 24  # type: ignore[attr-defined]


async def test_a_session_that_is_handed_over_is_taken_within_a_minute(database: Database) -> None:
    session = await logged_in(database, person(), is_handed_over=True)
    assert await hours_left(database, session.session_id) == 1 / 60  # type: ignore[attr-defined]
    await transact(
        database,
        refresh_session,
        tokens=TOKENS,
        refresh_token=session.refresh_token,  # type: ignore[attr-defined]
    )
    assert await hours_left(database, session.session_id) > 29 * 24  # type: ignore[attr-defined]


async def test_a_name_that_is_too_long_is_cut(database: Database) -> None:
    user_id, _ = await welcomed(database, full_name="x" * 500)
    assert (await account(database, user_id)).full_name == "x" * 200
