"""`rowlock webhooks` and `rowlock deliveries` as an operator uses them: real processes, a real receiver."""

import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from database import Database
from jobs.deliver import ATTEMPTS_MAX
from settings import Settings
from tests.receiving import Receiver, added, receiving, told
from tests.saying import said
from tests.world import everything, hold, new_event, new_user, pay

ROOT = Path(__file__).parent.parent.parent
SECONDS_MAX = 60


def environment_of(settings: Settings) -> dict[str, str]:
    """What a process is told of these settings."""
    assert settings.database_url
    told = {"DATABASE_URL": settings.database_url, "AMQP_EXCHANGE": settings.amqp_exchange}
    if settings.redis_url:
        told["REDIS_URL"] = settings.redis_url
    if settings.amqp_url:
        told["AMQP_URL"] = settings.amqp_url.get_secret_value()
    return os.environ | told


@dataclass
class Operator:
    """Runs commands on the database of the test."""

    settings: Settings

    async def run(self, *arguments: str, fails: bool = False) -> str:
        """What a command says; where it fails, why."""
        status, text = await said(environment_of(self.settings), *arguments)
        assert (status != 0) is fails, text
        return text


@pytest.fixture
def operator(database: Database, settings: Settings) -> Operator:
    return Operator(settings)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def sold(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=10_000)
    await pay(database, alice, await hold(database, alice, event, [0, 1]))


async def test_an_endpoint_is_added_tried_told_again_and_disabled(
    database: Database, operator: Operator, receiver: Receiver
) -> None:
    said = await operator.run("webhooks", "add", receiver.url, "--kind", "ticket.purchased")
    found = re.search(r"endpoint=(\S+)\nsecret=(whsec_\S+)\n", said)
    assert found
    endpoint, secret = found.groups()
    assert await operator.run("webhooks", "test", endpoint) == "It answered 204.\n"
    receiver.status, receiver.text = 500, "out of order"
    complaint = await operator.run("webhooks", "test", endpoint, fails=True)
    assert complaint == "It answered 500: out of order\n"
    receiver.status = 204
    await sold(database)
    await told(database)
    replayed = await operator.run("webhooks", "replay", endpoint, "--since", "2020-01-01T00:00:00")
    assert replayed.startswith("1 will be sent again")
    await told(database)
    assert receiver.kinds == ["webhook.test"] * 2 + ["ticket.purchased"] * 2
    rotated = await operator.run("webhooks", "rotate", endpoint, "--overlap-hours", "1")
    assert "secret=whsec_" in rotated
    assert secret not in rotated
    await operator.run("webhooks", "disable", endpoint)
    listed = await operator.run("webhooks", "list")
    assert re.fullmatch(rf"{endpoint}  disabled \S+  {re.escape(receiver.url)}  ticket.purchased\n", listed)
    before = await everything(database)
    for refused in (
        ("test", endpoint),
        ("replay", endpoint, "--since", "2020-01-01T00:00:00"),
        ("add", "https://hook.example", "--kind", "ticket.eaten"),
    ):
        await operator.run("webhooks", *refused, fails=True)
    assert await everything(database) == before


async def test_what_was_given_up_is_listed_shown_and_tried_again(
    database: Database, operator: Operator, receiver: Receiver
) -> None:
    endpoint, _ = await added(database, receiver.url, ("ticket.purchased",))
    await sold(database)
    receiver.status, receiver.text = 500, "out of order"
    await told(database)
    assert "failing since" in await operator.run("webhooks", "list")
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET attempts = $1, next_attempt_at = now()", ATTEMPTS_MAX - 1)
    await told(database)
    listed = await operator.run("deliveries", "list", "--to", str(endpoint))
    id = listed.partition(" ")[0]
    assert listed == f"{id}  WEBHOOK  {ATTEMPTS_MAX} tried  {endpoint}  500: out of order\n"
    shown = await operator.run("deliveries", "show", id)
    assert "DEAD" in shown
    assert "500: out of order" in shown
    await operator.run("deliveries", "retry", fails=True)
    assert await operator.run("deliveries", "retry", id) == "1 will be tried again.\n"
    receiver.status = 200
    await told(database)
    assert "SENT" in await operator.run("deliveries", "show", id)
    await operator.run("deliveries", "retry", id, fails=True)
