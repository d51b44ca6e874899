"""Money back to a card, and back at all because an ADMIN says so: never more than was paid."""

import asyncio
from decimal import Decimal

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.columns import new_id
from models.orders import Order
from models.tickets import ticket_of
from models.transactions import Transaction as Entry
from models.transactions import TransactionStatus
from models.users import User
from payments.simulated import SimulatedProvider
from steps.confirm import confirm_order
from steps.idempotency import Key
from steps.refund import refund_order
from steps.refund_transaction import refund_transaction
from steps.refunds import claim_refunds, refund_of, settle_refund
from steps.refusals import RefusalCode
from steps.settle import settle_by_hand
from steps.top_up import note_top_up
from steps.transact import transact
from tests.cards import books, bought_by_card, opened_for, order_of, paid_back, repaired, tickets_of
from tests.doors import ticket_at
from tests.paying import balance, begun, topped_up
from tests.transfers import transferred
from tests.world import (
    everything,
    hold,
    letters,
    new_event,
    new_user,
    pay,
    refund,
    refusal_of,
    until_somebody_waits,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


async def by_card(
    database: Database, provider: SimulatedProvider, *indexes: int
) -> tuple[Event, User, Order]:
    event, alice = await new_event(database), await new_user(database)
    return event, alice, await bought_by_card(database, alice, event, provider, *indexes)


async def corrected(
    database: Database, user: User, id: object, amount: str | None = None, key: Key | None = None
) -> Entry:
    """What an ADMIN pays back of a transaction."""
    return await transact(
        database,
        refund_transaction,
        actor_id=user.id,
        user_id=user.id,
        id=id,
        amount=None if amount is None else Decimal(amount),
        reason="The heating was off",
        key=key,
    )


async def purchase_of(database: Database, order: Order) -> object:
    (row,) = await database.rows(
        "SELECT id FROM movements WHERE kind = 'PURCHASE' AND reference = $1", order.id
    )
    return row["id"]


async def test_what_a_card_paid_goes_back_to_it(database: Database, provider: SimulatedProvider) -> None:
    event, alice, order = await by_card(database, provider, 0, 1)
    refunded = await refund(database, alice, order)
    assert (refunded.status, refunded.refunded_minor) == ("REFUNDED", 2_000)
    assert (await letters(database, event), await tickets_of(database, order)) == ("A" * 10, "RR")
    assert await books(database) == {"ESCROW": 2_000, "PROVIDER": -2_000}
    assert await violations(database) == []
    await repaired(database, provider)
    await repaired(database, provider)
    assert (await paid_back(database), await books(database)) == ([2_000], {})
    assert await balance(database, alice) == 0
    assert await violations(database) == []


async def test_refunds_at_once_send_the_money_back_once(
    database: Database, provider: SimulatedProvider
) -> None:
    _, alice, order = await by_card(database, provider, 0, 1)
    async with database.transaction() as first:
        await refund_order(
            first,
            caller_id=alice.id,
            any_buyer=False,
            event_id=order.event_id,
            order_id=order.id,
            hours_before=24,
        )
        second = asyncio.create_task(refund(database, alice, order))
        third = asyncio.create_task(corrected(database, alice, order.payment_id))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.ORDER_INVALID_STATE
    assert (await refusal_of(third)).code is RefusalCode.TRANSACTION_INVALID_STATE
    await repaired(database, provider)
    assert await paid_back(database) == [2_000]
    assert await violations(database) == []


@pytest.mark.parametrize("card", [True, False])
async def test_an_admin_pays_a_part_back_and_the_tickets_stay(
    database: Database, provider: SimulatedProvider, card: bool
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    if card:
        order = await bought_by_card(database, alice, event, provider, 0, 1)
    else:
        order = await pay(database, alice, await hold(database, alice, event, [0, 1]))
    paid = await purchase_of(database, order)
    entry = await corrected(database, alice, paid, "5.00")
    assert (entry.kind, entry.amount_minor, entry.refund_of) == ("REFUND", 500, paid)
    assert (entry.status, entry.reason) == ("PENDING" if card else "SUCCESS", "The heating was off")
    assert ((await order_of(database, order)).refunded_minor, await tickets_of(database, order)) == (
        500,
        "AA",
    )
    assert await violations(database) == []
    assert (await refund(database, alice, order)).refunded_minor == 2_000
    await repaired(database, provider)
    assert sorted(await paid_back(database)) == ([500, 1_500] if card else [])
    assert await balance(database, alice) == 5_000
    assert await violations(database) == []
    before = await everything(database)
    again = await refusal_of(corrected(database, alice, paid))
    assert again.code is RefusalCode.TRANSACTION_INVALID_STATE
    assert await everything(database) == before


async def test_what_is_left_after_a_refund_is_paid_back_by_an_admin(
    database: Database, provider: SimulatedProvider
) -> None:
    _event, alice, order = await by_card(database, provider, 0, 1)
    given = ticket_of(await ticket_at(database, order.event_id, 1))
    await transferred(database, alice, given, await new_user(database), price_minor=0)
    await refund(database, alice, order)
    before = await everything(database)
    refused = await refusal_of(corrected(database, alice, order.payment_id, "10.01"))
    assert (refused.code, "10.00 EUR" in str(refused)) == (RefusalCode.REFUND_NOT_ALLOWED, True)
    assert await everything(database) == before
    assert (await corrected(database, alice, order.payment_id)).amount_minor == 1_000
    await repaired(database, provider)
    found = await order_of(database, order)
    assert (found.status, found.refunded_minor) == ("CONFIRMED", 2_000)
    assert await books(database) == {}
    assert await violations(database) == []


async def test_corrections_at_once_never_pay_back_more_than_was_paid(
    database: Database, provider: SimulatedProvider
) -> None:
    _, alice, order = await by_card(database, provider, 0, 1)
    attempts = [corrected(database, alice, order.payment_id, "7.00") for _ in range(10)]
    outcomes = await asyncio.gather(*attempts, refund(database, alice, order), return_exceptions=True)
    assert not isinstance(outcomes[-1], BaseException)
    await repaired(database, provider)
    assert sum(await paid_back(database)) == 2_000
    assert (await books(database), (await order_of(database, order)).refunded_minor) == ({}, 2_000)
    assert await violations(database) == []


async def test_one_key_pays_back_once(database: Database, provider: SimulatedProvider) -> None:
    _, alice, order = await by_card(database, provider, 0, 1)
    key = Key.of(alice.id, "refundTransaction", "k", {})
    made = await asyncio.gather(
        *(corrected(database, alice, order.payment_id, "1.00", key) for _ in range(10))
    )
    assert len({entry.id for entry in made}) == 1
    assert (await order_of(database, order)).refunded_minor == 100


async def test_a_top_up_goes_back_to_its_card_and_takes_the_credits(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    await topped_up(database, alice, provider)
    (payment,) = await database.rows("SELECT id FROM payments")
    entry = await corrected(database, alice, payment["id"], "5.00")
    assert (entry.amount_minor, entry.status, await balance(database, alice)) == (-500, "PENDING", 2_000)
    assert await violations(database) == []
    await repaired(database, provider)
    assert (await paid_back(database), await books(database)) == (
        [500],
        {"CREDITS": 2_000, "PROVIDER": -2_000},
    )
    assert await violations(database) == []
    event = await new_event(database)
    await pay(database, alice, await hold(database, alice, event, [0]))
    before = await everything(database)
    refused = await refusal_of(corrected(database, alice, payment["id"]))
    assert (refused.code, refused.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (1_000, "EUR"))
    assert await everything(database) == before


async def test_what_was_not_paid_is_not_paid_back(database: Database, provider: SimulatedProvider) -> None:
    event, alice, order = await by_card(database, provider, 0)
    await corrected(database, alice, order.payment_id, "1.00")
    waiting = await begun(database, alice, provider)
    counter = await hold(database, alice, event, [1])
    await transact(database, confirm_order, cashier_id=alice.id, event_id=event.id, order_id=counter.id)
    rich = await new_user(database, credits_minor=100)
    (gift,) = await database.rows("SELECT id FROM movements WHERE kind = 'ADJUSTMENT'")
    (back,) = await database.rows("SELECT id FROM refunds")
    before = await everything(database)
    for user, id, amount, code in (
        (alice, waiting.payment_id, None, RefusalCode.TRANSACTION_INVALID_STATE),
        (rich, gift["id"], None, RefusalCode.TRANSACTION_INVALID_STATE),
        (alice, back["id"], None, RefusalCode.TRANSACTION_INVALID_STATE),
        (rich, order.payment_id, None, RefusalCode.TRANSACTION_NOT_FOUND),
        (alice, new_id(), None, RefusalCode.TRANSACTION_NOT_FOUND),
        (alice, order.payment_id, "0", RefusalCode.VALIDATION_ERROR),
        (alice, order.payment_id, "-1", RefusalCode.VALIDATION_ERROR),
        (alice, order.payment_id, "0.001", RefusalCode.VALIDATION_ERROR),
        (alice, order.payment_id, "9.01", RefusalCode.REFUND_NOT_ALLOWED),
    ):
        assert (await refusal_of(corrected(database, user, id, amount))).code is code
    assert await everything(database) == before


async def test_a_refund_is_settled_by_hand_as_paid_and_never_as_failed(
    database: Database, provider: SimulatedProvider
) -> None:
    _, alice, order = await by_card(database, provider, 0)
    await refund(database, alice, order)
    (owed,) = await database.rows("SELECT id FROM refunds")
    said = {"actor_id": alice.id, "user_id": alice.id, "id": owed["id"], "reason": "By bank transfer"}
    before = await everything(database)
    failing = transact(database, settle_by_hand, **said, status=TransactionStatus.FAILED)
    assert (await refusal_of(failing)).code is RefusalCode.TRANSACTION_INVALID_STATE
    assert await everything(database) == before
    entry = await transact(database, settle_by_hand, **said, status=TransactionStatus.SUCCESS)
    assert (entry.status, entry.reason) == ("SUCCESS", "By bank transfer")
    await repaired(database, provider)
    assert (await paid_back(database), await books(database)) == ([], {})
    assert await violations(database) == []


async def test_a_refund_that_is_settled_by_hand_while_it_is_sent_is_told_to_the_operators(
    database: Database, provider: SimulatedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    _, alice, order = await by_card(database, provider, 0)
    await refund(database, alice, order)
    (claimed,) = await transact(database, claim_refunds, provider=provider.name, refunds_max=1)
    said = {"actor_id": alice.id, "user_id": alice.id, "id": claimed["id"], "reason": "By bank transfer"}
    await transact(database, settle_by_hand, **said, status=TransactionStatus.SUCCESS)
    news = await provider.refund(refund_of(claimed), claimed["paid_by"])
    about = {"user_id": alice.id, "refund_id": claimed["id"], "news": news}
    assert not await transact(database, settle_refund, **about)
    assert f"refund {claimed['id']} was paid by the provider too" in caplog.text
    assert await violations(database) == []


@pytest.mark.parametrize("status", [TransactionStatus.SUCCESS, TransactionStatus.FAILED])
async def test_a_payment_of_an_order_is_settled_by_hand(
    database: Database, provider: SimulatedProvider, status: TransactionStatus
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    payment = await opened_for(database, order)
    said = {"actor_id": alice.id, "user_id": alice.id, "id": payment.id, "reason": "By letter"}
    await transact(database, settle_by_hand, **said, status=status)
    is_paid = status is TransactionStatus.SUCCESS
    assert (await order_of(database, order)).status == ("CONFIRMED" if is_paid else "PENDING")
    assert await tickets_of(database, order) == ("A" if is_paid else "C")
    assert await violations(database) == []
    noting = transact(database, note_top_up, news=await provider.begin(payment))
    assert (await refusal_of(noting)).code is RefusalCode.PAYMENT_FAILED  # so nobody can pay it once more
    if is_paid:  # the provider never heard of it, so it cannot pay it back
        await refund(database, alice, order)
        await repaired(database, provider)
        (owed,) = await database.rows("SELECT status, ask_at FROM refunds")
        assert (owed["status"], owed["ask_at"]) == ("PENDING", None)
        assert await violations(database) == []
