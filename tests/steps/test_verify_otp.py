"""Confirming a code: it works once, for one thing, and for nothing after the third wrong try."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from auth.codes import CodeObject, Codes
from database import Database
from models.catalogue import Event
from models.codes import CodePurpose
from models.orders import Order
from models.users import User
from steps.codes import void_codes
from steps.refusals import RefusalCode, Refused
from tests.codes import (
    CODES,
    SETTINGS,
    code_sent_to,
    flagged_user,
    order_reference,
    other_than,
    requested,
    tried,
    verified,
)
from tests.world import (
    everything,
    hold,
    letters,
    new_event,
    new_user,
    refusal_of,
    until_somebody_waits,
)


@pytest.fixture
async def alice(database: Database) -> User:
    return await flagged_user(database, await new_user(database, credits_minor=9_000))


@pytest.fixture
async def order(database: Database, alice: User) -> Order:
    return await hold(database, alice, await new_event(database), [0, 1])


async def code_row(database: Database) -> dict[str, object]:
    (row,) = await database.rows("SELECT * FROM codes")
    return dict(row)


async def seats_of(database: Database, order: Order) -> str:
    return await letters(database, Event(id=order.event_id))


async def shift(database: Database, column: str, by: timedelta) -> None:
    async with database.transaction() as tx:
        await tx.rows(f"UPDATE codes SET {column} = {column} + $1::interval", by)


async def test_the_right_code_works_and_a_repeat_of_it_does_nothing_more(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    first = await verified(database, alice, order_reference(order), code)
    assert (first.verified, first.attempts_left) == (True, 3)
    after = await everything(database)
    assert await verified(database, alice, order_reference(order), code) == first
    assert await everything(database) == after


async def test_two_who_type_the_right_code_at_once(database: Database, alice: User, order: Order) -> None:
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    async with database.transaction() as tx:
        first = await tried(tx, alice, order_reference(order), code)
        second = asyncio.create_task(verified(database, alice, order_reference(order), code))
        await until_somebody_waits(database)
    row = await code_row(database)
    assert await second == first
    assert await code_row(database) == row


async def test_wrong_codes_are_counted_and_the_third_frees_the_seats(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    told: set[UUID] = set()
    database.on_commit = told.update
    for left in (2, 1):
        refused = await refusal_of(verified(database, alice, order_reference(order), other_than(code)))
        assert (refused.code, refused.attempts_left) == (RefusalCode.OTP_INVALID, left)
        assert await seats_of(database, order) == "HHAAAAAAAA"
    refused = await refusal_of(verified(database, alice, order_reference(order), ""))
    assert (refused.code, refused.attempts_left) == (RefusalCode.OTP_MAX_RETRIES, None)
    assert await seats_of(database, order) == "A" * 10
    assert told == {order.event_id}
    ((status,),) = await database.rows("SELECT status FROM orders")
    assert status == "CANCELLED"
    row = await code_row(database)
    assert (row["tries"], row["digest"], row["verified_at"]) == (3, None, None)
    after = await everything(database)
    refused = await refusal_of(verified(database, alice, order_reference(order), code))
    assert refused.code is RefusalCode.OTP_MAX_RETRIES
    refused = await refusal_of(requested(database, alice, order_reference(order)))
    assert refused.code is RefusalCode.ORDER_INVALID_STATE
    assert await everything(database) == after


async def test_after_the_third_wrong_try_one_starts_anew(database: Database, alice: User) -> None:
    event = await new_event(database)
    for _ in range(2):
        order = await hold(database, alice, event, [0])
        assert (await requested(database, alice, order_reference(order))).attempts_left == 3
        for _ in range(3):
            await refusal_of(verified(database, alice, order_reference(order), "no"))
    assert await letters(database, event) == "A" * 10


async def test_a_code_that_is_being_voided_is_waited_for_and_is_good_no_more(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    async with database.transaction() as tx:
        await void_codes(tx, alice.id)
        trying = asyncio.create_task(refusal_of(verified(database, alice, order_reference(order), code)))
        await until_somebody_waits(database)
    assert (await trying).code is RefusalCode.OTP_EXPIRED


async def test_a_hundred_wrong_codes_at_once_are_a_hundred_tries(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    refusals = await asyncio.gather(
        *(refusal_of(verified(database, alice, order_reference(order), other_than(code))) for _ in range(100))
    )
    codes = sorted(refused.code for refused in refusals)
    assert codes == [RefusalCode.OTP_INVALID] * 2 + [RefusalCode.OTP_MAX_RETRIES] * 98
    assert sorted(refused.attempts_left or 0 for refused in refusals)[-2:] == [1, 2]


async def test_a_wrong_try_waits_for_the_other_and_counts_after_it(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    async with database.transaction() as tx:
        await tried(tx, alice, order_reference(order), "no")
        second = asyncio.create_task(refusal_of(verified(database, alice, order_reference(order), "no")))
        await until_somebody_waits(database)
    assert (await second).attempts_left == 1


async def test_a_code_is_good_for_five_minutes(database: Database, alice: User, order: Order) -> None:
    assert (await refusal_of(verified(database, alice, order_reference(order), "000000"))).code is (
        RefusalCode.OTP_EXPIRED
    )
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    await shift(database, "expires_at", -timedelta(seconds=SETTINGS.code_seconds))
    before = await everything(database)
    for given in (code, "no"):
        refused = await refusal_of(verified(database, alice, order_reference(order), given))
        assert refused.code is RefusalCode.OTP_EXPIRED
    assert await everything(database) == before


async def test_somebody_elses_order_is_not_there(database: Database, alice: User, order: Order) -> None:
    bob = await new_user(database)
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    before = await everything(database)
    for attempt in (
        requested(database, bob, order_reference(order)),
        verified(database, bob, order_reference(order), code),
        requested(database, bob, (order.event_id, UUID(int=1))),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.ORDER_NOT_FOUND
    assert await everything(database) == before


async def test_a_code_for_one_order_is_none_for_another(database: Database, alice: User) -> None:
    event = await new_event(database)
    orders = [await hold(database, alice, event, [index]) for index in range(2)]
    await requested(database, alice, order_reference(orders[0]))
    code = await code_sent_to(database, alice)
    await requested(database, alice, order_reference(orders[1]))
    if await code_sent_to(database, alice) != code:
        refused = await refusal_of(verified(database, alice, order_reference(orders[1]), code))
        assert refused.code is RefusalCode.OTP_INVALID
    about = {(row["purpose"], row["object_id"]) for row in await database.rows("SELECT * FROM codes")}
    assert about == {("PURCHASE", each.id) for each in orders}
    digests = {CODES.digest(code, CodeObject(alice.id, p, o.id)) for p in CodePurpose for o in orders}
    assert len(digests) == 8


async def test_a_code_made_before_the_keys_were_swapped_is_still_good(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    code = await code_sent_to(database, alice)
    swapped = SETTINGS.model_copy(
        update={"secret_key": type(SETTINGS.secret_key)("n" * 32), "other_secret_keys": [SETTINGS.secret_key]}
    )
    assert (await verified(database, alice, order_reference(order), code, codes=Codes(swapped))).verified
    strange = SETTINGS.model_copy(update={"secret_key": type(SETTINGS.secret_key)("n" * 32)})
    refused = await refusal_of(verified(database, alice, order_reference(order), code, codes=Codes(strange)))
    assert refused.code is RefusalCode.OTP_INVALID


async def test_a_refusal_that_is_raised_takes_no_try_with_it_and_one_that_is_returned_does(
    database: Database, alice: User, order: Order
) -> None:
    """The count stays because the step returns its refusal: raised, it would be rolled back."""
    await requested(database, alice, order_reference(order))
    async with database.transaction() as tx:
        outcome = await tried(tx, alice, order_reference(order), "no")
    assert isinstance(outcome, Refused)
    assert (await code_row(database))["tries"] == 1
