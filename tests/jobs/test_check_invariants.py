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
from tests.cards import begun_for, bought_by_card, repaired
from tests.codes import code_sent_to, order_reference, requested, verified
from tests.doors import checked_in, ticket_at
from tests.jobs.planted import PLANTED
from tests.jobs.planted_at_the_door import PLANTED_AT_THE_DOOR
from tests.jobs.test_check_transfers import PLANTED_IN_TRANSFERS
from tests.paying import topped_up
from tests.people import TOKENS, logged_in, refreshed
from tests.world import hold, new_event, new_hall, new_user, pay, priced, refund

ALL = PLANTED | PLANTED_AT_THE_DOOR
EACH = [
    pytest.param(invariant, statements, id=f"{invariant} ({number})")
    for invariant, ways in ALL.items()
    for number, statements in enumerate(ways)
]


class Planted(Exception):
    """Ends the transaction that a violation was planted in."""


async def world(database: Database) -> tuple[Event, Order]:
    """Two paid seats, one of them inside, two held ones, two that were paid back, an open and an ended
    session, a top-up, and a second event; by card a seat that is being paid, and three that were, of which
    two were paid back.

    There is a code for each order, of which that of the paid one was verified.
    """
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    paid, held = await hold(database, alice, event, [0, 1]), await hold(database, alice, event, [2, 3])
    await requested(database, alice, order_reference(paid))
    await verified(database, alice, order_reference(paid), await code_sent_to(database, alice))
    await requested(database, alice, order_reference(held))
    await pay(database, alice, paid)
    await checked_in(database, await ticket_at(database, event.id, 1))
    await refund(database, alice, await pay(database, alice, await hold(database, alice, event, [4, 5])))
    provider, bob = SimulatedProvider(database, "secret"), await new_user(database)
    await topped_up(database, alice, provider)
    other = await new_event(database)
    await begun_for(database, await hold(database, bob, event, [7]), provider)
    await bought_by_card(database, bob, other, provider, 5)
    await refund(database, bob, await bought_by_card(database, bob, other, provider, 6))
    await repaired(database, provider)
    await refund(database, bob, await bought_by_card(database, bob, other, provider, 8))
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
    assert sorted([*ALL, *PLANTED_IN_TRANSFERS]) == sorted(INVARIANTS)


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
        await tx.rows("UPDATE accounts SET balance_minor = balance_minor + 1 WHERE balance_minor > 0")
    (alice,) = await database.rows("SELECT user_id FROM accounts WHERE balance_minor > 1")
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
