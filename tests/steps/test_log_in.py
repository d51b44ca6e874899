"""Opening sessions: for people who are active, with the password that was compared, and not too many."""

import asyncio

import pytest

import steps.log_in
from database import Database
from messages.envelopes import Envelopes
from models.users import User
from settings import Mode
from steps.log_in import log_in, register_and_log_in
from steps.refusals import RefusalCode
from steps.register import Person
from steps.transact import transact
from tests.codes import ENVELOPES, SETTINGS
from tests.people import PASSWORD_HASH, TOKENS, logged_in, refreshed, session_row
from tests.world import everything, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database)


async def test_a_session_remembers_its_device_and_lasts_30_days(database: Database, alice: User) -> None:
    session = await logged_in(database, alice, "x" * 5_000)
    row = await session_row(database, session.session_id)
    assert (row["user_id"], row["device"], row["ended_at"]) == (alice.id, "x" * 200, None)
    assert (row["expires_at"] - row["created_at"]).days == 30


async def test_an_account_and_its_first_session_are_made_together(database: Database, alice: User) -> None:
    before = await everything(database)
    person = Person(alice.email, None, None, None)
    refusal = await refusal_of(
        transact(
            database,
            register_and_log_in,
            person=person,
            envelopes=ENVELOPES,
            password_hash="-",
            tokens=TOKENS,
            device="a phone",
        )
    )
    assert refusal.code is RefusalCode.EMAIL_ALREADY_EXISTS
    assert await everything(database) == before


async def test_a_house_that_sends_no_mail_welcomes_nobody(database: Database) -> None:
    silent = Envelopes(SETTINGS.model_copy(update={"mode": Mode.PRODUCTION}))
    given = {"password_hash": "-", "tokens": TOKENS, "device": "a phone", "envelopes": silent}
    person = Person("ann@example.com", None, None, None)
    await transact(database, register_and_log_in, person=person, **given)
    assert not await database.rows("SELECT 1 FROM deliveries")


async def test_a_hash_of_better_parameters_is_kept(database: Database, alice: User) -> None:
    await transact(
        database,
        log_in,
        user_id=alice.id,
        proven_hash=PASSWORD_HASH,
        new_hash="better",
        tokens=TOKENS,
        device="",
    )
    assert (await database.rows("SELECT password_hash FROM users"))[0][0] == "better"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE users SET active = false", RefusalCode.USER_DEACTIVATED),
        ("UPDATE users SET password_hash = 'another'", RefusalCode.BUSY),
        ("DELETE FROM users", RefusalCode.INVALID_CREDENTIALS),
    ],
)
async def test_who_changes_while_the_password_is_compared_is_refused(
    database: Database, alice: User, change: str, code: RefusalCode
) -> None:
    """The change is committed while the login waits for the person."""
    async with database.transaction() as tx:
        await tx.rows(change)
        login = asyncio.create_task(logged_in(database, alice))
        await until_somebody_waits(database)
    assert (await refusal_of(login)).code is code
    assert not await database.rows("SELECT 1 FROM sessions")


async def test_beyond_the_bound_the_session_that_was_not_used_for_longest_ends(
    database: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps.log_in, "SESSIONS_PER_PERSON_MAX", 2)
    first, second = await logged_in(database, alice), await logged_in(database, alice)
    await refreshed(database, first.refresh_token)
    await logged_in(database, await new_user(database))
    await logged_in(database, alice)
    assert (await session_row(database, second.session_id))["ended_by"] == "CROWD"
    assert (await session_row(database, first.session_id))["ended_by"] is None
    await asyncio.gather(*(logged_in(database, alice) for _ in range(5)))
    open_ones = await database.rows(
        "SELECT 1 FROM sessions WHERE user_id = $1 AND ended_at IS NULL", alice.id
    )
    assert len(open_ones) == 2
