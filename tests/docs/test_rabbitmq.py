"""The page on RabbitMQ: its consumer gets what we publish, once each, and its names and numbers are ours."""

import asyncio
from typing import Any

from database import Database
from jobs.tell_endpoints import replay_since
from live.ending import end
from messages.broker_queue import FAILURES, PAUSES_MILLISECONDS, WHY
from models.webhook_endpoints import BROKER_ID
from settings import Settings
from tests.broker import SECONDS_MAX, listen, published, system
from tests.codes import ENVELOPES
from tests.docs.pages import ROOT, examples_of
from tests.world import hold, new_event, new_user, pay, refund

PAGE = "docs/rabbitmq.md"
LINES_MAX = 15


async def test_the_consumer_of_the_page_gets_each_event_once(
    database: Database, with_broker: Settings
) -> None:
    (example,) = examples_of(PAGE)
    assert len([line for line in example.text.splitlines() if line.strip()]) <= LINES_MAX
    names: dict[str, Any] = {}
    own = with_broker.amqp_exchange
    exec(example.text.replace('"rowlock"', f'"{own}"').replace('"crm"', f'"{own}.crm"'), names)  # noqa: S102
    got, came = list[str](), asyncio.Event()

    async def handle(kind: str, data: dict[str, Any]) -> None:
        got.append(kind)
        if kind == "ticket.refunded":
            came.set()

    async with system(with_broker) as other:  # as if the consumer had been here before
        queue = await other.channel.declare_queue(f"{own}.crm", durable=True)
        await queue.bind(own, "ticket.*")
    await listen(database)
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    (start,) = await database.rows("SELECT min(created_at) AS at FROM announcements")
    await published(database, with_broker)
    await replay_since(database, ENVELOPES, BROKER_ID, start["at"])
    await refund(database, alice, order)
    await published(database, with_broker)
    assert with_broker.amqp_url
    url = with_broker.amqp_url.get_secret_value()
    consuming = asyncio.create_task(names["consume"](url, set(), handle))
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await came.wait()
    finally:
        await end([consuming])
    assert got == ["ticket.purchased", "ticket.refunded"]


def test_the_names_and_numbers_of_the_page_are_ours() -> None:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    first, second, third, *_, last = PAUSES_MILLISECONDS
    assert f"`rowlock.confirm.retry.{first}`, then `.{second}`, `.{third}`, …\n`.{last}`" in text
    assert f"after {sum(PAUSES_MILLISECONDS) // 60_000} minutes" in text
    assert all(f"`{name}`" in text for name in (FAILURES, WHY))
    assert str(BROKER_ID) in text
