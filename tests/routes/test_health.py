"""Whether the house is well, said within a bounded time whatever hangs, by servers that are really frozen."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import routes.health
from database import Database
from routes.health import Check
from settings import Settings
from tests.live.valkey import Valkey
from tests.serving import Server, serving
from tests.way import way_to

SECONDS_MAX = 10


async def health(server: Server, path: str = "") -> tuple[int, dict[str, Any]]:
    async with asyncio.timeout(SECONDS_MAX):
        answer = await server.http.get(f"/health{path}")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (answer.status_code == 200) is (body["status"] == "healthy")
    return answer.status_code, body["checks"]


async def until_health(server: Server, status: int, **checks: str) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            found, told = await health(server)
            if found == status and told.items() >= checks.items():
                return
            await asyncio.sleep(0.01)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes.health, "CHECK_SECONDS_MAX", 0.3)
    monkeypatch.setattr(routes.health, "KNOWN_SECONDS", 0)


@pytest.fixture
async def postgres(database: Database) -> int:
    """The process that all of PostgreSQL's others are children of."""
    (row,) = await database.rows("SELECT pg_backend_pid() AS pid")
    return int(Path(f"/proc/{row['pid']}/stat").read_text().rpartition(")")[2].split()[1])


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process and its children while the block lasts; nothing that they should answer is refused."""
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    try:
        for each in pids:
            os.kill(each, signal.SIGSTOP)
        yield
    finally:
        for each in pids:
            os.kill(each, signal.SIGCONT)


@pytest.fixture
async def own(database: Database, settings: Settings, valkey: Valkey) -> AsyncIterator[Server]:
    """A server whose Redis is the test's own."""
    async with serving(settings.model_copy(update={"redis_url": valkey.url})) as server:
        await until_health(server, 200)
        yield server


async def test_all_is_well(server: Server) -> None:
    await until_health(server, 200)
    answer = await server.http.get("/health")
    body = answer.json()
    assert set(body) == {"status", "service", "version", "timestamp", "checks"}
    assert (body["status"], body["service"]) == ("healthy", "rowlock")
    assert body["checks"] == dict.fromkeys(("database", "redis", "relay", "deliveries"), "connected")
    assert body["timestamp"].endswith("Z")
    assert datetime.fromisoformat(body["timestamp"]) <= datetime.now(UTC)
    for path, checks in (
        ("/live", set()),
        ("/ready", {"database"}),
        ("/db", {"database"}),
        ("/redis", {"redis"}),
    ):
        assert await health(server, path) == (200, dict.fromkeys(checks, "connected"))
    assert (await server.http.get("/health/broker")).status_code == 404


async def test_a_database_that_hangs_is_told_in_time_and_one_that_goes_on_too(
    impatient: None, own: Server, postgres: int
) -> None:
    with frozen(postgres):
        status, checks = await health(own)
        assert (status, checks["database"], checks["redis"]) == (503, "disconnected", "connected")
        assert await health(own, "/ready") == (503, {"database": "disconnected"})
        assert await health(own, "/db") == (503, {"database": "disconnected"})
        assert await health(own, "/redis") == (200, {"redis": "connected"})
        assert await health(own, "/live") == (200, {})
    await until_health(own, 200)


async def test_a_redis_that_hangs_is_told_in_time_and_does_not_keep_the_server_from_selling(
    impatient: None, own: Server, valkey: Valkey
) -> None:
    valkey.freeze()
    status, checks = await health(own)
    assert (status, checks["database"], checks["redis"]) == (503, "connected", "disconnected")
    assert await health(own, "/redis") == (503, {"redis": "disconnected"})
    assert await health(own, "/ready") == (200, {"database": "connected"})
    valkey.thaw()
    await until_health(own, 200)


async def test_a_redis_that_dies_is_told(impatient: None, own: Server, valkey: Valkey) -> None:
    await valkey.kill()
    await until_health(own, 503, redis="disconnected", database="connected")
    await valkey.start()
    await until_health(own, 200)


async def test_a_broker_that_is_cut_off_is_told_and_does_not_keep_the_server_from_selling(
    impatient: None, database: Database, settings: Settings, with_broker: Settings
) -> None:
    assert with_broker.amqp_url
    async with way_to(with_broker.amqp_url.get_secret_value()) as way:
        by_that_way = with_broker.model_copy(update={"amqp_url": SecretStr(way.url)})
        async with serving(by_that_way) as server:
            await until_health(server, 200, broker="connected")
            assert await health(server, "/broker") == (200, {"broker": "connected"})
            await way.cut()
            await until_health(server, 503, broker="disconnected", database="connected")
            assert await health(server, "/broker") == (503, {"broker": "disconnected"})
            assert await health(server, "/ready") == (200, {"database": "connected"})
            await way.mend()
            await until_health(server, 200, broker="connected")
            way.block()
            await until_health(server, 503, broker="disconnected")
            way.unblock()
            await until_health(server, 200, broker="connected")


async def test_a_relay_that_fails_or_falls_silent_is_told(
    impatient: None, own: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr("jobs.relay.number_changes_once", fail)
        await until_health(own, 503, relay="disconnected", database="connected")
    await until_health(own, 200)
    monkeypatch.setattr(routes.health, "RELAY_SILENCE_SECONDS_MAX", -1)
    await until_health(own, 503, relay="disconnected", database="connected")
    assert await health(own, "/ready") == (200, {"database": "connected"})


async def test_many_who_ask_at_once_are_one_question() -> None:
    asked = 0

    async def ask() -> bool:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return True

    check = Check(ask)
    assert await asyncio.gather(*(check.is_good() for _ in range(100))) == [True] * 100
    assert await check.is_good()
    assert asked == 1


async def test_an_answer_that_is_old_is_asked_for_again(impatient: None) -> None:
    answers = iter([True, False])

    async def ask() -> bool:
        return next(answers)

    check = Check(ask)
    assert [await check.is_good(), await check.is_good()] == [True, False]


async def test_a_question_that_cannot_be_ended_is_asked_once(impatient: None) -> None:
    asked, free = 0, asyncio.Event()

    async def ask() -> bool:
        nonlocal asked
        asked += 1
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        return True

    check = Check(ask)
    async with asyncio.timeout(SECONDS_MAX):
        assert [await check.is_good(), await check.is_good()] == [False, False]
    assert asked == 1
    free.set()
