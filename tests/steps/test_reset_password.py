"""Setting a new password by a word that was sent: once, in time, and with everybody else logged out."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from database import Database
from models.codes import CodePurpose
from models.users import User
from steps.change_password import change_password
from steps.log_in import LoggedIn
from steps.permit import deactivate_user
from steps.refusals import RefusalCode
from steps.reset_password import request_password_reset, reset_password
from steps.transact import transact
from tests.codes import CODES, code_sent_to, requested, waiting_messages
from tests.people import PASSWORD_HASH, TOKENS, logged_in, session_row
from tests.world import everything, hold, new_event, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, email="Alice@example.com")


async def let_pass(database: Database, minutes: int) -> None:
    """Let the last code be so much older, and its time no shorter."""
    async with database.transaction() as tx:
        await tx.rows("UPDATE codes SET sent_at = sent_at - $1::interval", timedelta(minutes=minutes))


async def asked(database: Database, email: str = "alice@EXAMPLE.com") -> None:
    await transact(database, request_password_reset, codes=CODES, email=email)


async def token_of(database: Database, user: User) -> str:
    await asked(database)
    return await code_sent_to(database, user)


async def reset(database: Database, token: str) -> LoggedIn:
    return await transact(
        database, reset_password, codes=CODES, token=token, new_hash="new", tokens=TOKENS, device="a test"
    )


async def password_of(database: Database, user: User) -> str:
    ((password,),) = await database.rows("SELECT password_hash FROM users WHERE id = $1", user.id)
    return password


async def test_the_word_sets_the_password_and_ends_every_session(database: Database, alice: User) -> None:
    old, bobs = await logged_in(database, alice), await logged_in(database, await new_user(database))
    told: set[object] = set()
    database.on_sessions_ended = told.update
    token = await token_of(database, alice)
    (message,) = await waiting_messages(database, alice.id)
    assert message.to.at == "Alice@example.com"
    new = await reset(database, token)
    assert await password_of(database, alice) == "new"
    assert (await session_row(database, old.session_id))["ended_by"] == "PASSWORD"
    assert (await session_row(database, bobs.session_id))["ended_by"] is None
    assert (await session_row(database, new.session_id))["ended_by"] is None
    assert told == {old.session_id}


async def test_the_word_works_once_and_only_the_last_one(database: Database, alice: User) -> None:
    first = await token_of(database, alice)
    await let_pass(database, 5)
    second = await token_of(database, alice)
    before = await everything(database)
    assert (await refusal_of(reset(database, first))).code is RefusalCode.OTP_INVALID
    assert await everything(database) == before
    await reset(database, second)
    after = await everything(database)
    assert (await refusal_of(reset(database, second))).code is RefusalCode.OTP_EXPIRED
    assert await everything(database) == after


async def test_one_word_used_twice_at_once_works_once(database: Database, alice: User) -> None:
    token = await token_of(database, alice)
    async with database.transaction() as tx:
        await reset_password(tx, codes=CODES, token=token, new_hash="first", tokens=TOKENS, device="a test")
        second = asyncio.create_task(refusal_of(reset(database, token)))
        await until_somebody_waits(database)
    assert (await second).code is RefusalCode.OTP_EXPIRED
    assert await password_of(database, alice) == "first"


async def test_what_was_never_sent_or_is_too_old_changes_nothing(database: Database, alice: User) -> None:
    token = await token_of(database, alice)
    before = await everything(database)
    for word in (
        "",
        "000000",
        "pr_",
        "pr_é",
        "pr_" + "A" * 5,
        "pr_" + "A" * 2_000,
        CODES.make_token(alice.id),
        CODES.make_token(uuid4()),
    ):
        assert (await refusal_of(reset(database, word))).code is RefusalCode.OTP_INVALID
    assert await everything(database) == before
    async with database.transaction() as tx:
        await tx.rows("UPDATE codes SET expires_at = expires_at - $1::interval", timedelta(minutes=5))
    before = await everything(database)
    assert (await refusal_of(reset(database, token))).code is RefusalCode.OTP_EXPIRED
    assert await everything(database) == before


async def test_any_number_of_wrong_words_does_not_spoil_the_right_one(
    database: Database, alice: User
) -> None:
    token = await token_of(database, alice)
    for _ in range(10):
        await refusal_of(reset(database, CODES.make_token(alice.id)))
    await reset(database, token)


async def test_nobody_is_sent_anything_without_an_account_or_while_the_last_word_is_good(
    database: Database, alice: User
) -> None:
    await asked(database)
    await let_pass(database, 4)
    before = await everything(database)
    await asked(database)
    for unknown in ("ben@example.com", "", "é" * 500):
        await asked(database, unknown)
    assert await everything(database) == before


async def test_who_is_deactivated_gets_no_word_and_an_earlier_one_is_refused(
    database: Database, alice: User
) -> None:
    token = await token_of(database, alice)
    await let_pass(database, 5)
    await transact(database, deactivate_user, user_id=alice.id)
    before = await everything(database)
    await asked(database)
    assert (await refusal_of(reset(database, token))).code is RefusalCode.USER_DEACTIVATED
    assert await everything(database) == before


async def test_every_other_code_is_void_and_not_sent_any_more(database: Database, alice: User) -> None:
    order = await hold(database, alice, await new_event(database), [0])
    await requested(database, alice, (order.event_id, order.id))
    await reset(database, await token_of(database, alice))
    assert {row["digest"] for row in await database.rows("SELECT digest FROM codes")} == {None}
    assert not await waiting_messages(database, alice.id)


async def test_changing_the_password_voids_the_word(database: Database, alice: User) -> None:
    session, token = await logged_in(database, alice), await token_of(database, alice)
    await transact(
        database,
        change_password,
        user_id=alice.id,
        session_id=session.session_id,
        proven_hash=PASSWORD_HASH,
        new_hash="changed",
        tokens=TOKENS,
    )
    assert (await refusal_of(reset(database, token))).code is RefusalCode.OTP_EXPIRED
    assert await password_of(database, alice) == "changed"


async def test_the_word_confirms_nothing_else(database: Database, alice: User) -> None:
    await token_of(database, alice)
    ((purpose, object_id),) = await database.rows("SELECT purpose, object_id FROM codes")
    assert (purpose, object_id) == (CodePurpose.PASSWORD, alice.id)
