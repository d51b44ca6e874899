"""What waits to be sent is seen, and whether that is the house's fault or its receiver's."""

import pytest

from database import Database
from jobs.gauges import OVERDUE_SECONDS_MAX, Gauges
from jobs.tell_endpoints import tell_endpoints_once
from jobs.tell_people import tell_people_once
from live.bus import Bus
from live.hub import Hub
from live.stream import Streams
from messages.message import Undeliverable
from observing import metrics
from settings import Settings
from tests.broker import listen, named, published
from tests.codes import ENVELOPES
from tests.delivering import Provider, delivered, posted
from tests.receiving import added, receiving, told
from tests.world import hold, new_event, new_user, pay


@pytest.fixture
def gauges(database: Database) -> Gauges:
    hub = Hub(database, Bus(None))
    return Gauges(database, hub, Streams(hub))


async def let_wait(database: Database, table: str, column: str) -> None:
    """Let whatever waits have waited for a little longer than is well."""
    async with database.transaction() as tx:
        seconds = f"interval '{OVERDUE_SECONDS_MAX + 1} seconds'"
        await tx.rows(f"UPDATE {table} SET {column} = statement_timestamp() - {seconds}")


def waiting(kind: str) -> float:
    return metrics.DELIVERIES_WAITING.labels(kind)._value.get()


def overdue_seconds() -> float:
    return metrics.DELIVERIES_OVERDUE._value.get()


async def test_nothing_that_waits_is_well(gauges: Gauges) -> None:
    assert await gauges.look_at_deliveries()
    assert (waiting("EMAIL"), overdue_seconds()) == (0, 0)


async def test_a_message_that_nobody_sends_is_told(database: Database, gauges: Gauges) -> None:
    await posted(database, await new_user(database))
    assert await gauges.look_at_deliveries()
    assert waiting("EMAIL") == 1
    await let_wait(database, "deliveries", "next_attempt_at")
    assert not await gauges.look_at_deliveries()
    assert overdue_seconds() > OVERDUE_SECONDS_MAX
    await delivered(database, Provider(database, fails_with=Undeliverable("unknown")))
    assert await gauges.look_at_deliveries()
    assert metrics.DELIVERIES_DEAD.labels("EMAIL")._value.get() == 1


async def test_announcements_that_nobody_tells_are_told(database: Database, gauges: Gauges) -> None:
    await added(database, "https://hook.example")
    await new_event(database)
    assert await gauges.look_at_deliveries()
    await let_wait(database, "announcements", "created_at")
    assert not await gauges.look_at_deliveries()


async def test_notifications_that_nobody_looks_at_are_told(database: Database, gauges: Gauges) -> None:
    alice = await new_user(database, credits_minor=5_000)
    await pay(database, alice, await hold(database, alice, await new_event(database), [0]))
    assert await gauges.look_at_deliveries()
    await let_wait(database, "notifications", "created_at")
    assert not await gauges.look_at_deliveries()
    await tell_people_once(database, ENVELOPES)
    assert await gauges.look_at_deliveries()


async def test_a_receiver_that_fails_is_no_fault_of_the_house(database: Database, gauges: Gauges) -> None:
    async with receiving() as receiver:
        receiver.status = 500
        await added(database, receiver.url, ("ticket.purchased",))
        event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
        await pay(database, alice, await hold(database, alice, event, [0]))
        await told(database)
        await let_wait(database, "deliveries", "next_attempt_at")
        assert await gauges.look_at_deliveries()
        assert waiting("WEBHOOK") == 1
        receiver.status = 200
        await told(database)
        await pay(database, alice, await hold(database, alice, event, [1]))
        await tell_endpoints_once(database, ENVELOPES)
        await let_wait(database, "deliveries", "next_attempt_at")
        assert not await gauges.look_at_deliveries()


async def test_nor_is_a_broker_that_is_away(database: Database, settings: Settings, gauges: Gauges) -> None:
    await listen(database)
    await new_event(database)
    await tell_endpoints_once(database, ENVELOPES)
    await let_wait(database, "deliveries", "next_attempt_at")
    assert not await gauges.look_at_deliveries()
    assert await published(database, named(settings, "amqp://127.0.0.1:1/")) == 1
    await let_wait(database, "deliveries", "next_attempt_at")
    assert await gauges.look_at_deliveries()
    assert waiting("AMQP") == 1
