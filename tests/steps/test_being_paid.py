"""What a buyer may do with an order that is being paid by card, and who may pay one so."""

import asyncio

import pytest

from database import Database
from jobs.check_invariants import violations
from models.orders import Order
from payments.simulated import SimulatedProvider
from steps.add_items import add_order_items
from steps.cancel import cancel_order
from steps.confirm import confirm_order
from steps.delete_order import delete_order
from steps.idempotency import Key
from steps.pay import pay_order
from steps.pay_by_card import open_card_payment
from steps.refusals import RefusalCode, Refused
from steps.remove_items import remove_order_items
from steps.reserve import ChosenSeats
from steps.transact import transact
from tests.cards import (
    TERMS,
    begun_for,
    books,
    bought_by_card,
    cancelled,
    charged,
    let_card_lapse,
    opened_for,
    order_of,
    repaired,
    tickets_of,
)
from tests.codes import code_sent_to, order_reference, requested, verified
from tests.paying import settled, statuses
from tests.world import (
    CURRENCY,
    LIMITS,
    everything,
    hold,
    let_lapse,
    letters,
    new_event,
    new_user,
    pay,
    priced,
    refusal_of,
    until_somebody_waits,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


async def changed(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.rows(statement)


async def in_hand(database: Database, provider: SimulatedProvider) -> Order:
    """An order of two seats whose buyer has credits, and is paying by card."""
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0, 1])
    await begun_for(database, order, provider)
    return order


def ways_to_change(order: Order) -> dict[str, tuple[object, dict[str, object]]]:
    name: dict[str, object] = {"event_id": order.event_id, "order_id": order.id}
    own = name | {"caller_id": order.buyer_id, "any_buyer": False}
    return {
        "pay": (pay_order, name | {"buyer_id": order.buyer_id, "credits_currency": CURRENCY}),
        "confirm": (confirm_order, name | {"cashier_id": order.buyer_id}),
        "add": (add_order_items, own | {"selection": ChosenSeats((2,)), "limits": LIMITS}),
        "remove": (remove_order_items, own | {"indexes": [1]}),
    }


@pytest.mark.parametrize("way", ["pay", "confirm", "add", "remove"])
async def test_what_is_being_paid_by_card_is_changed_in_no_other_way(
    database: Database, provider: SimulatedProvider, way: str
) -> None:
    order = await in_hand(database, provider)
    step, arguments = ways_to_change(order)[way]
    before = await everything(database)
    refused = await refusal_of(transact(database, step, **arguments))  # type: ignore[arg-type]
    assert (refused.code, "card" in str(refused)) == (RefusalCode.ORDER_INVALID_STATE, True)
    assert await everything(database) == before
    await let_card_lapse(database, order)
    before = await everything(database)
    lapsed = await refusal_of(transact(database, step, **arguments))  # type: ignore[arg-type]
    assert lapsed.code is RefusalCode.HOLD_EXPIRED
    assert await everything(database) == before


async def test_cancelling_takes_the_tickets_back_and_sends_the_money_back(
    database: Database, provider: SimulatedProvider
) -> None:
    order = await in_hand(database, provider)
    assert (await cancelled(database, order)).status == "CANCELLED"
    assert await tickets_of(database, order) == "CC"
    assert await violations(database) == []
    (payment,) = await database.rows("SELECT * FROM payments")
    paid = await provider.play(payment["provider_reference"], "succeeded")
    assert await settled(database, paid)
    await repaired(database, provider)
    assert (await order_of(database, order)).status == "CANCELLED"
    assert await books(database) == {"CORRECTIONS": -9_000, "CREDITS": 9_000}
    assert await violations(database) == []


async def test_the_payment_of_a_cancelled_order_is_cancelled_at_the_provider_at_once(
    database: Database, provider: SimulatedProvider
) -> None:
    order = await in_hand(database, provider)
    await cancelled(database, order)
    await repaired(database, provider)
    (known,) = await database.rows("SELECT status FROM simulated_payments")
    assert (known["status"], await statuses(database)) == ("canceled", ["FAILED"])


async def test_a_deleted_order_gets_its_money_back(database: Database, provider: SimulatedProvider) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    paid = await charged(database, order, provider)
    await transact(database, delete_order, event_id=event.id, order_id=order.id)
    assert await settled(database, paid)
    await repaired(database, provider)
    assert (await books(database), await letters(database, event)) == ({}, "A" * 10)
    assert not await database.rows("SELECT 1 FROM tickets")
    assert await violations(database) == []


async def test_only_its_buyer_pays_what_is_held_and_costs_something(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    free = await new_event(database, await priced(price="0"))
    order, lapsed = await hold(database, alice, event, [0]), await hold(database, alice, event, [1])
    gift, gone = await hold(database, alice, free, [0]), await hold(database, alice, event, [2])
    over = await hold(database, alice, await new_event(database), [0])
    await let_lapse(database, lapsed)
    await cancelled(database, gone)
    await changed(
        database,
        f"""UPDATE events SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'
            WHERE id = '{over.event_id}'""",
    )
    before = await everything(database)
    for wrong, code in (
        (Order(event_id=event.id, id=order.id, buyer_id=bob.id), RefusalCode.ORDER_NOT_FOUND),
        (Order(event_id=event.id, id=bob.id, buyer_id=bob.id), RefusalCode.ORDER_NOT_FOUND),
        (lapsed, RefusalCode.HOLD_EXPIRED),
        (gift, RefusalCode.PAYMENT_METHOD_NOT_ALLOWED),
        (gone, RefusalCode.ORDER_INVALID_STATE),
        (over, RefusalCode.EVENT_ENDED),
    ):
        assert (await refusal_of(opened_for(database, wrong))).code is code
    assert await everything(database) == before


async def test_what_is_paid_is_not_paid_again(database: Database, provider: SimulatedProvider) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await bought_by_card(database, alice, event, provider, 0)
    before = await everything(database)
    for attempt in (opened_for(database, order), pay(database, alice, order)):
        assert (await refusal_of(attempt)).code is RefusalCode.ORDER_ALREADY_CONFIRMED
    assert await everything(database) == before


async def test_an_order_in_another_currency_is_paid_by_card_alone(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    await changed(database, "UPDATE events SET currency = 'USD'")
    await changed(database, "UPDATE tiers SET currency = 'USD'")
    order = await hold(database, alice, event, [0])
    assert (await refusal_of(pay(database, alice, order))).code is RefusalCode.PAYMENT_METHOD_NOT_ALLOWED
    assert await settled(database, await charged(database, order, provider))
    accounts = await database.rows("SELECT currency, balance_minor FROM accounts ORDER BY currency")
    assert [tuple(account) for account in accounts] == [("EUR", 5_000), ("USD", 0)]
    assert await violations(database) == []


async def test_a_flagged_buyer_needs_a_code_for_a_card_too(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    await changed(database, "UPDATE users SET flagged = true")
    before = await everything(database)
    assert (await refusal_of(opened_for(database, order))).code is RefusalCode.OTP_REQUIRED
    assert await everything(database) == before
    await requested(database, alice, order_reference(order))
    await verified(database, alice, order_reference(order), await code_sent_to(database, alice))
    assert (await opened_for(database, order)).status == "PENDING"


async def test_thirty_twins_and_three_altered_requests_have_one_effect(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order, other = await hold(database, alice, event, [0, 1]), await hold(database, alice, event, [2])
    twins = [
        begun_for(database, order, provider, key=Key.of(alice.id, "pay", "k", {"order": order.id}))
        for _ in range(30)
    ]
    altered = [
        begun_for(database, other, provider, key=Key.of(alice.id, "pay", "k", {"order": other.id, "n": n}))
        for n in range(3)
    ]
    first = await opened_for(database, order, key=Key.of(alice.id, "pay", "k", {"order": order.id}))
    outcomes = await asyncio.gather(*twins, *altered, return_exceptions=True)
    assert {getattr(outcome, "payment_id", None) for outcome in outcomes[:30]} == {first.id}
    refused = [outcome.code for outcome in outcomes[30:] if isinstance(outcome, Refused)]
    assert refused == [RefusalCode.IDEMPOTENCY_MISMATCH] * 3
    assert await statuses(database) == ["PENDING"]
    assert (await tickets_of(database, order), await tickets_of(database, other)) == ("PP", "")
    assert await violations(database) == []


async def test_a_key_answers_with_its_payment_also_when_that_was_settled(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order, key = await hold(database, alice, event, [0]), Key.of(alice.id, "pay", "k", {})
    news = await begun_for(database, order, provider, key=key)
    await settled(database, await provider.play(news.reference, "succeeded"))
    again = await opened_for(database, order, key=key)
    assert (again.id, again.status) == (news.payment_id, "SUCCESS")


async def test_cancel_waits_for_a_payment_that_is_opened_and_ends_it(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await open_card_payment(first, buyer_id=alice.id, event_id=event.id, order_id=order.id, terms=TERMS)
        second = asyncio.create_task(cancelled(database, order))
        await until_somebody_waits(database)
    assert (await second).status == "CANCELLED"
    assert (await tickets_of(database, order), await letters(database, event)) == ("C", "A" * 10)
    assert await violations(database) == []


async def test_paying_by_card_waits_for_cancel_and_finds_the_order_over(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await cancel_order(first, caller_id=alice.id, any_buyer=False, event_id=event.id, order_id=order.id)
        second = asyncio.create_task(opened_for(database, order))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.ORDER_INVALID_STATE
    assert await statuses(database) == []
