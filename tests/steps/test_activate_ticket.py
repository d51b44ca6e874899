"""Making tickets good whose payment somebody else has validated."""

import asyncio
from uuid import UUID

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.columns import new_id
from models.orders import Order
from models.payments import ProviderName
from models.tickets import Ticket
from models.users import User
from payments.simulated import SimulatedProvider
from steps.activate_ticket import activate_ticket
from steps.cancel import cancel_order
from steps.idempotency import Key
from steps.refusals import RefusalCode
from steps.settle import settle_payment
from steps.transact import transact
from tests.cards import begun_for, books, cancelled, charged, opened_for, order_of, tickets_of
from tests.paying import settled
from tests.transfers import bought
from tests.world import (
    everything,
    hold,
    let_lapse,
    letters,
    new_event,
    new_user,
    refusal_of,
    until_somebody_waits,
)

SERVICE = new_id()


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=1_000)


@pytest.fixture
async def order(database: Database, alice: User) -> Order:
    """Two seats that alice is paying by card."""
    order = await hold(database, alice, await new_event(database), [0, 1])
    await opened_for(database, order)
    return order


async def ticket_of(database: Database, order: Order) -> Ticket:
    row = (await database.rows("SELECT * FROM tickets WHERE order_id = $1 ORDER BY index", order.id))[0]
    return Ticket(**row)


async def activated(
    database: Database, ticket: Ticket, *, key: Key | None = None, id: UUID | None = None
) -> Ticket:
    return await transact(
        database,
        activate_ticket,
        actor_id=SERVICE,
        event_id=ticket.event_id,
        ticket_id=id or ticket.id,
        seats_per_buyer_max=20,
        key=key,
    )


async def test_a_validated_payment_makes_all_of_its_order_good(database: Database, order: Order) -> None:
    ticket = await ticket_of(database, order)
    made = await activated(database, ticket)
    assert (made.id, made.status, made.version) == (ticket.id, "ACTIVE", 1)
    assert (await tickets_of(database, order), (await order_of(database, order)).status) == (
        "AA",
        "CONFIRMED",
    )
    assert await letters(database, Event(id=order.event_id)) == "SS" + "A" * 8
    bookings = await database.rows("SELECT * FROM movements WHERE reference = $1", order.id)
    assert [(row["debit"], row["credit"], row["actor_id"]) for row in bookings] == [
        ("PROVIDER", "REVENUE", SERVICE)
    ]
    assert await violations(database) == []


async def test_a_repeat_answers_with_the_ticket_as_it_is(database: Database, order: Order) -> None:
    ticket, key = await ticket_of(database, order), Key.of(SERVICE, "activateTicket", "k", {})
    await activated(database, ticket, key=key)
    before = await everything(database)
    assert (await activated(database, ticket, key=key)).status == "ACTIVE"
    assert (await refusal_of(activated(database, ticket))).code is RefusalCode.TICKET_INVALID_STATE
    assert await everything(database) == before


async def test_only_a_ticket_that_waits_is_made_good(database: Database, alice: User, order: Order) -> None:
    good = await bought(database, alice)
    ticket = await ticket_of(database, order)
    await cancelled(database, order)
    before = await everything(database)
    for one in (good, ticket):
        refused = await refusal_of(activated(database, one))
        assert refused.code is RefusalCode.TICKET_INVALID_STATE
    unknown = await refusal_of(activated(database, good, id=new_id()))
    assert unknown.code is RefusalCode.TICKET_NOT_FOUND
    assert await everything(database) == before


async def test_what_cannot_be_kept_is_not_booked(database: Database, order: Order) -> None:
    ticket = await ticket_of(database, order)
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET status = 'CANCELLED'")
    before = await everything(database)
    refused = await refusal_of(activated(database, ticket))
    assert (refused.code, "kept" in str(refused)) == (RefusalCode.TICKET_INVALID_STATE, True)
    assert await everything(database) == before


async def test_a_hold_that_lapsed_does_not_matter_while_its_seats_are_free(
    database: Database, order: Order
) -> None:
    await let_lapse(database, order)
    assert (await activated(database, await ticket_of(database, order))).status == "ACTIVE"
    assert await violations(database) == []


async def test_what_the_provider_says_later_is_no_second_payment(database: Database, alice: User) -> None:
    provider = SimulatedProvider(database, "a secret")
    order = await hold(database, alice, await new_event(database), [0])
    news = await begun_for(database, order, provider)
    await activated(database, await ticket_of(database, order))
    paid = await provider.play(news.reference, "succeeded")
    assert not await settled(database, paid)
    assert (await books(database))["PROVIDER"] == -1_000
    assert await violations(database) == []


async def test_who_activates_waits_for_the_provider_and_comes_too_late(
    database: Database, alice: User
) -> None:

    provider = SimulatedProvider(database, "a secret")
    order = await hold(database, alice, await new_event(database), [0])
    news = await charged(database, order, provider)
    ticket = await ticket_of(database, order)
    async with database.transaction() as tx:
        await settle_payment(tx, provider=ProviderName.SIMULATED, news=news)
        late = asyncio.create_task(refusal_of(activated(database, ticket)))
        await until_somebody_waits(database)
    assert (await late).code is RefusalCode.TICKET_INVALID_STATE
    assert await violations(database) == []


async def test_who_activates_waits_for_who_cancels(database: Database, order: Order) -> None:
    ticket = await ticket_of(database, order)
    async with database.transaction() as tx:
        await cancel_order(
            tx, caller_id=order.buyer_id, any_buyer=False, event_id=order.event_id, order_id=order.id
        )
        late = asyncio.create_task(refusal_of(activated(database, ticket)))
        await until_somebody_waits(database)
    assert (await late).code is RefusalCode.TICKET_INVALID_STATE
    assert await violations(database) == []
