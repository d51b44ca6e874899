"""Asking for a code: it goes to its person, voids the last one, and comes neither too soon nor too often."""

from datetime import timedelta

import pytest

from auth.codes import Codes
from database import Database
from models.codes import CodePurpose
from models.orders import Order
from models.users import User
from settings import Mode
from steps import codes as codes_module
from steps.cancel import cancel_order
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.codes import (
    LETTERS,
    PAUSING,
    SETTINGS,
    code_sent_to,
    flagged_user,
    order_reference,
    requested,
    verified,
    waiting_messages,
)
from tests.world import (
    everything,
    hold,
    let_lapse,
    new_event,
    new_user,
    pay,
    refusal_of,
)


@pytest.fixture
async def alice(database: Database) -> User:
    return await flagged_user(database, await new_user(database, credits_minor=9_000))


@pytest.fixture
async def order(database: Database, alice: User) -> Order:
    return await hold(database, alice, await new_event(database), [0, 1])


async def shift(database: Database, column: str, by: timedelta) -> None:
    async with database.transaction() as tx:
        await tx.rows(f"UPDATE codes SET {column} = {column} + $1::interval", by)


async def test_a_code_is_sent_to_its_person_and_kept_nowhere_in_clear(
    database: Database, alice: User, order: Order
) -> None:
    otp = await requested(database, alice, order_reference(order))
    assert (otp.verified, otp.attempts_left) == (False, 3)
    assert otp.sent_to == f"{alice.email[0]}***@example.com"
    (message,) = await waiting_messages(database, alice.id)
    code = await code_sent_to(database, alice)
    assert len(code) == 6
    assert code.isdecimal()
    assert message.to.at == alice.email
    assert code not in LETTERS.text_of(message).subject
    kept = await database.rows(
        """SELECT c.digest, d.sealed FROM codes c
           JOIN deliveries d ON d.id = c.delivery_id AND d.expires_at BETWEEN c.sent_at AND c.expires_at"""
    )
    assert len(kept) == 1
    assert not any(code.encode() in column for column in kept[0])
    lifetime = await database.rows("SELECT expires_at - sent_at AS seconds FROM codes")
    assert lifetime[0]["seconds"] == timedelta(seconds=SETTINGS.code_seconds)


async def test_who_gave_a_phone_number_gets_an_sms(database: Database, alice: User, order: Order) -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET phone = '+4930123456'")
    assert (await requested(database, alice, order_reference(order))).sent_to == "+49***56"
    (message,) = await waiting_messages(database, alice.id)
    assert (message.to.kind, message.to.at) == ("SMS", "+4930123456")


async def test_in_production_where_nobody_sends_sms_it_goes_by_mail(
    database: Database, alice: User, order: Order
) -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET phone = '+4930123456'")
    codes = Codes(SETTINGS.model_copy(update={"mode": Mode.PRODUCTION}))
    assert "@" in (await requested(database, alice, order_reference(order), codes=codes)).sent_to


async def test_a_new_code_voids_the_old_but_not_the_count(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    old = await code_sent_to(database, alice)
    await refusal_of(verified(database, alice, order_reference(order), "no"))
    assert (await requested(database, alice, order_reference(order))).attempts_left == 2
    (message,) = await waiting_messages(database, alice.id)  # the old one is not sent any more
    new = await code_sent_to(database, alice)
    assert message.facts["code"] == new
    if old != new:
        refused = await refusal_of(verified(database, alice, order_reference(order), old))
        assert refused.attempts_left == 1
    assert (await verified(database, alice, order_reference(order), new)).verified


async def test_a_new_code_undoes_what_the_old_one_proved(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order))
    await verified(database, alice, order_reference(order), await code_sent_to(database, alice))
    await requested(database, alice, order_reference(order))
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.OTP_REQUIRED


async def test_another_code_so_soon_is_refused_with_when_it_makes_sense(
    database: Database, alice: User, order: Order
) -> None:
    await requested(database, alice, order_reference(order), codes=PAUSING)
    before = await everything(database)
    refused = await refusal_of(requested(database, alice, order_reference(order), codes=PAUSING))
    assert refused.code is RefusalCode.BUSY
    assert refused.retry_after_seconds in range(1, 31)
    assert await everything(database) == before
    await shift(database, "sent_at", -timedelta(seconds=30))
    await requested(database, alice, order_reference(order), codes=PAUSING)


async def test_codes_for_too_many_things_within_an_hour_are_refused(
    database: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes_module, "OBJECTS_PER_HOUR_MAX", 2)
    event = await new_event(database)
    orders = [await hold(database, alice, event, [index]) for index in range(3)]
    for order in orders[:2]:
        await requested(database, alice, order_reference(order))
    await requested(database, alice, order_reference(orders[0]))
    before = await everything(database)
    refused = await refusal_of(requested(database, alice, order_reference(orders[2])))
    assert refused.code is RefusalCode.BUSY
    assert refused.retry_after_seconds in range(3_500, 3_601)
    assert await everything(database) == before
    await shift(database, "sent_at", -timedelta(hours=1))
    await requested(database, alice, order_reference(orders[2]))


async def test_what_needs_no_code_any_more_is_refused(database: Database, alice: User) -> None:
    event = await new_event(database)
    lapsed, cancelled, paid = [await hold(database, alice, event, [index]) for index in range(3)]
    for order in (lapsed, cancelled, paid):
        await requested(database, alice, order_reference(order))
    await verified(database, alice, order_reference(paid), await code_sent_to(database, alice))
    await pay(database, alice, paid)
    await let_lapse(database, lapsed)
    await transact(
        database,
        cancel_order,
        caller_id=alice.id,
        any_buyer=False,
        event_id=event.id,
        order_id=cancelled.id,
    )
    before = await everything(database)
    for order, code in (
        (lapsed, RefusalCode.HOLD_EXPIRED),
        (cancelled, RefusalCode.ORDER_INVALID_STATE),
        (paid, RefusalCode.ORDER_ALREADY_CONFIRMED),
    ):
        assert (await refusal_of(requested(database, alice, order_reference(order)))).code is code
        assert (await refusal_of(verified(database, alice, order_reference(order), "no"))).code is code
    assert await everything(database) == before


async def test_an_order_is_no_transfer_to_be_confirmed(database: Database, alice: User, order: Order) -> None:
    before = await everything(database)
    for attempt in (
        requested(database, alice, order_reference(order), CodePurpose.TRANSFER),
        verified(database, alice, order_reference(order), "000000", CodePurpose.TRANSFER),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.TRANSFER_NOT_FOUND
    assert await everything(database) == before
