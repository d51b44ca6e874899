"""`rowlock check` names what is wrong, for every invariant that can be broken behind the steps' backs."""

from collections.abc import Sequence

import pytest

from database import Database
from jobs.check_invariants import INVARIANTS, violations
from jobs.relay import number_changes_once
from live.bus import Bus
from models.catalogue import Event
from models.orders import Order
from tests.world import hold, new_event, new_hall, new_user, pay

PLANTED: dict[str, Sequence[str]] = {
    "1. A seat has at most one live ticket": (
        "DROP INDEX tickets_one_live_a_seat",
        """INSERT INTO tickets
               (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
           SELECT event_id, gen_random_uuid(), 'TWICE', order_id, index, owner_id, status, 0, currency
           FROM tickets WHERE index = 0""",
    ),
    "2. A sold seat has a live ticket": ("DELETE FROM tickets WHERE index = 0",),
    "2. The seat of a live ticket is sold": (
        "UPDATE seats SET status = 'A', order_id = NULL WHERE index = 0",
    ),
    "2. A held or sold seat stands in the order that it names": (
        "UPDATE seats SET order_id = gen_random_uuid() WHERE index = 2 AND status = 'H'",
    ),
    "3. A hold is of a PENDING order with the same time": (
        "UPDATE seats SET held_until = held_until + interval '1 hour' WHERE index = 2",
    ),
    "4. A PENDING order in its time holds every seat of it": (
        "UPDATE seats SET status = 'A', order_id = NULL, held_until = NULL WHERE index = 3",
    ),
    "4. A CONFIRMED order has a ticket for every seat of it": ("DELETE FROM tickets WHERE index = 1",),
    "4. An order's total is the sum of its items": ("UPDATE orders SET total_minor = total_minor + 1",),
    "5. A seat's versions grow by 1, and the log ends with the seat as it is": (
        "UPDATE seats SET version = version + 1 WHERE index = 0",
    ),
    "5. A seat that changed has a log, until it is trimmed": (
        "UPDATE streams SET revision = 0",
        "DELETE FROM seat_changes",
    ),
    "6. Revisions have no gaps and end with the stream's": ("DELETE FROM seat_changes WHERE revision = 2",),
    "8. A balance equals its movements": ("UPDATE accounts SET balance_minor = balance_minor + 1",),
    "9. No balance is negative": (
        "ALTER TABLE accounts DROP CONSTRAINT accounts_balance_not_negative",
        "UPDATE accounts SET balance_minor = -1",
    ),
    "10. A CONFIRMED order was charged once, what it costs": (
        "DELETE FROM movements WHERE kind = 'PURCHASE'",
    ),
    "10. What was charged is an order that was confirmed": (
        "UPDATE movements SET reference = gen_random_uuid() WHERE kind = 'PURCHASE'",
    ),
    "19. An event has the seats that its tiers and its own number say, dense from 0": (
        "UPDATE events SET total_seats = total_seats + 1",
    ),
    "20. Two published events never share a hall at the same time": (
        "ALTER TABLE events DROP CONSTRAINT events_hall_free",
        """UPDATE events SET hall_id = (SELECT min(hall_id::text)::uuid FROM events),
               starts_at = now() + interval '1 day', ends_at = now() + interval '2 days'""",
    ),
}


class Planted(Exception):
    """Ends the transaction that a violation was planted in."""


async def world(database: Database) -> tuple[Event, Order]:
    """Two paid seats, two held ones, and a second event."""
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    await pay(database, alice, await hold(database, alice, event, [0, 1]))
    held = await hold(database, alice, event, [2, 3])
    await new_hall(database)
    await new_event(database)
    await number_changes_once(database, Bus(None))
    return event, held


async def test_nothing_is_wrong_with_what_the_steps_made(database: Database) -> None:
    await world(database)
    assert await violations(database) == []


def test_every_invariant_is_planted_once() -> None:
    assert set(PLANTED) == set(INVARIANTS)


@pytest.mark.parametrize("invariant", PLANTED)
async def test_a_planted_violation_is_named(database: Database, invariant: str) -> None:
    await world(database)
    with pytest.raises(Planted):
        async with database.transaction() as tx:
            for statement in PLANTED[invariant]:
                await tx.rows(statement)
            found = [row[0] for row in await tx.rows(INVARIANTS[invariant])]
            assert found
            assert "event" in found[0] or "user" in found[0]
            raise Planted
