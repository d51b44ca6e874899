"""Where everything happens to the same tickets: cards, transfers, disputes, doors, refunds and carts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from database import Database
from jobs.check_invariants import violations
from jobs.statement import statement_lines
from models.catalogue import Event
from models.orders import Order
from models.tickets import Ticket, ticket_of
from models.users import User
from payments.simulated import SimulatedProvider
from steps.check_in import Door
from steps.refund_transaction import refund_transaction
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.cards import (
    books,
    bought_by_card,
    charged,
    let_card_lapse,
    order_of,
    paid_back,
    repaired,
    tickets_of,
)
from tests.carts import checked_out, put_seats
from tests.doors import checked_in, code_of, scan, ticket_at
from tests.doors import undone as let_out
from tests.paying import settled
from tests.transfers import bought, credits_of, disputed, initiated, rejected, transferred, undone
from tests.world import everything, hold, letters, new_event, new_user, pay, refund, refusal_of


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def event(database: Database) -> Event:
    return await new_event(database)


@pytest.fixture
async def provider(database: Database) -> AsyncIterator[SimulatedProvider]:
    yield SimulatedProvider(database, "a secret")
    now = datetime.now(UTC)
    lines = [line async for line in statement_lines(database, now - timedelta(days=1), now)]
    assert len(lines) > 2  # it reconciles, or it would have refused


async def ticket_for(database: Database, event: Event, index: int = 0) -> Ticket:
    return ticket_of(await ticket_at(database, event.id, index))


async def corrected(database: Database, order: Order) -> None:
    """An ADMIN pays back what is left of an order by card."""
    about = {"actor_id": order.buyer_id, "user_id": order.buyer_id, "id": order.payment_id}
    await transact(database, refund_transaction, **about, amount=None, reason="The heating was off")


async def test_a_ticket_bought_by_card_goes_through_everything_and_the_card_gets_back_what_it_paid(
    database: Database, alice: User, bob: User, event: Event, provider: SimulatedProvider
) -> None:
    order = await bought_by_card(database, alice, event, provider, 0, 1)
    given = await transferred(database, alice, await ticket_for(database, event), bob)
    await disputed(database, bob, given)
    await checked_in(database, await ticket_at(database, event.id))
    assert (await refusal_of(undone(database, given))).code is RefusalCode.TICKET_INVALID_STATE
    await let_out(database, await ticket_at(database, event.id))
    refunded = await refund(database, alice, order)
    assert (refunded.status, refunded.refunded_minor) == ("CONFIRMED", 1_000)
    assert await violations(database) == []
    await corrected(database, await order_of(database, order))
    await repaired(database, provider)
    assert (await paid_back(database), await tickets_of(database, order)) == ([1_000, 1_000], "AR")
    assert await violations(database) == []
    await undone(database, given)
    refunded = await refund(database, alice, order)
    assert (refunded.status, refunded.refunded_minor) == ("REFUNDED", 2_000)
    await repaired(database, provider)
    assert (len(await paid_back(database)), await letters(database, event)) == (2, "A" * 10)
    assert await books(database) == {"CORRECTIONS": -10_000, "CREDITS": 10_000}
    assert [await credits_of(database, user) for user in (alice, bob)] == [5_000, 5_000]
    assert await violations(database) == []


async def test_a_seat_whose_card_came_too_late_is_bought_from_a_cart_and_given_on(
    database: Database, alice: User, bob: User, event: Event, provider: SimulatedProvider
) -> None:
    lapsed = await hold(database, alice, event, [0, 1])
    late = await charged(database, lapsed, provider)
    waiting = await ticket_at(database, event.id)
    assert (
        await refusal_of(initiated(database, alice, ticket_of(waiting), bob))
    ).code == "TICKET_INVALID_STATE"
    await let_card_lapse(database, lapsed)
    unpaid = await scan(database, code_of(waiting), Door(event_id=event.id))
    await put_seats(database, bob, event, 0, 2)
    (order,) = await checked_out(database, bob)
    await pay(database, bob, order)
    gift = await transferred(
        database, bob, await ticket_for(database, event), await new_user(database), price_minor=0
    )
    gone = await scan(database, code_of(waiting), Door(event_id=event.id))
    assert (unpaid.result, gone.result) == ("UNPAID", "CANCELLED")
    assert await settled(database, late)
    await repaired(database, provider)
    assert (await paid_back(database), await tickets_of(database, lapsed)) == ([2_000], "CC")
    assert (await refund(database, bob, order)).refunded_minor == 1_000
    assert await violations(database) == []
    await undone(database, gift)
    assert (await refund(database, bob, order)).status == "REFUNDED"
    assert await books(database) == {"CORRECTIONS": -10_000, "CREDITS": 10_000}
    assert await violations(database) == []


async def test_what_was_bought_back_and_disputed_is_paid_back_once_the_house_has_decided(
    database: Database, alice: User, bob: User, event: Event, provider: SimulatedProvider
) -> None:
    ticket = await bought(database, alice, event)
    await transferred(database, alice, ticket, bob, price_minor=2_000)
    back = await transferred(database, bob, ticket, alice, price_minor=3_000)
    await disputed(database, alice, back)
    (order,) = await database.rows("SELECT * FROM orders")
    before = await everything(database)
    assert (await refusal_of(refund(database, alice, Order(**order)))).code is RefusalCode.REFUND_NOT_ALLOWED
    assert await everything(database) == before
    await rejected(database, back)
    assert (await refund(database, alice, Order(**order))).status == "REFUNDED"
    assert (await refusal_of(undone(database, back))).code is RefusalCode.TICKET_INVALID_STATE
    assert [await credits_of(database, user) for user in (alice, bob)] == [4_000, 6_000]
    assert await books(database) == {"CORRECTIONS": -10_000, "CREDITS": 10_000}
    assert await violations(database) == []
