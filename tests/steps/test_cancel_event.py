"""An event that is called off: no more sales, and everybody's money back to where it belongs."""

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.tickets import ticket_of
from models.users import User
from payments.simulated import SimulatedProvider
from steps.cancel_event import cancel_event
from steps.create_catalogue import create_event
from steps.idempotency import Key
from steps.publish import publish_event
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.cards import begun_for, order_of, paid_back, repaired, tickets_of
from tests.doors import code_of, here_to, scan, ticket_at
from tests.life import a_full_house, called_off, live, paid_out
from tests.paying import settled
from tests.steps.test_refund_by_card import corrected, purchase_of
from tests.transfers import bought, credits_of, disputed, initiated, rejected, transferred, undone
from tests.world import (
    details,
    everything,
    hold,
    letters,
    new_draft,
    new_event,
    new_hall,
    new_user,
    pay,
    priced,
    refusal_of,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=10_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=10_000)


async def test_everybody_is_paid_back_where_the_money_belongs(
    database: Database, alice: User, bob: User, provider: SimulatedProvider
) -> None:
    event, orders = await a_full_house(database, alice, bob, provider)
    alices, bobs = await credits_of(database, alice), await credits_of(database, bob)
    assert (await called_off(database, event)).status == "CANCELLED"
    assert await paid_out(database) == 5
    await repaired(database, provider)
    assert await credits_of(database, alice) == alices + 1_000  # the used one
    assert await credits_of(database, bob) == bobs + 1_000  # what alice gave him; his card has its own
    assert await paid_back(database) == [1_000]
    now = {name: await order_of(database, order) for name, order in orders.items()}
    assert {name: (order.status, order.refunded_minor) for name, order in now.items()} == {
        "credits": ("CONFIRMED", 2_000),
        "card": ("REFUNDED", 2_000),
        "counter": ("REFUNDED", 2_000),
        "held": ("CANCELLED", 0),
        "being paid": ("CANCELLED", 0),
    }
    assert await tickets_of(database, orders["credits"]) == "RRA"
    assert await letters(database, event) == "AAS" + "A" * 17
    assert await violations(database) == []


@pytest.mark.parametrize("is_reversed", [True, False])
async def test_what_is_disputed_is_paid_back_to_whose_it_is_in_the_end(
    database: Database, alice: User, bob: User, is_reversed: bool
) -> None:
    event = await new_event(database)
    ticket = await bought(database, alice, event)
    there = await transferred(database, alice, ticket, bob, price_minor=300)
    await disputed(database, bob, there)
    await called_off(database, event)
    assert await paid_out(database) == 0
    await (undone if is_reversed else rejected)(database, there)
    assert await paid_out(database) == 1
    balances = await credits_of(database, alice), await credits_of(database, bob)
    assert balances == ((10_000, 10_000) if is_reversed else (9_300, 10_700))
    assert await letters(database, event) == "A" * 10
    assert await violations(database) == []


async def test_at_once_nothing_is_sold_and_nobody_comes_in(
    database: Database, alice: User, bob: User, provider: SimulatedProvider
) -> None:
    event, other = await new_event(database), await new_event(database)
    await bought(database, alice, event)
    record = await ticket_at(database, event.id)
    held = await hold(database, alice, event, [1])
    given = await initiated(database, alice, ticket_of(record), bob, price_minor=0)
    assert given.status == "PENDING_OTP"
    await called_off(database, event)
    before = await everything(database)
    for attempt in (
        hold(database, bob, event, [2]),
        pay(database, alice, held),
        begun_for(database, held, provider),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.EVENT_NOT_ON_SALE
    assert await everything(database) == before
    assert (await scan(database, code_of(record), here_to(record))).result == "CANCELLED"
    await hold(database, bob, other, [2])


async def test_the_hall_is_free_for_another_event(database: Database) -> None:
    hall_id = await new_hall(database)
    drafts = [
        await transact(database, create_event, details=details(hall_id), plan=await priced())
        for _ in range(2)
    ]
    await transact(database, publish_event, event_id=drafts[0].id)
    occupied = await refusal_of(transact(database, publish_event, event_id=drafts[1].id))
    assert occupied.code is RefusalCode.HALL_OCCUPIED
    await called_off(database, drafts[0])
    assert (await transact(database, publish_event, event_id=drafts[1].id)).status == "PUBLISHED"
    again = await refusal_of(transact(database, publish_event, event_id=drafts[0].id))
    assert again.code is RefusalCode.EVENT_INVALID_STATE


async def test_only_a_published_event_that_is_not_over_is_called_off(database: Database) -> None:
    draft, over, gone = await new_draft(database), await new_event(database), await new_event(database)
    await called_off(database, gone)
    async with database.transaction() as tx:
        await tx.rows(
            """UPDATE events SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'
               WHERE id = $1""",
            over.id,
        )
    operator = await new_user(database)
    before = await everything(database)
    for event, code in (
        (draft, RefusalCode.EVENT_INVALID_STATE),
        (over, RefusalCode.EVENT_INVALID_STATE),
        (gone, RefusalCode.EVENT_INVALID_STATE),
        (Event(id=operator.id), RefusalCode.EVENT_NOT_FOUND),
    ):
        attempt = transact(database, cancel_event, actor_id=operator.id, event_id=event.id)
        assert (await refusal_of(attempt)).code is code
    assert await everything(database) == before


async def test_a_repeat_under_one_key_answers_the_same(database: Database, alice: User) -> None:
    event = await new_event(database)
    key = Key.of(alice.id, "cancelEvent", "k", {"event": event.id})
    for _ in range(2):
        assert (await called_off(database, event, key)).status == "CANCELLED"


async def test_what_a_card_paid_too_late_goes_back(
    database: Database, alice: User, provider: SimulatedProvider
) -> None:
    event = await new_event(database)
    order = await hold(database, alice, event, [0])
    news = await begun_for(database, order, provider)
    await called_off(database, event)
    await settled(database, await provider.play(news.reference, "succeeded"))
    await paid_out(database)
    await repaired(database, provider)
    assert await paid_back(database) == [1_000]
    assert await letters(database, event) == "A" * 10
    assert await violations(database) == []


async def test_nobody_looks_any_more_once_an_hour_has_passed_and_nothing_is_left(
    database: Database, alice: User
) -> None:
    event = await new_event(database)
    await bought(database, alice, event)
    await called_off(database, event)
    await paid_out(database)
    assert await database.rows("SELECT 1 FROM cancellations WHERE look_at IS NOT NULL")
    async with database.transaction() as tx:
        await tx.rows("UPDATE cancellations SET cancelled_at = now() - interval '1 hour'")
    await paid_out(database)
    assert not await database.rows("SELECT 1 FROM cancellations WHERE look_at IS NOT NULL")
    assert await violations(database) == []


async def test_what_was_paid_back_before_is_taken_off_the_buyers_part(
    database: Database, alice: User, bob: User
) -> None:
    event = await new_event(database)
    order = await pay(database, alice, await hold(database, alice, event, [0, 1]))
    await transferred(database, alice, await live(database, event, 0), bob, price_minor=0)
    await corrected(database, alice, await purchase_of(database, order), "7.00")
    await called_off(database, event)
    await paid_out(database)
    assert (await credits_of(database, alice), await credits_of(database, bob)) == (9_000, 11_000)
    assert await violations(database) == []
