"""`rowlock worker --confirm`, and `rowlock webhooks` with a broker, as an operator uses them."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from database import Database
from messages import broker
from models.webhook_endpoints import BROKER_ID
from settings import Settings, SettingsError
from steps.locks import lock_orders
from tests.broker import listen, published, system
from tests.commands.test_webhooks import ROOT, SECONDS_MAX, Operator, environment_of
from tests.world import everything, hold, new_event, new_user, pay, until_somebody_waits

CONFIRMED = "SELECT FROM notifications WHERE kind = 'ORDER_CONFIRMED'"


@pytest.fixture
def operator(database: Database, with_broker: Settings) -> Operator:
    return Operator(with_broker)


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
    async with asyncio.timeout(SECONDS_MAX):
        while not await database.rows(statement):
            await asyncio.sleep(0.02)


async def test_a_worker_that_is_killed_over_a_purchase_leaves_it_to_the_next(
    database: Database, with_broker: Settings
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=10_000)
    await listen(database)
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM notifications")
    async with worker(with_broker) as first:
        async with database.transaction() as tx:
            await lock_orders(tx, event.id, [order.id])
            await until_somebody_waits(database)
            first.send_signal(signal.SIGKILL)
            await first.wait()
        assert await database.rows(CONFIRMED) == []
    async with worker(with_broker) as second:
        await until(database, CONFIRMED)
        second.send_signal(signal.SIGINT)
        assert await second.wait() == 0
    assert len(await database.rows(CONFIRMED)) == 1


async def test_the_broker_is_listed_tried_told_again_and_disabled_once_nobody_has_it(
    database: Database, operator: Operator, with_broker: Settings, settings: Settings
) -> None:
    await listen(database)
    async with system(with_broker) as other:
        assert await operator.run("webhooks", "test", str(BROKER_ID)) == "The broker has it.\n"
        assert (await other.got()).type == "webhook.test"
        await new_event(database)
        await published(database, with_broker)
        said = await operator.run("webhooks", "replay", str(BROKER_ID), "--since", "2020-01-01T00:00:00")
        assert said.startswith("1 will be sent again")
        await published(database, with_broker)
        assert await other.kinds(2) == ["event.published"] * 2
    listed = await operator.run("webhooks", "list")
    assert re.match(rf"{BROKER_ID}  good  amqp:  event.cancelled ", listed)
    before = await everything(database)
    assert "AMQP_URL" in await operator.run("webhooks", "disable", str(BROKER_ID), fails=True)
    assert await everything(database) == before
    without = Operator(settings)
    assert "told nothing any more" in await without.run("webhooks", "disable", str(BROKER_ID))
    assert "AMQP_URL" in await without.run("webhooks", "test", str(BROKER_ID), fails=True)
    assert "AMQP_URL" in await without.run("worker", "--confirm", fails=True)


def test_a_broker_without_what_speaks_with_it_is_said_at_the_start(
    with_broker: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"rowlock\[amqp\]"):
        broker.BrokerSender(with_broker)
