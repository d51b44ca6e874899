"""Paying an order by card: opened once, held longer once, sold by the provider's word alone."""

import asyncio
from datetime import timedelta
from itertools import permutations

import pytest

from database import Database
from jobs.check_invariants import violations
from models.payments import ProviderName
from payments.simulated import SimulatedProvider
from steps.idempotency import Key
from steps.pay_by_card import CardTerms
from tests.cards import (
    TERMS,
    begun_for,
    books,
    charged,
    opened_for,
    order_of,
    repaired,
    tickets_of,
)
from tests.paying import settled, statuses
from tests.world import (
    everything,
    hold,
    letters,
    new_event,
    new_user,
    pay,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


async def changed(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.rows(statement)


async def test_an_order_is_sold_when_the_provider_says_so(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    news = await begun_for(database, order, provider)
    assert ((await order_of(database, order)).status, await tickets_of(database, order)) == ("PENDING", "PP")
    assert await letters(database, event) == "HHAAAAAAAA"
    assert await violations(database) == []
    assert await settled(database, await provider.play(news.reference, "succeeded"))
    assert ((await order_of(database, order)).status, await tickets_of(database, order)) == (
        "CONFIRMED",
        "AA",
    )
    assert await letters(database, event) == "SSAAAAAAAA"
    assert await books(database) == {"PROVIDER": -2_000, "REVENUE": 2_000}
    (movement,) = await database.rows("SELECT * FROM movements")
    assert (movement["id"], movement["reference"]) == (news.payment_id, order.id)
    assert (movement["kind"], movement["event_id"]) == ("PURCHASE", event.id)
    assert await violations(database) == []


async def test_the_hold_is_extended_once_and_its_seats_with_it(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    for terms in (TERMS, TERMS, CardTerms(ProviderName.SIMULATED, hold_seconds=3_600)):
        await opened_for(database, order, terms=terms)
        held = await order_of(database, order)
        assert held.held_until == order.created_at + timedelta(minutes=15)
    seats = await database.rows("SELECT held_until, version FROM seats WHERE order_id = $1", order.id)
    assert [tuple(seat) for seat in seats] == [(held.held_until, 2)] * 2
    assert await violations(database) == []


async def test_a_hold_that_is_longer_already_stays_as_it_is(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    await opened_for(database, order, terms=CardTerms(ProviderName.SIMULATED, hold_seconds=10))
    assert (await order_of(database, order)).held_until == order.held_until
    (seat,) = await database.rows("SELECT version FROM seats WHERE index = 0")
    assert seat["version"] == 1
    assert await violations(database) == []


async def test_a_second_wish_to_pay_by_card_gets_the_same_payment(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    first, second = [await begun_for(database, order, provider) for _ in range(2)]
    assert first == second
    assert await tickets_of(database, order) == "P"


async def test_wishes_at_once_to_pay_by_card_open_one_payment(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    key = Key.of(alice.id, "pay", "k", {})
    opened = [opened_for(database, order) for _ in range(10)]
    twins = [opened_for(database, order, key=key) for _ in range(10)]
    assert len({payment.id for payment in await asyncio.gather(*opened, *twins)}) == 1
    assert (await statuses(database), await tickets_of(database, order)) == (["PENDING"], "PP")
    assert await violations(database) == []


async def test_a_declined_card_takes_the_tickets_back_and_another_card_pays(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    news = await begun_for(database, order, provider)
    assert not await settled(database, await provider.play(news.reference, "failed"))
    assert ((await order_of(database, order)).status, await tickets_of(database, order)) == ("PENDING", "CC")
    assert await letters(database, event) == "HHAAAAAAAA"
    assert await violations(database) == []
    again = await begun_for(database, order, provider)
    assert (again.reference, await tickets_of(database, order)) == (news.reference, "CPCP")
    assert await settled(database, await provider.play(news.reference, "succeeded"))
    assert await tickets_of(database, order) == "CACA"
    assert len(await database.rows("SELECT 1 FROM payments")) == 1
    assert await violations(database) == []


async def test_another_card_may_pay_in_the_same_form_after_one_was_declined(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    news = await begun_for(database, order, provider)
    await settled(database, await provider.play(news.reference, "failed"))
    assert await settled(database, await provider.play(news.reference, "succeeded"))
    assert ((await order_of(database, order)).status, await tickets_of(database, order)) == (
        "CONFIRMED",
        "CA",
    )
    assert await violations(database) == []


async def test_after_a_declined_card_credits_pay(database: Database, provider: SimulatedProvider) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await hold(database, alice, event, [0])
    news = await begun_for(database, order, provider)
    await settled(database, await provider.play(news.reference, "failed"))
    await pay(database, alice, order)
    assert await settled(database, await provider.play(news.reference, "succeeded"))
    await repaired(database, provider)
    assert await books(database) == {"CORRECTIONS": -5_000, "CREDITS": 4_000, "REVENUE": 1_000}
    assert await tickets_of(database, order) == "CA"
    assert await violations(database) == []


@pytest.mark.parametrize("places", list(permutations(range(3))), ids=str)
async def test_news_of_an_orders_payment_may_come_in_any_order_and_often(
    database: Database, provider: SimulatedProvider, places: tuple[int, ...]
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    waiting = await begun_for(database, order, provider)
    failed = await provider.play(waiting.reference, "failed")
    paid = await provider.play(waiting.reference, "succeeded")
    for place in (*places, *reversed(places)):
        await settled(database, (paid, failed, waiting)[place])
    assert ((await order_of(database, order)).status, await statuses(database)) == ("CONFIRMED", ["SUCCESS"])
    assert await books(database) == {"PROVIDER": -2_000, "REVENUE": 2_000}
    assert await violations(database) == []


async def test_the_same_news_fifty_times_at_once_counts_once(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0, 1])
    paid = await charged(database, order, provider)
    said = await asyncio.gather(*(settled(database, paid) for _ in range(50)), repaired(database, provider))
    assert said.count(True) <= 1  # the job may have been the first
    assert await books(database) == {"PROVIDER": -2_000, "REVENUE": 2_000}
    assert await tickets_of(database, order) == "AA"
    before = await everything(database)
    assert not await settled(database, paid)
    assert await everything(database) == before
    assert await violations(database) == []
