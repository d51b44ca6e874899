"""The ends of tickets, one by one, and of whole events, by the same steps as in life."""

from collections.abc import Awaitable, Callable
from typing import Any

from database import Database
from jobs.refund_cancelled import refund_cancelled_once
from models.catalogue import Event
from models.orders import Order
from models.tickets import Ticket, ticket_of
from models.users import User
from payments.simulated import SimulatedProvider
from steps.cancel_event import cancel_event
from steps.confirm import confirm_order
from steps.idempotency import Key
from steps.transact import transact
from tests.cards import begun_for, bought_by_card
from tests.doors import checked_in, ticket_at
from tests.transfers import disputed, initiated, transferred
from tests.world import (
    hold,
    new_event,
    new_user,
    pay,
    priced,
)

ROUNDS_MAX = 20


def ending(
    caller: User, ticket: Ticket, *, any_owner: bool = False, key: Key | None = None
) -> dict[str, Any]:
    """The arguments with which a step ends a ticket, with a day's notice."""
    named = {"caller_id": caller.id, "event_id": ticket.event_id, "ticket_id": ticket.id}
    return {**named, "any_owner": any_owner, "hours_before": 24, "key": key}


async def ended(
    database: Database, step: Callable[..., Awaitable[Ticket]], caller: User, ticket: Ticket, **more: Any
) -> Ticket:
    return await transact(database, step, **ending(caller, ticket, **more))


async def called_off(database: Database, event: Event, key: Key | None = None) -> Event:
    operator = await new_user(database)
    return await transact(database, cancel_event, actor_id=operator.id, event_id=event.id, key=key)


async def look_now(database: Database) -> None:
    """Let the job look at every cancelled event that it has not done with."""
    async with database.transaction() as tx:
        await tx.rows("UPDATE cancellations SET look_at = now() WHERE look_at IS NOT NULL")


async def paid_out(database: Database) -> int:
    """Let the job go on until it finds nothing; return how many orders it found."""
    found = 0
    for _ in range(ROUNDS_MAX):
        await look_now(database)
        if not (now := await refund_cancelled_once(database)):
            return found
        found += now
    raise AssertionError("it does not come to an end")


async def a_full_house(
    database: Database, alice: User, bob: User, provider: SimulatedProvider
) -> tuple[Event, dict[str, Order]]:
    """Orders by credits, by card and at a counter, tickets that were used, given and disputed; and holds."""
    event, carol = (
        await new_event(database, await priced(2, 10)),
        await new_user(database, credits_minor=9_000),
    )
    orders = {
        "credits": await pay(database, alice, await hold(database, alice, event, [0, 1, 2])),
        "card": await bought_by_card(database, bob, event, provider, 3, 4),
    }
    held = await hold(database, carol, event, [5, 6])
    orders["counter"] = await transact(
        database, confirm_order, cashier_id=alice.id, event_id=event.id, order_id=held.id
    )
    orders["held"] = await hold(database, carol, event, [7])
    orders["being paid"] = await hold(database, carol, event, [8])
    await begun_for(database, orders["being paid"], provider)
    await checked_in(database, await ticket_at(database, event.id, 0))
    await transferred(database, alice, await live(database, event, 1), bob, price_minor=2_500)
    there = await transferred(database, alice, await live(database, event, 2), bob, price_minor=300)
    await disputed(database, bob, there)
    await transferred(database, bob, await live(database, event, 4), carol, price_minor=0)
    await initiated(database, bob, await live(database, event, 3), alice, price_minor=0)
    return event, orders


async def live(database: Database, event: Event, index: int) -> Ticket:
    return ticket_of(await ticket_at(database, event.id, index))
