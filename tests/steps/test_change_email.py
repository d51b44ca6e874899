"""A new e-mail address: it is nobody's until the code that is sent to it is confirmed."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.codes import Codes
from database import Database
from models.codes import CodePurpose
from models.users import User
from steps.codes import Otp
from steps.refusals import RefusalCode
from steps.reset_password import request_password_reset
from steps.transact import transact
from steps.update_user import update_user
from tests.codes import CODES, PAUSING, code_sent_to, requested, tried, verified, waiting_messages
from tests.world import everything, new_user, refusal_of, until_somebody_waits

NEW = "Ann.New@example.com"


@pytest.fixture
async def ann(database: Database) -> User:
    return await new_user(database, email="ann@example.com")


async def named(database: Database, user: User, email: str | None, codes: Codes = CODES) -> User:
    return await transact(
        database,
        update_user,
        caller_id=user.id,
        any_user=False,
        user_id=user.id,
        changes={"email": email},
        codes=codes,
    )


async def confirmed(database: Database, user: User, code: str, account: UUID | None = None) -> Otp:
    return await verified(database, user, (account or user.id,), code, CodePurpose.EMAIL)


async def code_for(database: Database, user: User) -> str:
    return await code_sent_to(database, user)


async def email_of(database: Database, user: User) -> str:
    ((email,),) = await database.rows("SELECT email FROM users WHERE id = $1", user.id)
    return email


async def test_it_takes_effect_with_its_code_and_the_old_address_is_told(
    database: Database, ann: User
) -> None:
    assert (await named(database, ann, NEW)).email == "ann@example.com"
    (message,) = await waiting_messages(database, ann.id)
    assert message.to.at == NEW
    code = await code_for(database, ann)
    assert (await confirmed(database, ann, code)).sent_to == "A***@example.com"
    assert await email_of(database, ann) == NEW
    _, notice = await waiting_messages(database, ann.id)
    assert notice.to.at == "ann@example.com"
    assert (notice.template, notice.facts) == ("email_changed", {"address": "A***@example.com"})
    after = await everything(database)
    assert (await confirmed(database, ann, code)).verified
    refused = await refusal_of(requested(database, ann, (ann.id,), CodePurpose.EMAIL))
    assert refused.problems[0].field == "input.referenceId"
    assert await everything(database) == after


async def test_of_two_confirmations_at_once_one_changes_and_tells(database: Database, ann: User) -> None:
    await named(database, ann, NEW)
    code = await code_for(database, ann)
    async with database.transaction() as tx:
        await tried(tx, ann, (ann.id,), code, CodePurpose.EMAIL)
        second = asyncio.create_task(confirmed(database, ann, code))
        await until_somebody_waits(database)
    assert (await second).verified
    assert len(await waiting_messages(database, ann.id)) == 2


async def test_an_address_that_is_wrong_or_somebody_elses_changes_nothing(
    database: Database, ann: User
) -> None:
    await new_user(database, email="Bob@example.com")
    before = await everything(database)
    for email, code in (
        ("nobody", RefusalCode.VALIDATION_ERROR),
        (None, RefusalCode.VALIDATION_ERROR),
        ("bob@EXAMPLE.com", RefusalCode.EMAIL_ALREADY_EXISTS),
    ):
        assert (await refusal_of(named(database, ann, email))).code is code
    await named(database, ann, "ANN@example.com")
    assert await everything(database) == before


async def test_an_address_that_was_taken_meanwhile_is_refused_and_the_code_is_not_used_up(
    database: Database, ann: User
) -> None:
    await named(database, ann, NEW)
    code = await code_for(database, ann)
    bob = await new_user(database, email=NEW.lower())
    before = await everything(database)
    assert (await refusal_of(confirmed(database, ann, code))).code is RefusalCode.EMAIL_ALREADY_EXISTS
    assert await everything(database) == before
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM users WHERE id = $1", bob.id)
    await confirmed(database, ann, code)
    assert await email_of(database, ann) == NEW


async def test_the_third_wrong_code_gives_the_new_address_up(database: Database, ann: User) -> None:
    await named(database, ann, NEW)
    code = await code_for(database, ann)
    for _ in range(2):
        assert (await refusal_of(confirmed(database, ann, "no"))).code is RefusalCode.OTP_INVALID
    for given in ("no", code):
        assert (await refusal_of(confirmed(database, ann, given))).code is RefusalCode.OTP_MAX_RETRIES
    before = await everything(database)
    refused = await refusal_of(named(database, ann, "other@example.com"))
    assert refused.code is RefusalCode.OTP_MAX_RETRIES
    assert refused.retry_after_seconds in range(290, 301)
    assert await everything(database) == before
    async with database.transaction() as tx:
        await tx.rows("UPDATE codes SET expires_at = expires_at - $1::interval", timedelta(minutes=5))
    before = await everything(database)
    refused = await refusal_of(requested(database, ann, (ann.id,), CodePurpose.EMAIL))
    assert refused.problems[0].field == "input.referenceId"
    assert await everything(database) == before
    await named(database, ann, "other@example.com")
    await confirmed(database, ann, await code_for(database, ann))
    assert await email_of(database, ann) == "other@example.com"


async def test_a_new_code_goes_to_the_new_address_again(database: Database, ann: User) -> None:
    await named(database, ann, NEW)
    await refusal_of(confirmed(database, ann, "no"))
    otp = await requested(database, ann, (ann.id,), CodePurpose.EMAIL)
    assert otp.attempts_left == 2
    (message,) = await waiting_messages(database, ann.id)
    assert message.to.at == NEW
    await confirmed(database, ann, await code_for(database, ann))
    assert await email_of(database, ann) == NEW


async def test_without_a_new_address_there_is_nothing_to_confirm(database: Database, ann: User) -> None:
    before = await everything(database)
    refused = await refusal_of(requested(database, ann, (ann.id,), CodePurpose.EMAIL))
    assert refused.problems[0].field == "input.referenceId"
    assert (await refusal_of(confirmed(database, ann, "000000"))).code is RefusalCode.OTP_EXPIRED
    assert await everything(database) == before


async def test_nobody_confirms_for_somebody_else(database: Database, ann: User) -> None:
    bob = await new_user(database)
    await named(database, ann, NEW)
    code = await code_for(database, ann)
    before = await everything(database)
    for attempt in (
        confirmed(database, bob, code, ann.id),
        requested(database, bob, (ann.id,), CodePurpose.EMAIL),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.USER_NOT_FOUND
    assert (await refusal_of(confirmed(database, bob, code))).code is RefusalCode.OTP_EXPIRED
    assert await everything(database) == before


async def test_another_address_so_soon_is_refused_and_the_rest_of_the_change_with_it(
    database: Database, ann: User
) -> None:
    await named(database, ann, NEW, codes=PAUSING)
    before = await everything(database)
    attempt = transact(
        database,
        update_user,
        caller_id=ann.id,
        any_user=False,
        user_id=ann.id,
        changes={"email": "other@example.com", "full_name": "Ann"},
        codes=PAUSING,
    )
    assert (await refusal_of(attempt)).code is RefusalCode.BUSY
    assert await everything(database) == before


async def test_a_word_for_a_new_password_that_went_to_the_old_address_is_void(
    database: Database, ann: User
) -> None:
    await named(database, ann, NEW)
    code = await code_for(database, ann)
    await transact(database, request_password_reset, codes=CODES, email="ann@example.com")
    await confirmed(database, ann, code)
    (row,) = await database.rows("SELECT digest FROM codes WHERE purpose = 'PASSWORD'")
    assert row["digest"] is None
