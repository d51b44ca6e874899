"""The codes of a transfer: whose they are, how often they may be wrong, and what that brings about."""

import asyncio
from datetime import timedelta

import pytest

from database import Database
from jobs.check_invariants import violations
from models.codes import CodePurpose
from models.tickets import Ticket
from models.users import User
from steps.idempotency import Key
from steps.refusals import RefusalCode
from tests.codes import code_sent_to, other_than, requested, verified
from tests.transfers import (
    bought,
    cancelled,
    codes_of,
    confirmed,
    initiated,
    owner_of,
    transfer_of,
)
from tests.world import (
    everything,
    new_user,
    refusal_of,
)

TRANSFER = CodePurpose.TRANSFER


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=1_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=2_000)


@pytest.fixture
async def ticket(database: Database, alice: User) -> Ticket:
    return await bought(database, alice)


async def test_verify_otp_is_the_callers_own_confirmation(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    reference, codes = (transfer.event_id, transfer.id), await codes_of(database, alice, bob)
    first = await verified(database, alice, reference, codes["seller_otp"], TRANSFER)
    assert first.verified
    assert (await transfer_of(database, transfer)).seller_confirmed
    after = await everything(database)
    assert await verified(database, alice, reference, codes["seller_otp"], TRANSFER) == first
    assert await everything(database) == after
    await verified(database, bob, reference, codes["buyer_otp"], TRANSFER)
    assert (await transfer_of(database, transfer)).status == "COMPLETED"
    assert await violations(database) == []


async def test_strangers_neither_confirm_nor_get_codes(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer, carol = await initiated(database, alice, ticket, bob), await new_user(database)
    reference, codes = (transfer.event_id, transfer.id), await codes_of(database, alice, bob)
    before = await everything(database)
    for attempt in (
        confirmed(database, carol, transfer, **codes),
        cancelled(database, carol, transfer),
        requested(database, carol, reference, TRANSFER),
        verified(database, carol, reference, codes["buyer_otp"], TRANSFER),
        requested(database, alice, (transfer.event_id, alice.id), TRANSFER),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.TRANSFER_NOT_FOUND
    assert await everything(database) == before


async def test_a_code_of_ones_own_has_to_be_there(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    before = await everything(database)
    for caller, said, field in (
        (alice, {"buyer_otp": codes["buyer_otp"]}, "input.sellerOtp"),
        (bob, {"seller_otp": codes["seller_otp"]}, "input.buyerOtp"),
        (alice, {}, "input.sellerOtp"),
    ):
        refused = await refusal_of(confirmed(database, caller, transfer, **said))
        assert (refused.code, refused.problems[0].field) == (RefusalCode.VALIDATION_ERROR, field)
    assert await everything(database) == before


async def test_a_wrong_code_beside_a_right_one_is_counted_and_confirms_nothing(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    wrong = codes | {"buyer_otp": other_than(codes["buyer_otp"])}
    key = Key.of(alice.id, "confirmTransfer", "once", {})
    for left in (2, 1):
        refused = await refusal_of(confirmed(database, alice, transfer, **wrong, key=key))
        assert (refused.code, refused.attempts_left) == (RefusalCode.OTP_INVALID, left)
        assert not (await transfer_of(database, transfer)).seller_confirmed
    rows = await database.rows("SELECT user_id, tries, verified_at FROM codes ORDER BY tries")
    assert [tuple(row) for row in rows] == [(alice.id, 0, None), (bob.id, 2, None)]
    assert await database.rows("SELECT 1 FROM idempotency_keys") == []
    assert (await confirmed(database, alice, transfer, **codes, key=key)).status == "COMPLETED"
    after = await everything(database)
    assert (await confirmed(database, alice, transfer, **codes, key=key)).status == "COMPLETED"
    assert await everything(database) == after


@pytest.mark.parametrize("way", ["confirmTransfer", "verifyOtp"])
async def test_the_third_wrong_code_fails_the_transfer(
    database: Database, alice: User, bob: User, ticket: Ticket, way: str
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    reference, codes = (transfer.event_id, transfer.id), await codes_of(database, alice, bob)
    wrong = other_than(codes["buyer_otp"])

    async def attempt(code: str) -> object:
        if way == "verifyOtp":
            return await verified(database, bob, reference, code, TRANSFER)
        return await confirmed(database, bob, transfer, buyer_otp=code)

    for left in (2, 1, None):
        assert (await transfer_of(database, transfer)).status == "PENDING_OTP"
        assert (await refusal_of(attempt(wrong))).attempts_left == left
        if left == 2:  # a new code voids the old one, but not the count
            await requested(database, bob, reference, TRANSFER)
            codes = await codes_of(database, alice, bob)
            wrong = other_than(codes["buyer_otp"])
    assert (await transfer_of(database, transfer)).status == "FAILED"
    after = await everything(database)
    assert (await refusal_of(attempt(codes["buyer_otp"]))).code is RefusalCode.OTP_MAX_RETRIES
    refused = await refusal_of(confirmed(database, alice, transfer, seller_otp=codes["seller_otp"]))
    assert refused.code is RefusalCode.TRANSFER_INVALID_STATE
    assert await everything(database) == after
    assert await owner_of(database, ticket) == alice.id
    assert await violations(database) == []
    assert (await initiated(database, alice, ticket, bob)).status == "PENDING_OTP"


async def test_a_hundred_wrong_codes_at_once_are_a_hundred_tries_by_either_way(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    reference, wrong = (transfer.event_id, transfer.id), other_than(await code_sent_to(database, bob))
    ways = (
        lambda: confirmed(database, bob, transfer, buyer_otp=wrong),
        lambda: verified(database, bob, reference, wrong, TRANSFER),
    )
    refusals = await asyncio.gather(*(refusal_of(ways[n % 2]()) for n in range(100)))
    codes = sorted(refused.code for refused in refusals)
    assert codes == [RefusalCode.OTP_INVALID] * 2 + [RefusalCode.OTP_MAX_RETRIES] * 98
    assert (await transfer_of(database, transfer)).status == "FAILED"


async def test_a_rollback_gives_no_try_back(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    await refusal_of(confirmed(database, bob, transfer, buyer_otp=other_than(codes["buyer_otp"])))
    await bought(database, bob)  # for 10.00, so that 10.00 are left of the 15.00
    refused = await refusal_of(confirmed(database, bob, transfer, **codes))
    assert refused.code is RefusalCode.INSUFFICIENT_CREDITS
    refused = await refusal_of(confirmed(database, bob, transfer, buyer_otp=other_than(codes["buyer_otp"])))
    assert refused.attempts_left == 1


async def test_a_code_counts_only_in_its_five_minutes_and_a_new_one_can_be_had(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    reference, codes = (transfer.event_id, transfer.id), await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await tx.rows("UPDATE codes SET expires_at = expires_at - $1::interval", timedelta(minutes=5))
    before = await everything(database)
    refused = await refusal_of(confirmed(database, bob, transfer, **codes))
    assert refused.code is RefusalCode.OTP_EXPIRED
    assert await everything(database) == before
    for person in (alice, bob):
        await requested(database, person, reference, TRANSFER)
    codes = await codes_of(database, alice, bob)
    assert (await confirmed(database, bob, transfer, **codes)).status == "COMPLETED"
