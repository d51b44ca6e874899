"""One ticket paid back: its price with whoever owns it, its seat free, its order's others as they were."""

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.orders import Order
from models.tickets import Ticket, ticket_of
from models.users import User
from payments.simulated import SimulatedProvider
from steps.confirm import confirm_order
from steps.idempotency import Key
from steps.refund_ticket import refund_ticket
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.cards import bought_by_card, order_of, paid_back, repaired
from tests.doors import checked_in, ticket_at
from tests.life import ended
from tests.steps.test_refund_by_card import corrected, purchase_of
from tests.transfers import (
    bought,
    credits_of,
    disputed,
    initiated,
    rejected,
    transfer_of,
    transferred,
)
from tests.world import (
    everything,
    hold,
    letters,
    new_event,
    new_user,
    pay,
    priced,
    refund,
    refusal_of,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


async def refunded(
    database: Database, caller: User, ticket: Ticket, *, any_owner: bool = False, key: Key | None = None
) -> Ticket:
    return await ended(database, refund_ticket, caller, ticket, any_owner=any_owner, key=key)


async def live(database: Database, order: Order, index: int) -> Ticket:
    return ticket_of(await ticket_at(database, order.event_id, index))


async def test_one_of_two_is_paid_back_and_then_the_other_with_its_order(
    database: Database, alice: User
) -> None:
    order = await pay(database, alice, await hold(database, alice, await new_event(database), [0, 1]))
    first = await refunded(database, alice, await live(database, order, 0))
    assert (first.status, first.version) == ("REFUNDED", 2)
    assert first.ended_at is not None
    now = await order_of(database, order)
    assert (now.status, now.refunded_minor, await credits_of(database, alice)) == ("CONFIRMED", 1_000, 4_000)
    assert await letters(database, Event(id=order.event_id)) == "AS" + "A" * 8
    assert await violations(database) == []
    await refunded(database, alice, await live(database, order, 1))
    now = await order_of(database, order)
    assert (now.status, now.refunded_minor, await credits_of(database, alice)) == ("REFUNDED", 2_000, 5_000)
    assert await violations(database) == []


async def test_every_map_hears_of_the_seat_and_it_is_sold_again(
    database: Database, alice: User, bob: User
) -> None:
    ticket = await bought(database, alice)
    await refunded(database, alice, ticket)
    (row,) = await database.rows("SELECT status FROM seat_changes WHERE index = 0 AND version = 3")
    assert row["status"] == "A"
    await bought(database, bob, Event(id=ticket.event_id))
    assert await violations(database) == []


async def test_a_card_gets_its_part_back(
    database: Database, alice: User, provider: SimulatedProvider
) -> None:
    order = await bought_by_card(database, alice, await new_event(database), provider, 0, 1)
    await refunded(database, alice, await live(database, order, 0))
    await repaired(database, provider)
    assert await paid_back(database) == [1_000]
    assert await violations(database) == []
    await refund(database, alice, order)
    await repaired(database, provider)
    assert (await paid_back(database), await credits_of(database, alice)) == ([1_000, 1_000], 5_000)
    assert await violations(database) == []


@pytest.mark.parametrize("price_minor", [0, 700, 1_500])
async def test_who_got_a_ticket_from_another_gets_the_price_first_paid_as_credits(
    database: Database, alice: User, bob: User, price_minor: int
) -> None:
    ticket = await bought(database, alice)
    await transferred(database, alice, ticket, bob, price_minor=price_minor)
    before = await credits_of(database, alice), await credits_of(database, bob)
    await refunded(database, bob, ticket)
    assert await credits_of(database, alice) == before[0]
    assert await credits_of(database, bob) == before[1] + 1_000
    assert await violations(database) == []


async def test_what_a_card_paid_goes_to_the_credits_of_who_was_given_the_ticket(
    database: Database, alice: User, bob: User, provider: SimulatedProvider
) -> None:
    order = await bought_by_card(database, alice, await new_event(database), provider, 0, 1)
    given = await live(database, order, 1)
    await transferred(database, alice, given, bob, price_minor=0)
    await refunded(database, bob, given)
    await refund(database, alice, order)
    await repaired(database, provider)
    assert await paid_back(database) == [1_000]
    assert await credits_of(database, bob) == 6_000
    now = await order_of(database, order)
    assert (now.status, now.refunded_minor) == ("REFUNDED", 2_000)
    assert await violations(database) == []


async def test_what_a_counter_took_is_handed_out_there(database: Database, alice: User, bob: User) -> None:
    event, cashier = await new_event(database), await new_user(database)
    held = await hold(database, alice, event, [0, 1])
    order = await transact(
        database, confirm_order, cashier_id=cashier.id, event_id=event.id, order_id=held.id
    )
    given = await live(database, order, 1)
    await transferred(database, alice, given, bob, price_minor=0)
    before = await everything(database)
    for owner, index in ((alice, 0), (bob, 1)):
        refused = await refusal_of(refunded(database, owner, await live(database, order, index)))
        assert (refused.code, "counter" in str(refused)) == (RefusalCode.REFUND_NOT_ALLOWED, True)
    assert await everything(database) == before
    for index in (0, 1):
        await refunded(database, cashier, await live(database, order, index), any_owner=True)
    now = await order_of(database, order)
    assert (now.status, now.refunded_minor, await credits_of(database, bob)) == ("REFUNDED", 2_000, 5_000)
    assert await violations(database) == []


async def test_it_can_be_too_late(database: Database, alice: User) -> None:
    ticket, operator = await bought(database, alice), await new_user(database)
    for left, any_owner in (("23 hours", False), ("0 hours", True)):
        async with database.transaction() as tx:
            await tx.rows(f"UPDATE events SET starts_at = statement_timestamp() + interval '{left}'")
        before = await everything(database)
        refused = await refusal_of(refunded(database, alice, ticket, any_owner=any_owner))
        assert refused.code is RefusalCode.REFUND_NOT_ALLOWED
        assert await everything(database) == before
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET starts_at = statement_timestamp() + interval '1 minute'")
    assert (await refunded(database, operator, ticket, any_owner=True)).status == "REFUNDED"


async def test_only_ones_own_good_and_unused_ticket_is_paid_back(
    database: Database, alice: User, bob: User
) -> None:
    event = await new_event(database)
    good, used, given, back = [await bought(database, alice, event, index) for index in range(4)]
    await checked_in(database, await ticket_at(database, event.id, 1))
    await transferred(database, alice, given, bob)
    await refunded(database, alice, back)
    before = await everything(database)
    for caller, ticket, code in (
        (bob, good, RefusalCode.TICKET_NOT_FOUND),
        (alice, given, RefusalCode.TICKET_NOT_FOUND),
        (alice, Ticket(event_id=event.id, id=event.id), RefusalCode.TICKET_NOT_FOUND),
        (alice, used, RefusalCode.TICKET_INVALID_STATE),
        (alice, back, RefusalCode.TICKET_INVALID_STATE),
    ):
        assert (await refusal_of(refunded(database, caller, ticket))).code is code
    assert await everything(database) == before


async def test_what_is_disputed_is_not_paid_back_until_the_house_has_decided(
    database: Database, alice: User, bob: User
) -> None:
    event = await new_event(database)
    ticket = await bought(database, alice, event)
    there = await transferred(database, alice, ticket, bob)
    await disputed(database, bob, there)
    round_trip = await bought(database, alice, event, 1)
    await transferred(database, alice, round_trip, bob)
    back = await transferred(database, bob, round_trip, alice)
    await disputed(database, bob, back)
    operator = await new_user(database)
    before = await everything(database)
    for caller, any_owner in ((bob, False), (operator, True)):
        refused = await refusal_of(refunded(database, caller, ticket, any_owner=any_owner))
        assert refused.code is RefusalCode.REFUND_NOT_ALLOWED
    (order,) = await database.rows("SELECT * FROM orders WHERE id = $1", round_trip.order_id)
    refused = await refusal_of(refund(database, alice, Order(**order)))
    assert refused.code is RefusalCode.REFUND_NOT_ALLOWED
    assert await everything(database) == before
    await rejected(database, there)
    await refunded(database, bob, ticket)
    assert await violations(database) == []


async def test_a_transfer_that_waits_ends_with_the_ticket(database: Database, alice: User, bob: User) -> None:
    ticket = await bought(database, alice)
    waiting = await initiated(database, alice, ticket, bob)
    await refunded(database, alice, ticket)
    assert (await transfer_of(database, waiting)).status == "FAILED"


async def test_what_an_admin_paid_back_before_is_taken_off_the_buyers_part(
    database: Database, alice: User, bob: User
) -> None:
    order = await pay(database, alice, await hold(database, alice, await new_event(database), [0, 1]))
    given = await live(database, order, 1)
    await transferred(database, alice, given, bob, price_minor=0)
    await corrected(database, alice, await purchase_of(database, order), "15.00")
    assert await credits_of(database, alice) == 4_500
    await refunded(database, alice, await live(database, order, 0))
    assert await credits_of(database, alice) == 5_000
    await refunded(database, bob, given)
    assert await credits_of(database, bob) == 5_000
    assert (await order_of(database, order)).refunded_minor == 2_000
    assert await violations(database) == []


async def test_a_ticket_that_cost_nothing_moves_nothing(database: Database, alice: User, bob: User) -> None:
    event = await new_event(database, await priced(price="0"))
    ticket = await bought(database, alice, event)
    await transferred(database, alice, ticket, bob, price_minor=0)
    assert (await refunded(database, bob, ticket)).status == "REFUNDED"
    assert not await database.rows("SELECT 1 FROM movements WHERE kind = 'REFUND'")
    assert await violations(database) == []
