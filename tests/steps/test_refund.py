"""Paying back: money to where it came from, tickets dead, seats free, all at once and once."""

import asyncio
from uuid import UUID

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.columns import new_id
from models.orders import Order
from models.tickets import ticket_of
from models.users import User
from steps.cancel import cancel_order
from steps.confirm import confirm_order
from steps.idempotency import Key
from steps.pay import pay_order
from steps.refund import refund_order
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.doors import checked_in, ticket_at
from tests.transfers import transferred
from tests.world import (
    CURRENCY,
    everything,
    hold,
    let_lapse,
    letters,
    new_event,
    new_user,
    pay,
    priced,
    refund,
    refusal_of,
    until_somebody_waits,
)


async def balance(database: Database, user: User) -> int:
    (row,) = await database.rows("SELECT balance_minor FROM accounts WHERE user_id = $1", user.id)
    found: int = row["balance_minor"]
    return found


async def bought(database: Database, *indexes: int) -> tuple[User, Order]:
    """Somebody with 50.00 who paid for these seats of a new event in 30 days."""
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    return alice, await pay(database, alice, await hold(database, alice, event, list(indexes)))


def event_of(order: Order) -> Event:
    return Event(id=order.event_id)


async def at_the_counter(database: Database, order: Order, cashier_id: UUID) -> Order:
    return await transact(
        database, confirm_order, cashier_id=cashier_id, event_id=order.event_id, order_id=order.id
    )


async def change(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.rows(statement)


def refunding(order: Order) -> dict[str, object]:
    return {
        "caller_id": order.buyer_id,
        "any_buyer": False,
        "event_id": order.event_id,
        "order_id": order.id,
        "hours_before": 24,
    }


async def test_the_money_is_back_and_the_seats_are_free(database: Database) -> None:
    alice, order = await bought(database, 0, 1)
    refunded = await refund(database, alice, order)
    assert (refunded.status, refunded.refunded_minor) == ("REFUNDED", 2_000)
    assert await balance(database, alice) == 5_000
    tickets = await database.rows("SELECT status, version FROM tickets")
    assert [tuple(ticket) for ticket in tickets] == [("REFUNDED", 2)] * 2
    log = await database.rows("SELECT index, status FROM seat_changes WHERE version = 3 ORDER BY index")
    assert [tuple(row) for row in log] == [(0, "A"), (1, "A")]
    (movement,) = await database.rows("SELECT * FROM movements WHERE kind = 'REFUND'")
    assert (movement["debit"], movement["credit"], movement["amount_minor"]) == ("REVENUE", "CREDITS", 2_000)
    assert (movement["event_id"], movement["reference"]) == (order.event_id, order.id)
    assert movement["actor_id"] == alice.id
    assert await violations(database) == []


async def test_a_seat_that_was_paid_back_is_sold_again(database: Database) -> None:
    alice, order = await bought(database, 0)
    await refund(database, alice, order)
    bob = await new_user(database, credits_minor=1_000)
    bobs = await pay(database, bob, await hold(database, bob, event_of(order), [0]))
    before = await everything(database)
    assert (await refusal_of(refund(database, alice, order))).code is RefusalCode.ORDER_INVALID_STATE
    assert await everything(database) == before
    await refund(database, bob, bobs)
    assert (await balance(database, alice), await balance(database, bob)) == (5_000, 1_000)
    assert await violations(database) == []


async def test_what_was_used_or_given_away_stays_and_so_does_the_order(database: Database) -> None:
    alice, order = await bought(database, 0, 1, 2)
    bob = await new_user(database)
    await checked_in(database, await ticket_at(database, order.event_id))
    given = ticket_of(await ticket_at(database, order.event_id, 1))
    await transferred(database, alice, given, bob, price_minor=0)
    part = await refund(database, alice, order)
    assert (part.status, part.refunded_minor) == ("CONFIRMED", 1_000)
    assert await balance(database, alice) == 3_000
    assert await letters(database, event_of(order)) == "CSAAAAAAAA"
    assert await violations(database) == []
    before = await everything(database)
    assert (await refusal_of(refund(database, alice, order))).code is RefusalCode.REFUND_NOT_ALLOWED
    assert (await refusal_of(refund(database, bob, order))).code is RefusalCode.ORDER_NOT_FOUND
    assert await everything(database) == before


async def test_a_ticket_that_came_back_is_paid_back_at_the_price_that_the_house_got(
    database: Database,
) -> None:
    alice, order = await bought(database, 0)
    await change(database, "UPDATE tickets SET price_minor = 9000")
    assert (await refund(database, alice, order)).refunded_minor == 1_000
    assert await balance(database, alice) == 5_000


@pytest.mark.parametrize(("starts_in", "any_buyer"), [("23 hours", False), ("0 hours", True)])
async def test_it_can_be_too_late(database: Database, starts_in: str, any_buyer: bool) -> None:
    alice, order = await bought(database, 0)
    await change(database, f"UPDATE events SET starts_at = statement_timestamp() + interval '{starts_in}'")
    before = await everything(database)
    refused = await refusal_of(refund(database, alice, order, any_buyer=any_buyer))
    assert refused.code is RefusalCode.REFUND_NOT_ALLOWED
    assert await everything(database) == before


async def test_who_runs_events_refunds_until_it_begins(database: Database) -> None:
    alice, order = await bought(database, 0)
    operator = await new_user(database)
    await change(database, "UPDATE events SET starts_at = statement_timestamp() + interval '1 minute'")
    assert (await refund(database, operator, order, any_buyer=True)).status == "REFUNDED"
    assert await balance(database, alice) == 5_000


async def test_only_ones_own_paid_order_is_paid_back(database: Database) -> None:
    alice, paid = await bought(database, 0)
    event, bob = await new_event(database), await new_user(database)
    held, lapsed = await hold(database, alice, event, [0]), await hold(database, alice, event, [1])
    await let_lapse(database, lapsed)
    before = await everything(database)
    for caller, order, code in (
        (bob, paid, RefusalCode.ORDER_NOT_FOUND),
        (alice, Order(event_id=event.id, id=new_id()), RefusalCode.ORDER_NOT_FOUND),
        (alice, held, RefusalCode.ORDER_INVALID_STATE),
        (alice, lapsed, RefusalCode.ORDER_INVALID_STATE),
    ):
        assert (await refusal_of(refund(database, caller, order))).code is code
    assert await everything(database) == before


async def test_what_a_counter_took_is_paid_back_there(database: Database) -> None:
    event, alice, cashier = await new_event(database), await new_user(database), await new_user(database)
    order = await at_the_counter(database, await hold(database, alice, event, [0]), cashier.id)
    before = await everything(database)
    assert (await refusal_of(refund(database, alice, order))).code is RefusalCode.REFUND_NOT_ALLOWED
    assert await everything(database) == before
    refunded = await refund(database, cashier, order, any_buyer=True)
    assert (refunded.status, refunded.refunded_minor) == ("REFUNDED", 1_000)
    assert not await database.rows("SELECT 1 FROM movements")
    assert await violations(database) == []


async def test_what_was_free_is_given_back_without_a_movement(database: Database) -> None:
    event, alice = await new_event(database, await priced(price="0")), await new_user(database)
    order = await at_the_counter(database, await hold(database, alice, event, [0]), alice.id)
    assert (await refund(database, alice, order)).status == "REFUNDED"
    paid = await pay(database, alice, await hold(database, alice, event, [0]))
    assert (await refund(database, alice, paid)).status == "REFUNDED"
    assert not await database.rows("SELECT 1 FROM movements")
    assert await violations(database) == []


async def test_a_second_refund_waits_for_the_first_and_pays_nothing(database: Database) -> None:
    alice, order = await bought(database, 0, 1)
    async with database.transaction() as first:
        await refund_order(first, **refunding(order))  # type: ignore[arg-type]
        second = asyncio.create_task(refund(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.ORDER_INVALID_STATE
    assert await balance(database, alice) == 5_000
    assert await violations(database) == []


async def test_refunds_at_once_under_one_key_pay_once(database: Database) -> None:
    alice, order = await bought(database, 0, 1)
    key = Key.of(alice.id, "refundOrder", "k", {"order": order.id})
    done = await asyncio.gather(*(refund(database, alice, order, key=key) for _ in range(5)))
    assert {(one.status, one.refunded_minor) for one in done} == {("REFUNDED", 2_000)}
    assert await balance(database, alice) == 5_000
    assert await violations(database) == []


async def test_a_refund_waits_for_pay_and_pays_back(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await pay_order(
            first,
            buyer_id=alice.id,
            event_id=event.id,
            order_id=order.id,
            credits_currency=CURRENCY,
        )
        refunded = asyncio.create_task(refund(database, alice, order))
        await until_somebody_waits(database)
    assert (await refunded).status == "REFUNDED"
    assert await balance(database, alice) == 5_000


async def test_a_refund_waits_for_cancel_and_finds_nothing_paid(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as first:
        await cancel_order(first, caller_id=alice.id, any_buyer=False, event_id=event.id, order_id=order.id)
        refunding = asyncio.create_task(refund(database, alice, order))
        await until_somebody_waits(database)
    assert (await refusal_of(refunding)).code is RefusalCode.ORDER_INVALID_STATE
    assert await letters(database, event) == "A" * 10


async def test_a_ticket_that_is_given_away_while_a_refund_waits_stays(database: Database) -> None:
    alice, order = await bought(database, 0, 1)
    bob = await new_user(database)
    async with database.transaction() as giving:
        await giving.rows("UPDATE tickets SET owner_id = $1 WHERE index = 0", bob.id)
        refunding = asyncio.create_task(refund(database, alice, order))
        await until_somebody_waits(database)
    assert (await refunding).status == "CONFIRMED"
    assert await balance(database, alice) == 4_000
    tickets = await database.rows("SELECT owner_id, status FROM tickets ORDER BY index")
    assert [tuple(ticket) for ticket in tickets] == [(bob.id, "ACTIVE"), (alice.id, "REFUNDED")]


async def test_it_may_be_too_late_once_a_refund_has_waited(database: Database) -> None:
    alice, order = await bought(database, 0)
    async with database.transaction() as rival:
        await rival.rows("SELECT 1 FROM orders WHERE id = $1 FOR NO KEY UPDATE", order.id)
        refunding = asyncio.create_task(refund(database, alice, order))
        await until_somebody_waits(database)
        await rival.rows("UPDATE events SET starts_at = statement_timestamp()")
    assert (await refusal_of(refunding)).code is RefusalCode.REFUND_NOT_ALLOWED
    assert await balance(database, alice) == 4_000
