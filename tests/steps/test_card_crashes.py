"""Crashes between any two steps of paying by card: neither money nor seats are lost."""

import asyncio
from dataclasses import replace

import pytest

from database import Database
from jobs.check_invariants import violations
from jobs.relay import number_changes_once
from jobs.send_refunds import send_refunds_once
from jobs.settle_payments import settle_payments_once
from live.bus import Bus
from models.orders import Order
from models.payments import ProviderName, Refund
from models.transactions import TransactionStatus
from payments.provider import Provider, ProviderAway, RefundNews, Said
from payments.simulated import SimulatedProvider
from steps.pay_by_card import note_card_payment
from steps.refunds import claim_refunds, refund_of, settle_refund
from steps.refusals import RefusalCode
from steps.settle import settle_by_hand
from steps.transact import transact
from tests.cards import (
    begun_for,
    books,
    charged,
    let_card_lapse,
    opened_for,
    order_of,
    paid_back,
    repaired,
    tickets_of,
)
from tests.paying import make_due, settled, statuses
from tests.world import (
    everything,
    hold,
    new_event,
    new_user,
    refusal_of,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


async def is_sold(database: Database, order: Order) -> bool:
    found = await order_of(database, order)
    assert await violations(database) == []
    return found.status == "CONFIRMED"


async def test_a_crash_before_the_provider_heard_of_a_payment_holds_nothing_for_it(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    payment = await opened_for(database, order)
    await make_due(database)
    assert await settle_payments_once(database, provider) == 1
    assert (await statuses(database), await tickets_of(database, order)) == (["FAILED"], "C")
    assert await violations(database) == []
    noting = transact(
        database,
        note_card_payment,
        news=await provider.begin(payment),
        event_id=event.id,
        order_id=order.id,
    )
    assert (await refusal_of(noting)).code is RefusalCode.PAYMENT_FAILED
    fresh = await begun_for(database, order, provider)
    assert fresh.payment_id != payment.id


async def test_a_crash_before_the_providers_answer_was_noted_is_made_good_by_asking_again(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    lost = await provider.begin(await opened_for(database, order))
    assert await begun_for(database, order, provider) == lost
    assert len(await database.rows("SELECT 1 FROM simulated_payments")) == 1


async def test_a_payment_of_an_order_whose_webhook_was_lost_is_found_by_the_job(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    await charged(database, order, provider)
    assert await settle_payments_once(database, provider) == 0
    await repaired(database, provider)
    assert await is_sold(database, order)
    await repaired(database, provider)
    assert await books(database) == {"PROVIDER": -1_000, "REVENUE": 1_000}


async def test_an_order_that_nobody_pays_is_cancelled_at_the_provider_once_its_time_is_over(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    news = await begun_for(database, order, provider)
    await repaired(database, provider)
    assert (await provider.ask(news.reference)).said is Said.WAITING
    await let_card_lapse(database, order)
    await repaired(database, provider)
    assert (await provider.play(news.reference, "succeeded")).said is Said.CANCELLED
    assert (await statuses(database), await tickets_of(database, order)) == (["FAILED"], "C")
    assert await violations(database) == []


async def test_what_was_settled_by_hand_is_cancelled_at_the_provider_and_not_paid_twice(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    news = await begun_for(database, order, provider)
    said = {"actor_id": alice.id, "user_id": alice.id, "id": news.payment_id, "reason": "By bank transfer"}
    await transact(database, settle_by_hand, **said, status=TransactionStatus.SUCCESS)
    assert await settle_payments_once(database, provider) == 1
    assert (await provider.play(news.reference, "succeeded")).said is Said.CANCELLED
    assert await settle_payments_once(database, provider) == 0
    assert (await statuses(database), await tickets_of(database, order)) == (["SUCCESS"], "A")
    assert await violations(database) == []


async def test_what_was_settled_by_hand_and_paid_nevertheless_is_told_once_to_the_operators(
    database: Database, provider: SimulatedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    event, alice = await new_event(database), await new_user(database)
    news = await charged(database, await hold(database, alice, event, [0]), provider)
    said = {"actor_id": alice.id, "user_id": alice.id, "id": news.payment_id, "reason": "By bank transfer"}
    await transact(database, settle_by_hand, **said, status=TransactionStatus.SUCCESS)
    for _ in range(2):
        assert not await settled(database, news)
    assert caplog.text.count(f"payment {news.payment_id} was settled by hand, and paid") == 1
    assert await settle_payments_once(database, provider) == 0
    assert await books(database) == {"PROVIDER": -1_000, "REVENUE": 1_000}


async def test_a_sale_by_card_that_nobody_announced_is_in_the_log_and_the_relay_finds_it(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    news = await charged(database, order, provider)
    database.on_commit = lambda _: None  # the process that settled died before it woke anybody
    await settled(database, news)
    await number_changes_once(database, Bus(None))
    log = await database.rows("SELECT status FROM seat_changes WHERE revision IS NOT NULL ORDER BY version")
    assert "".join(row["status"] for row in log) == "HHS"
    assert await violations(database) == []


async def owed(database: Database, provider: SimulatedProvider) -> Order:
    """An order whose late money is to go back, of which the provider knows nothing yet."""
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    news = await charged(database, order, provider)
    await let_card_lapse(database, order)
    await hold(database, await new_user(database), event, [0])
    assert await settled(database, news)
    return order


class Dying(SimulatedProvider):
    """A provider that does what it is told, and whose answer never comes."""

    async def refund(self, refund: Refund, reference: str) -> RefundNews:
        await super().refund(refund, reference)
        raise ProviderAway("the line is dead")


async def test_a_refund_that_was_opened_and_not_sent_is_sent_by_the_job(
    database: Database, provider: SimulatedProvider
) -> None:
    await owed(database, provider)
    assert await paid_back(database) == []
    assert await send_refunds_once(database, provider) == 1
    assert (await paid_back(database), await books(database)) == ([1_000], {})
    assert await send_refunds_once(database, provider) == 0
    assert await violations(database) == []


async def test_a_refund_that_was_claimed_by_a_process_that_died_is_sent_later(
    database: Database, provider: SimulatedProvider
) -> None:
    await owed(database, provider)
    assert len(await transact(database, claim_refunds, provider=provider.name, refunds_max=20)) == 1
    assert await send_refunds_once(database, provider) == 0
    await repaired(database, provider)
    assert (await paid_back(database), await books(database)) == ([1_000], {})


async def test_a_refund_that_was_sent_and_not_settled_is_sent_once_all_the_same(
    database: Database, provider: SimulatedProvider
) -> None:
    await owed(database, provider)
    assert await send_refunds_once(database, Dying(database, "a secret")) == 1
    assert (await paid_back(database), await books(database)) == (
        [1_000],
        {"ESCROW": 1_000, "PROVIDER": -1_000},
    )
    assert await violations(database) == []
    await repaired(database, provider)
    assert (await paid_back(database), await books(database)) == ([1_000], {})
    assert await violations(database) == []


async def test_two_jobs_never_send_the_same_refund_at_once_and_settle_it_once(
    database: Database, provider: SimulatedProvider
) -> None:
    await owed(database, provider)
    async with database.transaction() as first:
        (row,) = await claim_refunds(first, provider=provider.name, refunds_max=20)
        assert await send_refunds_once(database, provider) == 0
    news = await provider.refund(refund_of(row), row["paid_by"])
    name = {"user_id": row["user_id"], "refund_id": row["id"]}
    said = await asyncio.gather(*(transact(database, settle_refund, **name, news=news) for _ in range(10)))
    assert said.count(True) == 1
    assert await books(database) == {}


async def test_a_refund_that_the_provider_cannot_make_stays_owed(
    database: Database, provider: SimulatedProvider
) -> None:
    await owed(database, provider)
    (row,) = await transact(database, claim_refunds, provider=provider.name, refunds_max=20)
    name = {"user_id": row["user_id"], "refund_id": row["id"]}
    waiting, failed = (RefundNews("re_1", said) for said in (Said.WAITING, Said.FAILED))
    assert not await transact(database, settle_refund, **name, news=waiting)
    (found,) = await database.rows("SELECT status, ask_at FROM refunds")
    assert (found["status"], found["ask_at"] is None) == ("PENDING", False)
    assert not await transact(database, settle_refund, **name, news=failed)
    await repaired(database, provider)
    assert (await paid_back(database), await books(database)) == (
        [],
        {"ESCROW": 1_000, "PROVIDER": -1_000},
    )
    assert await violations(database) == []


async def test_other_news_than_of_ours_and_another_amount_sell_nothing(
    database: Database, provider: SimulatedProvider
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    paid = await charged(database, order, provider)
    before = await everything(database)
    assert not await settled(database, replace(paid, reference="pi_other"))
    assert not await settled(database, paid, ProviderName.STRIPE)
    assert await everything(database) == before
    assert not await settled(database, replace(paid, amount_minor=999))
    assert ((await order_of(database, order)).status, await books(database)) == ("PENDING", {})
    assert await violations(database) == []


async def test_without_a_provider_no_refund_is_sent(database: Database, provider: Provider) -> None:
    assert await send_refunds_once(database, None) == 0
