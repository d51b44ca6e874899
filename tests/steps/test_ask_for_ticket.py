"""Asking for somebody else's ticket by its seat: of whom, and how often."""

import asyncio

import pytest

from database import Database
from models.orders import Order, order_of
from models.tickets import Ticket
from models.users import User
from steps import initiate_transfer as initiate_module
from steps.refund import refund_order
from steps.refusals import RefusalCode
from tests.transfers import bought, cancelled, initiated
from tests.world import everything, new_event, new_user, refund, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def ticket(database: Database, alice: User) -> Ticket:
    return await bought(database, alice)


async def order_of_ticket(database: Database, ticket: Ticket) -> Order:
    (row,) = await database.rows("SELECT * FROM orders WHERE id = $1", ticket.order_id)
    return order_of(row)


async def test_who_is_asked_and_asked_can_still_offer_a_ticket(
    database: Database, alice: User, bob: User, ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(initiate_module, "ASKED_PER_HOUR_MAX", 1)
    carol = await new_user(database, credits_minor=5_000)
    await cancelled(database, alice, await initiated(database, bob, ticket, by_seat=True))
    before = await everything(database)
    refused = await refusal_of(initiated(database, carol, ticket, by_seat=True))
    assert refused.code is RefusalCode.BUSY
    assert await everything(database) == before
    for by_seat in (False, True):
        offer = await initiated(database, alice, ticket, carol, by_seat=by_seat)
        await cancelled(database, alice, offer)


async def test_a_seat_that_was_sold_anew_is_asked_for_of_who_has_it_now(
    database: Database, alice: User, bob: User
) -> None:
    event = await new_event(database)
    for _ in range(3):
        given_back = await order_of_ticket(database, await bought(database, alice, event))
        await refund(database, alice, given_back)
    ticket = await bought(database, bob, event)
    transfer = await initiated(database, alice, ticket, by_seat=True)
    assert (transfer.seller_id, transfer.ticket_id) == (bob.id, ticket.id)


async def test_a_seat_that_is_paid_back_meanwhile_has_no_ticket_to_ask_for(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    order = await order_of_ticket(database, ticket)
    async with database.transaction() as tx:
        await refund_order(
            tx,
            caller_id=alice.id,
            any_buyer=False,
            event_id=order.event_id,
            order_id=order.id,
            hours_before=24,
        )
        asking = asyncio.create_task(refusal_of(initiated(database, bob, ticket, by_seat=True)))
        await until_somebody_waits(database)
    assert (await asking).code is RefusalCode.TICKET_NOT_FOUND
    assert not await database.rows("SELECT 1 FROM transfers")
