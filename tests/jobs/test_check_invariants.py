"""`rowlock check` names what is wrong, for every invariant that can be broken behind the steps' backs."""

from collections.abc import Sequence

import pytest

from database import Database
from jobs.check_invariants import INVARIANTS, VIOLATIONS_NAMED_MAX, violations
from jobs.relay import number_changes_once
from live.bus import Bus
from models.catalogue import Event
from models.orders import Order
from payments.simulated import SimulatedProvider
from steps.end_sessions import log_out
from steps.transact import transact
from tests.codes import code_sent_to, order_reference, requested, verified
from tests.paying import topped_up
from tests.people import TOKENS, logged_in, refreshed
from tests.world import hold, new_event, new_hall, new_user, pay, priced, refund

PLANTED: dict[str, Sequence[Sequence[str]]] = {
    "1. A seat has at most one live ticket": (
        (
            "DROP INDEX tickets_one_live_a_seat",
            """INSERT INTO tickets
                   (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
               SELECT event_id, gen_random_uuid(), 'TWICE', order_id, index, owner_id, status, 0, currency
               FROM tickets WHERE index = 0""",
        ),
    ),
    "2. A sold seat has a live ticket": (
        ("DELETE FROM tickets WHERE index = 0",),
        ("UPDATE tickets SET status = 'REFUNDED' WHERE index = 0",),
        (
            "UPDATE tickets SET status = 'CANCELLED' WHERE index = 1",
            "UPDATE seats SET status = 'C' WHERE index = 1 AND status = 'S'",
        ),
    ),
    "2. The seat of a live ticket is sold": (
        ("UPDATE seats SET status = 'A', order_id = NULL WHERE index = 0",),
        ("UPDATE seats SET status = 'C' WHERE index = 0 AND status = 'S'",),
        ("UPDATE tickets SET status = 'CHECKED_IN' WHERE index = 0",),
    ),
    "2. A held or sold seat stands in the order that it names": (
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 2 AND status = 'H'",),
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 0 AND status = 'S'",),
    ),
    "2. A sold seat is of a paid order, and its ticket too": (
        ("UPDATE orders SET status = 'CANCELLED' WHERE status = 'CONFIRMED'",),
        (
            "DELETE FROM tickets WHERE index = 0",
            "INSERT INTO order_items SELECT event_id, (SELECT order_id FROM seats WHERE index = 2 AND "
            "status = 'H'), index, tier, price_minor FROM order_items WHERE index = 0",
            """UPDATE seats SET order_id = (SELECT order_id FROM seats WHERE index = 2 AND status = 'H')
               WHERE index = 0 AND status = 'S'""",
        ),
    ),
    "3. A hold is of a PENDING order with the same time": (
        ("UPDATE seats SET held_until = held_until + interval '1 hour' WHERE index = 2",),
        ("UPDATE orders SET status = 'EXPIRED', held_until = NULL WHERE status = 'PENDING'",),
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 2 AND status = 'H'",),
    ),
    "4. A PENDING order in its time holds every seat of it": (
        ("UPDATE seats SET status = 'A', order_id = NULL, held_until = NULL WHERE index = 3",),
        ("UPDATE seats SET order_id = gen_random_uuid() WHERE index = 3 AND status = 'H'",),
        ("UPDATE seats SET status = 'S', held_until = NULL WHERE index = 3 AND status = 'H'",),
    ),
    "4. A CONFIRMED order has a ticket for every seat of it": (("DELETE FROM tickets WHERE index = 1",),),
    "4. An order's total is the sum of its items": (
        ("UPDATE orders SET total_minor = total_minor + 1",),
        ("DELETE FROM order_items WHERE index = 3",),
    ),
    "5. A seat's versions grow by 1, and the log ends with the seat as it is": (
        ("UPDATE seats SET version = version + 1 WHERE index = 0",),
        ("UPDATE seat_changes SET status = 'B' WHERE index = 0 AND version = 2",),
        (
            "UPDATE seats SET version = version + 1 WHERE index = 0",
            "UPDATE seat_changes SET version = version + 1 WHERE index = 0 AND version = 2",
        ),
    ),
    "5. A seat that changed has a log, until it is trimmed": (
        ("UPDATE streams SET revision = 0", "DELETE FROM seat_changes"),
    ),
    "6. Revisions have no gaps and end with the stream's": (
        ("DELETE FROM seat_changes WHERE revision = 2",),
        ("UPDATE streams SET revision = revision + 1",),
        ("DELETE FROM seat_changes WHERE revision = (SELECT max(revision) FROM seat_changes)",),
    ),
    "8. A balance equals its movements": (
        ("UPDATE accounts SET balance_minor = balance_minor + 1",),
        ("DELETE FROM movements WHERE kind = 'ADJUSTMENT'",),
        ("UPDATE movements SET amount_minor = amount_minor + 1 WHERE kind = 'PURCHASE'",),
        ("INSERT INTO accounts (user_id, currency, balance_minor) VALUES (gen_random_uuid(), 'EUR', 5)",),
    ),
    "8. A movement has one person's credits and one other account, so that all of them sum to zero": (
        (
            "ALTER TABLE movements DROP CONSTRAINT movements_touch_one_person",
            "UPDATE movements SET debit = 'CREDITS' WHERE kind = 'ADJUSTMENT'",
        ),
        (
            "ALTER TABLE movements DROP CONSTRAINT movements_amount_positive",
            "UPDATE movements SET amount_minor = -amount_minor WHERE kind = 'PURCHASE'",
        ),
    ),
    "9. No balance is negative": (
        (
            "ALTER TABLE accounts DROP CONSTRAINT accounts_balance_not_negative",
            "UPDATE accounts SET balance_minor = -1",
        ),
    ),
    "10. A CONFIRMED order was charged once, what it costs, unless a counter took the money": (
        ("UPDATE orders SET cashier_id = buyer_id WHERE status = 'CONFIRMED'",),
        ("DELETE FROM movements WHERE kind = 'PURCHASE'",),
        ("UPDATE movements SET amount_minor = amount_minor - 1 WHERE kind = 'PURCHASE'",),
        (
            "DROP INDEX movements_one_purchase_an_order",
            """INSERT INTO movements
                   (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference)
               SELECT user_id, gen_random_uuid(), debit, credit, amount_minor, currency, kind, event_id,
                   reference FROM movements WHERE kind = 'PURCHASE'""",
        ),
    ),
    "10. What was charged is an order that was confirmed": (
        ("UPDATE movements SET reference = gen_random_uuid() WHERE kind = 'PURCHASE'",),
        ("UPDATE orders SET status = 'CANCELLED' WHERE status = 'CONFIRMED'",),
    ),
    "11. A payment that succeeded was credited once, what it is": (
        ("DELETE FROM movements WHERE kind = 'TOP_UP'",),
        ("UPDATE movements SET amount_minor = amount_minor + 1 WHERE kind = 'TOP_UP'",),
        ("UPDATE movements SET debit = 'CORRECTIONS' WHERE kind = 'TOP_UP'",),
        ("UPDATE payments SET status = 'FAILED', settled_at = NULL",),
    ),
    "11. What a provider brought is a payment": (
        ("DELETE FROM payments",),
        ("UPDATE movements SET id = gen_random_uuid() WHERE kind = 'TOP_UP'",),
    ),
    "14. What an order paid back is the price of its refunded tickets": (
        ("UPDATE orders SET refunded_minor = refunded_minor - 1 WHERE status = 'REFUNDED'",),
        ("UPDATE orders SET refunded_minor = total_minor WHERE status = 'CONFIRMED'",),
        ("DELETE FROM tickets WHERE status = 'REFUNDED' AND index = 4",),
    ),
    "14. What an order paid back went to the credits that paid it, unless a counter took the money": (
        ("DELETE FROM movements WHERE kind = 'REFUND'",),
        (
            """INSERT INTO movements
                   (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference)
               SELECT user_id, gen_random_uuid(), debit, credit, amount_minor, currency, kind, event_id,
                   reference FROM movements WHERE kind = 'REFUND'""",
        ),
        ("UPDATE orders SET cashier_id = buyer_id WHERE status = 'REFUNDED'",),
    ),
    "14. What went back was paid for an order": (
        ("UPDATE movements SET reference = gen_random_uuid() WHERE kind = 'REFUND'",),
    ),
    "14. A REFUNDED order has no live ticket": (
        ("UPDATE tickets SET status = 'ACTIVE' WHERE status = 'REFUNDED' AND index = 4",),
        ("UPDATE orders SET status = 'REFUNDED' WHERE status = 'CONFIRMED'",),
    ),
    "16. No two sessions have the same refresh token": (
        ("UPDATE sessions SET refresh_hash = 'same'",),
        (
            """UPDATE sessions s SET previous_hash = (
                   SELECT refresh_hash FROM sessions o WHERE o.id <> s.id LIMIT 1)""",
        ),
    ),
    "17. A code is good for nothing after the third wrong try": (
        (
            "ALTER TABLE codes DROP CONSTRAINT codes_void_after_the_last_try",
            "UPDATE codes SET tries = 3",
        ),
    ),
    "17. After the third wrong try its order is neither held nor paid": (
        ("UPDATE codes SET tries = 3, digest = NULL, verified_at = NULL WHERE verified_at IS NOT NULL",),
        ("UPDATE codes SET tries = 3, digest = NULL WHERE verified_at IS NULL",),
    ),
    "17. A code was verified in its time": (
        ("UPDATE codes SET verified_at = sent_at - interval '1 second' WHERE verified_at IS NOT NULL",),
        (
            "ALTER TABLE codes DROP CONSTRAINT codes_verified_in_time",
            "UPDATE codes SET verified_at = expires_at + interval '1 second' WHERE verified_at IS NULL",
        ),
    ),
    "17. What was sent, or is not worth sending any more, is erased": (
        (
            "ALTER TABLE deliveries DROP CONSTRAINT deliveries_sealed_while_pending",
            "UPDATE deliveries SET state = 'SENT'",
        ),
    ),
    "18. An ended session was not used any more": (
        (
            "ALTER TABLE sessions DROP CONSTRAINT sessions_not_used_after_the_end",
            "UPDATE sessions SET last_used_at = now() + interval '1 hour' WHERE ended_at IS NOT NULL",
        ),
    ),
    "18. An open session is of a person who may log in": (
        ("UPDATE users SET active = false",),
        ("DELETE FROM users",),
    ),
    "19. An event has the seats that its tiers and its own number say, dense from 0": (
        ("UPDATE events SET total_seats = total_seats + 1",),
        ("UPDATE tiers SET capacity = capacity + 1",),
        ("UPDATE seats SET index = index + 1 WHERE index = 9",),
    ),
    "20. Two published events never share a hall at the same time": (
        (
            "ALTER TABLE events DROP CONSTRAINT events_hall_free",
            """UPDATE events SET hall_id = (SELECT min(hall_id::text)::uuid FROM events),
                   starts_at = now() + interval '1 day', ends_at = now() + interval '2 days'""",
        ),
    ),
}
EACH = [
    pytest.param(invariant, statements, id=f"{invariant} ({number})")
    for invariant, ways in PLANTED.items()
    for number, statements in enumerate(ways)
]


class Planted(Exception):
    """Ends the transaction that a violation was planted in."""


async def world(database: Database) -> tuple[Event, Order]:
    """Two paid seats, two held ones, two that were paid back, an open and an ended session, a top-up, and a
    second event.

    There is a code for each order, of which that of the paid one was verified.
    """
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    paid, held = await hold(database, alice, event, [0, 1]), await hold(database, alice, event, [2, 3])
    await requested(database, alice, order_reference(paid))
    await verified(database, alice, order_reference(paid), await code_sent_to(database, alice))
    await requested(database, alice, order_reference(held))
    await pay(database, alice, paid)
    await refund(database, alice, await pay(database, alice, await hold(database, alice, event, [4, 5])))
    await topped_up(database, alice, SimulatedProvider(database, "secret"))
    for _ in range(2):
        session = await logged_in(database, alice)
        for _ in range(2):
            await refreshed(database, session.refresh_token)
    await transact(database, log_out, tokens=TOKENS, refresh_token=session.refresh_token)
    await new_hall(database)
    await new_event(database)
    await number_changes_once(database, Bus(None))
    return event, held


async def test_nothing_is_wrong_with_what_the_steps_made(database: Database) -> None:
    await world(database)
    assert await violations(database) == []


def test_every_invariant_is_planted_once() -> None:
    assert set(PLANTED) == set(INVARIANTS)


@pytest.mark.parametrize(("invariant", "statements"), EACH)
async def test_a_planted_violation_is_named(
    database: Database, invariant: str, statements: Sequence[str]
) -> None:
    await world(database)
    with pytest.raises(Planted):
        async with database.transaction() as tx:
            assert not await tx.rows(INVARIANTS[invariant])
            for statement in statements:
                await tx.rows(statement)
            found = [row[0] for row in await tx.rows(INVARIANTS[invariant])]
            assert found
            assert "event" in found[0] or "user" in found[0]
            raise Planted


async def test_a_violation_is_told_with_its_invariant_and_whose_it_is(database: Database) -> None:
    event, held = await world(database)
    async with database.transaction() as tx:
        await tx.rows("UPDATE orders SET total_minor = total_minor + 1 WHERE id = $1", held.id)
        await tx.rows("UPDATE accounts SET balance_minor = balance_minor + 1")
    (alice,) = await database.rows("SELECT user_id FROM accounts")
    assert await violations(database) == [
        f"4. An order's total is the sum of its items, but not: event {event.id}, order {held.reference}",
        f"8. A balance equals its movements, but not: user {alice['user_id']}, EUR",
    ]


async def test_many_violations_are_named_up_to_a_bound(database: Database) -> None:
    await new_event(database, await priced(rows=11, seats_a_row=10))
    async with database.transaction() as tx:
        await tx.rows("UPDATE seats SET status = 'S', order_id = gen_random_uuid()")
    found = await violations(database)
    named = [line for line in found if line.startswith("2. A sold seat has a live ticket")]
    assert len(named) == VIOLATIONS_NAMED_MAX
