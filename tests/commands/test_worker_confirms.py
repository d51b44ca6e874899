"""`rowlock worker --confirm`, and `rowlock webhooks` with a broker, as an operator uses them."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from database import Database
from jobs.confirm_purchases import Confirmer, purchases_of
from messages import broker
from messages.broker_queue import BrokerQueue
from models.webhook_endpoints import BROKER_ID
from settings import Settings, SettingsError
from steps.locks import lock_orders
from steps.webhook_endpoints import TAKE_IT_AWAY
from tests.broker import System, listen, published, system, tell, telling_of
from tests.codes import ENVELOPES
from tests.commands.test_webhooks import ROOT, SECONDS_MAX, environment_of
from tests.saying import said
from tests.world import everything, hold, new_event, new_user, pay, until_somebody_waits

CONFIRMED = "SELECT FROM notifications WHERE kind = 'ORDER_CONFIRMED'"


async def told(settings: Settings, *arguments: str) -> str:
    """What a command says, or why it does not do it."""
    return (await said(environment_of(settings), *arguments))[1]


@asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "cli.py"),
        "worker",
        "--confirm",
        cwd=ROOT,
        env=environment_of(settings),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(database: Database, statement: str) -> None:
    """Wait until there is such a row."""
    async with asyncio.timeout(SECONDS_MAX):
        while not await database.rows(statement):
            await asyncio.sleep(0.02)


async def at_work(other: System, queue: BrokerQueue) -> None:
    """Wait until somebody consumes the queue: garbage is put aside."""
    await tell(other, queue, b"garbage")
    await other.got(queue.dead)


async def test_a_worker_publishes_and_confirms_and_one_that_is_killed_leaves_its_message_to_the_next(
    database: Database, with_broker: Settings
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=10_000)
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM notifications")
    queue = purchases_of(with_broker, Confirmer(with_broker, database, None, ENVELOPES))
    async with system(with_broker) as other:
        await queue._declare(other.channel)
        async with worker(with_broker) as first:
            await at_work(other, queue)
            async with database.transaction() as tx:
                await lock_orders(tx, event.id, [order.id])
                await tell(other, queue, telling_of(order))
                await until_somebody_waits(database)
                first.send_signal(signal.SIGKILL)
                await first.wait()
        assert await database.rows(CONFIRMED) == []
        async with worker(with_broker) as second:
            await until(database, f"{CONFIRMED} AND told_at IS NOT NULL")
            await pay(database, alice, await hold(database, alice, event, [1]))
            await until(database, "SELECT FROM deliveries WHERE kind = 'AMQP' AND state = 'SENT'")
            second.send_signal(signal.SIGINT)
            assert await second.wait() == 0
        assert (await other.got()).routing_key == "ticket.purchased"
    assert len(await database.rows(f"{CONFIRMED} AND order_id = $1", order.id)) == 1


async def test_the_broker_is_listed_tried_told_again_and_disabled_once_nobody_has_it(
    database: Database, with_broker: Settings, settings: Settings
) -> None:
    await listen(database)
    id = str(BROKER_ID)
    async with system(with_broker) as other:
        assert await told(with_broker, "webhooks", "test", id) == "The broker has it.\n"
        assert (await other.got()).type == "webhook.test"
        await new_event(database)
        await published(database, with_broker)
        replayed = await told(with_broker, "webhooks", "replay", id, "--since", "2020-01-01T00:00:00")
        assert replayed.startswith("1 will be sent again")
        await published(database, with_broker)
        assert await other.kinds(2) == ["event.published"] * 2
    listed = await told(with_broker, "webhooks", "list")
    assert listed.startswith(f"{id}  good  amqp:  event.cancelled ")
    before = await everything(database)
    assert await told(with_broker, "webhooks", "disable", id) == f"Nothing was changed. {TAKE_IT_AWAY}\n"
    assert "AMQP_URL is not set" in await told(settings, "webhooks", "test", id)
    assert "AMQP_URL is not set" in await told(settings, "worker", "--confirm")
    assert await everything(database) == before
    assert "told nothing any more" in await told(settings, "webhooks", "disable", id)


def test_a_broker_without_what_speaks_with_it_is_said_at_the_start(
    with_broker: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"rowlock\[amqp\]"):
        broker.BrokerSender(with_broker)
