"""Purchases that a real broker tells of: validated, confirmed, tried again later and later, or put aside."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from database import Database
from jobs.confirm_purchases import Confirmer
from jobs.tell_people import tell_people_once
from messages.broker_queue import FAILURES, WHY, Handle
from models.catalogue import Event
from models.money import to_major
from models.users import User
from payments.provider import ProviderAway
from payments.simulated import SimulatedProvider
from settings import Settings
from steps.confirm import confirm_order
from steps.locks import lock_orders
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.broker import System, Watched, consuming, listen, published, system, tell, telling_of
from tests.cards import bought_by_card, charged, order_of, tickets_of
from tests.codes import ENVELOPES
from tests.world import everything, hold, new_event, new_user, pay, refund, refusal_of

MAILS = "SELECT FROM deliveries WHERE kind = 'EMAIL'"
CONFIRMED = "SELECT user_id FROM notifications WHERE kind = 'ORDER_CONFIRMED'"


class Provider(SimulatedProvider):
    """One that is away for its next calls."""

    away = 0

    async def ask(self, reference: str) -> Any:
        if self.away:
            self.away -= 1
            raise ProviderAway("it does not answer")
        return await super().ask(reference)


@pytest.fixture
def provider(database: Database) -> Provider:
    return Provider(database, "a key of the test")


@pytest.fixture
async def event(database: Database) -> Event:
    return await new_event(database)


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=100_000)


@pytest.fixture
def confirm(database: Database, with_broker: Settings, provider: Provider) -> Handle:
    return Confirmer(with_broker, database, provider, ENVELOPES).confirm


@pytest.fixture
async def queue(with_broker: Settings, confirm: Handle) -> AsyncIterator[Watched]:
    """The queue of purchases, consumed while the test runs."""
    async with consuming(Watched(with_broker, confirm)) as queue:
        yield queue


@pytest.fixture
async def other(with_broker: Settings) -> AsyncIterator[System]:
    async with system(with_broker) as found:
        yield found


async def forget_notices(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM notifications")


async def test_a_sale_that_is_published_is_confirmed_and_nothing_is_changed_by_it(
    database: Database, with_broker: Settings, queue: Watched, alice: User, event: Event
) -> None:
    await listen(database)
    await pay(database, alice, await hold(database, alice, event, [0, 1]))
    await tell_people_once(database, ENVELOPES)
    await published(database, with_broker)
    before = await everything(database)
    await queue.until_taken(1)
    assert await everything(database) == before
    assert await queue.waiting() == 0
    assert len(await database.rows(CONFIRMED)) == 1


async def test_a_buyer_who_was_never_notified_is_so_once_by_two_consumers_and_many_messages(
    database: Database,
    with_broker: Settings,
    confirm: Handle,
    queue: Watched,
    other: System,
    alice: User,
    event: Event,
) -> None:
    orders = [await pay(database, alice, await hold(database, alice, event, [i])) for i in range(3)]
    await forget_notices(database)
    async with consuming(Watched(with_broker, confirm)) as second:
        await tell(other, queue, *(telling_of(order) for order in orders * 6))
        async with asyncio.timeout(20):
            while queue.taken + second.taken < 18:
                await asyncio.sleep(0.01)
        assert queue.taken
        assert second.taken
    assert len(await database.rows(CONFIRMED)) == len(await database.rows(MAILS)) == 3
    assert await queue.waiting() == 0


async def test_an_order_that_waits_for_its_card_is_settled_when_the_provider_has_the_money(
    database: Database, provider: Provider, queue: Watched, other: System, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0, 1])
    await charged(database, order, provider)
    assert (await order_of(database, order)).status == "PENDING"
    await tell(other, queue, telling_of(order))
    await queue.until_taken(1)
    assert (await order_of(database, order)).status == "CONFIRMED"
    assert await tickets_of(database, order) == "AA"
    before = await everything(database)
    await tell(other, queue, telling_of(order))
    await queue.until_taken(2)
    assert await everything(database) == before


async def test_a_provider_that_is_away_is_asked_again_later(
    database: Database, provider: Provider, queue: Watched, other: System, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0])
    await charged(database, order, provider)
    provider.away = 2
    await tell(other, queue, telling_of(order))
    await queue.until_taken(3)
    assert (await order_of(database, order)).status == "CONFIRMED"
    assert await queue.waiting(dead=True) == 0


async def test_what_fails_too_often_is_put_aside_with_the_reason(
    database: Database, provider: Provider, queue: Watched, other: System, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0])
    await charged(database, order, provider)
    provider.away = 1_000
    before = await everything(database)
    await tell(other, queue, telling_of(order))
    dead = await other.got(queue.dead)
    await queue.until_taken(3)
    assert (dead.body, dead.message_id, dead.delivery_mode) == (telling_of(order), "m", 2)
    assert (dead.headers[FAILURES], dead.headers[WHY]) == (3, "ProviderAway: it does not answer")
    assert await everything(database) == before


async def test_an_order_that_nobody_has_paid_is_not_confirmed(
    database: Database, queue: Watched, other: System, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0])
    before = await everything(database)
    await tell(other, queue, telling_of(order), **{FAILURES: "made up"})
    assert (await other.got(queue.dead)).headers[WHY] == "NotPaidYet: nobody has paid the order so far"
    await queue.until_taken(3)
    assert await everything(database) == before


async def test_what_is_no_valid_purchase_is_put_aside_at_once_and_changes_nothing(
    database: Database, provider: Provider, queue: Watched, other: System, alice: User, event: Event
) -> None:
    paid, refunded, falsified = [
        await pay(database, alice, await hold(database, alice, event, [index])) for index in range(3)
    ]
    await refund(database, alice, refunded)
    unpaid = await bought_by_card(database, alice, event, provider, 3)
    async with database.transaction() as tx:
        await tx.rows("UPDATE payments SET status = 'FAILED', settled_at = NULL")
        await tx.rows("UPDATE movements SET amount_minor = 1 WHERE reference = $1", falsified.id)
    price = to_major(paid.total_minor, paid.currency)
    wrong = {
        b"\x00 garbage": "It: Invalid JSON: expected value at line 1 column 1",
        telling_of(paid, total_minor=1): f"The message says 0.01 EUR, the order costs {price} EUR.",
        telling_of(refunded): "The order is REFUNDED.",
        telling_of(unpaid): "What was paid for the order is not what it costs.",
        telling_of(falsified): "What was paid for the order is not what it costs.",
        telling_of(paid, order_id=uuid4()): "There is no such order.",
    }
    before = await everything(database)
    await tell(other, queue, *wrong)
    found = [await other.got(queue.dead) for _ in wrong]
    assert {message.body: message.headers[WHY] for message in found} == wrong
    assert {message.headers[FAILURES] for message in found} == {1}
    await queue.until_taken(len(wrong))
    assert await everything(database) == before


async def test_what_a_consumer_had_in_hand_that_died_another_gets(
    database: Database, with_broker: Settings, confirm: Handle, other: System, alice: User, event: Event
) -> None:
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    await forget_notices(database)
    done, never = asyncio.Event(), asyncio.Event()

    async def die_after_it(body: bytes) -> None:
        await confirm(body)
        done.set()
        await never.wait()

    async with consuming(Watched(with_broker, die_after_it)) as first:
        await tell(other, first, telling_of(order))
        async with asyncio.timeout(20):
            await done.wait()
    before = await everything(database)
    async with consuming(Watched(with_broker, confirm)) as second:
        await second.until_taken(1)
        assert await second.waiting() == 0
    assert (first.taken, await everything(database)) == (0, before)
    assert len(await database.rows(CONFIRMED)) == 1


async def test_a_queue_that_was_deleted_is_made_again(
    database: Database, queue: Watched, other: System, alice: User, event: Event
) -> None:
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    queue.ready.clear()
    await other.channel.queue_delete(queue.name)
    async with asyncio.timeout(20):
        await queue.ready.wait()
    await tell(other, queue, telling_of(order))
    await queue.until_taken(1)


async def test_what_cannot_be_put_aside_is_not_lost(
    database: Database, queue: Watched, other: System
) -> None:
    queue.ready.clear()
    await other.channel.queue_delete(queue.dead)
    await tell(other, queue, b"garbage")
    async with asyncio.timeout(20):
        await queue.ready.wait()
    assert (await other.got(queue.dead)).body == b"garbage"


async def test_an_order_that_others_have_in_hand_is_tried_again(
    database: Database, settings: Settings, provider: Provider, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0])
    await charged(database, order, provider)
    impatient = Database(settings.model_copy(update={"lock_timeout_ms": 50}))
    confirmer = Confirmer(settings, impatient, provider, ENVELOPES)
    async with database.transaction() as tx:
        await lock_orders(tx, event.id, [order.id])
        refused = await refusal_of(confirmer.confirm(telling_of(order)))
    assert refused.code is RefusalCode.BUSY
    await impatient.close()
    await Confirmer(settings, database, provider, ENVELOPES).confirm(telling_of(order))
    assert (await order_of(database, order)).status == "CONFIRMED"


async def test_an_order_that_was_paid_at_the_counter_is_as_good(
    database: Database, settings: Settings, provider: Provider, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0])
    names = {"event_id": order.event_id, "order_id": order.id}
    await transact(database, confirm_order, cashier_id=alice.id, **names)
    await Confirmer(settings, database, provider, ENVELOPES).confirm(telling_of(order))
    assert len(await database.rows(MAILS)) == 1
