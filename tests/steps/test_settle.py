"""Settling payments: credited once, whatever comes when, and after a crash between any two steps."""

import asyncio
from dataclasses import replace
from itertools import permutations

import pytest

from database import Database
from jobs.check_invariants import violations
from jobs.settle_payments import settle_payments_once
from models.columns import new_id
from models.payments import ProviderName
from payments.provider import Said
from payments.simulated import SimulatedProvider
from steps.idempotency import Key
from steps.refusals import RefusalCode
from steps.settle import claim_payments
from steps.top_up import note_top_up
from steps.transact import transact
from tests.paying import balance, begun, make_due, opened, settled, statuses
from tests.world import everything, new_user, refusal_of


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


async def test_what_was_paid_is_credited_once(database: Database, provider: SimulatedProvider) -> None:
    alice = await new_user(database)
    waiting = await begun(database, alice, provider)
    assert not await settled(database, waiting)
    paid = await provider.play(waiting.reference, "succeeded")
    said = await asyncio.gather(*(settled(database, paid) for _ in range(5)))
    assert sorted(said) == [False, False, False, False, True]
    assert await balance(database, alice) == 2_500
    (row,) = await database.rows("SELECT debit, credit, kind, amount_minor FROM movements")
    assert tuple(row) == ("PROVIDER", "CREDITS", "TOP_UP", 2_500)
    assert await violations(database) == []


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_news_may_come_in_any_order(
    database: Database, provider: SimulatedProvider, order: tuple[int, ...]
) -> None:
    alice = await new_user(database)
    news = await begun(database, alice, provider)
    paid = replace(news, said=Said.SUCCEEDED, amount_minor=2_500)
    failed = replace(news, said=Said.FAILED, reason="The card was declined.")
    for place in order:
        await settled(database, (paid, failed, news)[place])
    assert await statuses(database) == ["SUCCESS"]
    assert await balance(database, alice) == 2_500
    assert await violations(database) == []


async def test_a_declined_card_credits_nothing_and_another_card_still_may(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    news = await begun(database, alice, provider)
    await settled(database, await provider.play(news.reference, "failed"))
    (row,) = await database.rows("SELECT status, reason FROM payments")
    assert tuple(row) == ("FAILED", "The card was declined.")
    assert await balance(database, alice) == 0
    await provider.play(news.reference, "succeeded")
    await make_due(database)
    assert await settle_payments_once(database, provider) == 1
    assert (await statuses(database), await balance(database, alice)) == (["SUCCESS"], 2_500)


async def test_news_of_nobodys_payment_changes_nothing(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    paid = await provider.play((await begun(database, alice, provider)).reference, "succeeded")
    before = await everything(database)
    for wrong in (
        replace(paid, user_id=new_id()),
        replace(paid, payment_id=new_id()),
        replace(paid, reference="pi_other"),
    ):
        assert not await settled(database, wrong)
    assert not await settled(database, paid, ProviderName.STRIPE)
    assert await everything(database) == before


@pytest.mark.parametrize("wrong", [{"amount_minor": 2_499}, {"amount_minor": 2_501}, {"currency": "USD"}])
async def test_another_amount_than_was_asked_for_is_credited_to_nobody(
    database: Database, provider: SimulatedProvider, wrong: dict[str, object]
) -> None:
    alice = await new_user(database)
    paid = await provider.play((await begun(database, alice, provider)).reference, "succeeded")
    assert not await settled(database, replace(paid, **wrong))
    (row,) = await database.rows("SELECT status, reason FROM payments")
    assert tuple(row) == ("PENDING", "The provider has received another amount.")
    assert not await database.rows("SELECT 1 FROM movements")


async def test_a_crash_before_the_provider_was_asked_costs_nobody_anything(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    payment = await opened(database, alice)
    await make_due(database)
    assert await settle_payments_once(database, provider) == 1
    assert (await statuses(database), await settle_payments_once(database, provider)) == (["FAILED"], 0)
    refused = await refusal_of(transact(database, note_top_up, news=await provider.begin(payment)))
    assert refused.code is RefusalCode.PAYMENT_FAILED


async def test_a_crash_before_the_reference_was_noted_is_made_good_by_the_same_key(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    key = Key.of(alice.id, "topUp", "k", {})
    first = await provider.begin(await opened(database, alice, key=key))
    again = await provider.begin(await opened(database, alice, key=key))
    assert again == first
    await transact(database, note_top_up, news=again)
    assert len(await database.rows("SELECT 1 FROM payments")) == 1
    assert len(await database.rows("SELECT 1 FROM simulated_payments")) == 1


async def test_a_webhook_before_the_reference_was_noted_counts(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    news = await provider.begin(await opened(database, alice))
    assert await settled(database, await provider.play(news.reference, "succeeded"))
    entry = await transact(database, note_top_up, news=news)
    assert (entry.status, await balance(database, alice)) == ("SUCCESS", 2_500)


async def test_a_payment_whose_webhook_was_lost_is_found_by_the_job(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    news = await begun(database, alice, provider)
    await provider.play(news.reference, "succeeded")
    assert await settle_payments_once(database, provider) == 0
    assert await settle_payments_once(database, None) == 0
    await make_due(database)
    assert await settle_payments_once(database, provider) == 1
    assert await balance(database, alice) == 2_500
    await make_due(database)
    assert await settle_payments_once(database, provider) == 0


async def test_a_payment_that_nobody_paid_in_a_day_is_cancelled(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    news = await begun(database, alice, provider)
    await make_due(database, hours=23)
    assert await settle_payments_once(database, provider) == 1
    assert await statuses(database) == ["PENDING"]
    await make_due(database, hours=2)
    assert await settle_payments_once(database, provider) == 1
    assert await statuses(database) == ["FAILED"]
    assert (await provider.play(news.reference, "succeeded")).said is Said.CANCELLED
    await make_due(database)
    assert await settle_payments_once(database, provider) == 0


async def test_what_is_paid_just_before_it_would_be_cancelled_is_credited(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    news = await begun(database, alice, provider)
    await provider.play(news.reference, "succeeded")
    await make_due(database, hours=25)
    await settle_payments_once(database, provider)
    assert (await statuses(database), await balance(database, alice)) == (["SUCCESS"], 2_500)


async def test_two_jobs_never_ask_about_the_same_payment_at_once(
    database: Database, provider: SimulatedProvider
) -> None:
    alice = await new_user(database)
    await provider.play((await begun(database, alice, provider)).reference, "succeeded")
    await make_due(database)
    async with database.transaction() as first:
        assert len(await claim_payments(first, provider=provider.name, payments_max=20)) == 1
        assert await settle_payments_once(database, provider) == 0
    assert await settle_payments_once(database, provider) == 0
    assert await balance(database, alice) == 0
