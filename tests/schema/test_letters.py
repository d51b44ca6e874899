"""What letters say of a ticket: no more to each person than the API shows them."""

import pytest

from database import Database
from jobs.tell_people import tell_people_once
from messages.letters import Letters
from messages.message import Draft
from models.users import User
from schema import ids
from settings import Settings
from steps.cancel_ticket import cancel_ticket
from tests.codes import ENVELOPES
from tests.life import called_off, ended, paid_out
from tests.transfers import bought, cancelled, initiated, transferred
from tests.world import new_event, new_user


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=10_000, email="alice@example.com")


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=10_000, email="bob@example.com")


async def letters_to(database: Database, settings: Settings, user: User) -> dict[str, str]:
    """What somebody is written, in all that they get of it, by what the letters are about."""
    linked = Letters(settings.model_copy(update={"ticket_url": "https://shop.example/{ticket}"}))
    while await tell_people_once(database, ENVELOPES):
        pass
    said: dict[str, str] = {}
    for row in await database.rows("SELECT * FROM deliveries WHERE owner_id = $1", user.id):
        draft = ENVELOPES.open(row)
        if isinstance(draft, Draft) and draft.template != "code":
            text = linked.text_of(draft)
            said[draft.template] = f"{text.subject} {text.body} {text.html} {draft.facts}"
    linked.close()
    return said


async def test_who_got_a_ticket_from_its_buyer_hears_nothing_of_the_order_and_its_price(
    database: Database, settings: Settings, alice: User, bob: User
) -> None:
    ticket = await bought(database, alice)
    await transferred(database, alice, ticket, bob, price_minor=0)
    await ended(database, cancel_ticket, bob, ticket)
    letter = (await letters_to(database, settings, bob))["ticket_cancelled"]
    assert ticket.reference in letter
    ((order,),) = await database.rows("SELECT reference FROM orders")
    assert order not in letter
    assert "€" not in letter


async def test_of_a_cancelled_event_nobody_is_told_one_of_several_orders(
    database: Database, settings: Settings, alice: User
) -> None:
    event = await new_event(database)
    for index in range(2):
        await bought(database, alice, event, index)
    await called_off(database, event)
    await paid_out(database)
    letter = (await letters_to(database, settings, alice))["event_cancelled"]
    assert "does not take place" in letter
    assert "€" not in letter
    for row in await database.rows("SELECT reference FROM orders"):
        assert row["reference"] not in letter


async def test_of_a_ticket_of_somebody_else_a_letter_says_the_seat_alone(
    database: Database, settings: Settings, alice: User, bob: User
) -> None:
    ticket = await bought(database, alice)
    asked = await initiated(database, bob, ticket, by_seat=True)
    await cancelled(database, alice, asked)
    owners, others = [await letters_to(database, settings, user) for user in (alice, bob)]
    for text in (ticket.reference, ids.ticket_id(ticket.event_id, ticket.id)):
        assert text in owners["transfer_requested"]
        assert text not in others["transfer_failed"]
    assert "Ticket: " in others["transfer_failed"]
    assert "Row 1, Seat 1" in others["transfer_failed"]


async def test_only_who_has_a_ticket_by_then_gets_it_in_a_letter(
    database: Database, settings: Settings, alice: User, bob: User
) -> None:
    ticket = await bought(database, alice)
    await transferred(database, alice, ticket, bob)
    sellers, buyers = [await letters_to(database, settings, user) for user in (alice, bob)]
    assert ticket.reference in buyers["transfer_completed"]
    assert "'attached': ['calendar', 'tickets']" in buyers["transfer_completed"]
    for template in ("order_confirmed", "transfer_completed"):
        assert ticket.reference not in sellers[template]
        assert "'attached': []" in sellers[template]
    assert "Seat 1" not in sellers["order_confirmed"]


async def test_a_name_that_could_be_taken_for_a_link_is_in_no_letter(
    database: Database, settings: Settings, alice: User, bob: User
) -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET full_name = 'Win at ' || split_part(email, '@', 1) || '.example/x'")
    await transferred(database, alice, await bought(database, alice), bob)
    said = [await letters_to(database, settings, user) for user in (alice, bob)]
    for letter in (*said[0].values(), *said[1].values()):
        assert ".example/x" not in letter
    assert "b***@example.com has your ticket now" in said[0]["transfer_completed"]
