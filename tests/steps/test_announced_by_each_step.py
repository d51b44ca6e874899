"""Every step that other systems are told of announces itself, once, with what it is about."""

from database import Database
from payments.simulated import SimulatedProvider
from steps.cancel_event import cancel_event
from steps.cancel_ticket import cancel_ticket
from steps.refund_ticket import refund_ticket
from steps.transact import transact
from tests.cards import bought_by_card
from tests.doors import SCANNER, checked_in, ticket_at
from tests.receiving import added
from tests.transfers import bought, disputed, transferred, undone
from tests.world import new_event, new_user


async def test_what_happens_to_tickets_transfers_and_events_is_announced(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=100_000)
    bob = await new_user(database, credits_minor=100_000)
    await added(database, "http://127.0.0.1:1/")
    await bought_by_card(database, bob, event, SimulatedProvider(database, "secret"), 0)
    given = await transferred(database, alice, await bought(database, alice, event, 1), bob)
    await disputed(database, alice, given)
    await undone(database, given)
    await checked_in(database, await ticket_at(database, event.id, 1))
    for index, step in ((2, cancel_ticket), (3, refund_ticket)):
        ticket = await bought(database, alice, event, index)
        named = {"caller_id": alice.id, "any_owner": False, "event_id": event.id, "ticket_id": ticket.id}
        await transact(database, step, **named, hours_before=0)  # type: ignore[operator]
    await transact(database, cancel_event, actor_id=SCANNER, event_id=event.id)
    rows = await database.rows(
        """SELECT kind, tickets->0->>'index', transfer_id FROM announcements
           WHERE event_id = $1 ORDER BY created_at, id""",
        event.id,
    )
    assert [tuple(row) for row in rows] == [
        ("ticket.purchased", "0", None),
        ("ticket.purchased", "1", None),
        ("transfer.completed", "1", given.id),
        ("transfer.disputed", "1", given.id),
        ("transfer.reversed", "1", given.id),
        ("ticket.checked_in", "1", None),
        ("ticket.purchased", "2", None),
        ("ticket.cancelled", "2", None),
        ("ticket.purchased", "3", None),
        ("ticket.refunded", "3", None),
        ("event.cancelled", None, None),
    ]
