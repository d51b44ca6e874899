"""A test event to an endpoint, or to the broker: whatever they do, whoever tries it is told, in time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from database import Database
from jobs.try_endpoint import try_endpoint
from messages import webhooks
from models.webhook_endpoints import BROKER_ID
from settings import Settings
from tests.broker import system
from tests.receiving import Receiver, added, receiving
from tests.world import everything


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def test_an_endpoint_that_hangs_is_left_and_holds_no_connection_meanwhile(
    database: Database, settings: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS_MAX", 0.5)
    receiver.hangs = True
    endpoint_id, _ = await added(database, receiver.url)
    before = await everything(database)
    trial = asyncio.create_task(try_endpoint(database, settings, endpoint_id))
    async with asyncio.timeout(20):
        await receiver.came.wait()
        assert database.pools["writing"].in_use == database.pools["reading"].in_use == 0
        tried = await trial
    assert (tried.taken, tried.status, tried.answer) == (False, None, "It was not sent: TimeoutError")
    assert await everything(database) == before


async def test_an_answer_that_nobody_can_read_is_said(
    database: Database, settings: Settings, receiver: Receiver
) -> None:
    receiver.status, receiver.headers = 200, {"content-encoding": "gzip"}
    endpoint_id, _ = await added(database, receiver.url)
    tried = await try_endpoint(database, settings, endpoint_id)
    assert (tried.taken, tried.status) == (False, None)
    assert "compresses its answer" in tried.answer


async def test_a_broker_that_will_not_have_us_says_why_and_no_password_is_told(
    database: Database, with_broker: Settings
) -> None:
    assert with_broker.amqp_url
    url = with_broker.amqp_url.get_secret_value()
    password = url.partition("rowlock:")[2].partition("@")[0]
    for wrong in (url.replace(password, "a-wrong-password"), f"{url}no-such-vhost"):
        there = with_broker.model_copy(update={"amqp_url": SecretStr(wrong)})
        tried = await try_endpoint(database, there, BROKER_ID)
        assert not tried.taken
        assert tried.answer.startswith("It was not sent: ")
        assert "a-wrong-password" not in tried.answer
        assert password not in tried.answer
    async with system(with_broker) as other:
        await other.channel.exchange_delete(with_broker.amqp_exchange)
        await other.channel.declare_exchange(with_broker.amqp_exchange, "fanout")
        tried = await try_endpoint(database, with_broker, BROKER_ID)
        assert "PRECONDITION_FAILED" in tried.answer
        await other.channel.exchange_delete(with_broker.amqp_exchange)
