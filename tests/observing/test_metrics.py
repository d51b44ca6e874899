"""What is counted is right, is bounded in its labels, and is shown to nobody else."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from auth import passwords
from database import Database
from observing.metrics import SHARED_FOLDER
from schema import ids
from settings import Settings
from tests.observing.test_logs import REFUSED, until
from tests.observing.test_tracing import RESERVE
from tests.resolvers.test_seats import WATCH, update
from tests.serving import Server, receive, serving, subscribe
from tests.world import hold, new_event, new_user, pay

ROOT = Path(__file__).parent.parent.parent
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def samples(server: Server, **headers: str) -> Samples:
    """All that Prometheus would read, by name and labels."""
    answer = await server.http.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation for family in families)
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


class Growth:
    """What has been counted since: counters live as long as the process of the tests."""

    def __init__(self, server: Server, before: Samples) -> None:
        self._server = server
        self._before = before

    async def of(self, name: str, **labels: str) -> float:
        key = name, tuple(sorted(labels.items()))
        return (await samples(self._server)).get(key, 0) - self._before.get(key, 0)


@pytest.fixture
async def growth(server: Server) -> Growth:
    return Growth(server, await samples(server))


async def test_operations_are_counted_by_field_and_outcome(server: Server, growth: Growth) -> None:
    for _ in range(3):
        await server.post("query Mine { venues { totalCount } }")
    await server.post(REFUSED)
    await server.post("{ orders { totalCount } }")
    assert await growth.of("rowlock_operations_total", operation="venues", outcome="ok") == 3
    assert await growth.of("rowlock_operation_seconds_count", operation="venues") == 3
    assert await growth.of("rowlock_operation_seconds_sum", operation="venues") > 0
    assert await growth.of("rowlock_operations_total", operation="login", outcome="refused") == 1
    assert await growth.of("rowlock_refusals_total", operation="login", code="INVALID_CREDENTIALS") == 1
    assert await growth.of("rowlock_operations_total", operation="orders", outcome="error") == 1
    assert await growth.of("rowlock_errors_total", code="UNAUTHORIZED") == 1


async def test_no_client_makes_a_label(server: Server) -> None:
    await server.post("{ venues { totalCount } }")
    await server.post("{ nope }")
    await server.http.get("/nowhere")
    before = set(await samples(server))
    for number in range(20):
        name = f"name_{number}"
        await server.post(f"query {name} {{ {name}: venues {{ totalCount }} }}")
        await server.post(f"{{ {name} }}")
        await server.http.get(f"/{name}")
    assert set(await samples(server)) == before


async def test_seats_and_batches_are_counted_once_they_are_committed(
    database: Database, server: Server, growth: Growth
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    own = server.app.state.house.database
    seats = [ids.seat_id(event.id, index) for index in (0, 1)]
    for made in ("OrderPayload", "Refusal"):
        answer = await server.ask(RESERVE, alice, e=ids.event_id(event.id), s=seats)
        assert answer["reserve"]["__typename"] == made
    await pay(own, alice, await hold(own, alice, event, [5, 6, 7]))
    assert await growth.of("rowlock_seats_held_total") == 5
    assert await growth.of("rowlock_seats_sold_total") == 3
    assert await growth.of("rowlock_batch_wishes_count", of="reservations") == 2


async def test_sockets_subscriptions_and_frames_are_counted(
    database: Database, server: Server, growth: Growth
) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with server.socket() as one, server.socket() as other:
        for socket in (one, other):
            await subscribe(socket, WATCH, e=ids.event_id(event.id))
            await update(socket)
        await hold(server.app.state.house.database, alice, event, [1])
        for socket in (one, other):
            await update(socket)
        assert await growth.of("rowlock_sockets") == 2
        assert await growth.of("rowlock_subscriptions") == 2
        assert await growth.of("rowlock_streams") == 1
        assert await growth.of("rowlock_watched_events") == 1
        assert await growth.of("rowlock_frames_total") == 4
    async with asyncio.timeout(10):
        while await growth.of("rowlock_sockets") or await growth.of("rowlock_subscriptions"):
            await asyncio.sleep(0.01)
    assert await growth.of("rowlock_operations_total", operation="seatStatus", outcome="ok") == 2
    assert await growth.of("rowlock_operation_seconds_count", operation="seatStatus") == 0


async def test_a_full_pool_and_who_waits_for_it_are_seen(database: Database, settings: Settings) -> None:
    async with serving(settings.model_copy(update={"database_pool_size": 2})) as server:
        own = server.app.state.house.database

        async def use() -> None:
            async with own.transaction():
                await done.wait()

        done = asyncio.Event()
        users = [asyncio.create_task(use()) for _ in range(5)]
        await until(lambda: own.pools["writing"].waiting == 3 or any(user.done() for user in users))
        found = await samples(server)
        done.set()
        await asyncio.gather(*users)
    writing = (("pool", "writing"),)
    assert found["rowlock_pool_size", writing] == 2
    assert found["rowlock_pool_in_use", writing] == 2
    assert found["rowlock_pool_waiting", writing] == 3


async def test_passwords_that_are_being_hashed_are_seen(server: Server) -> None:
    waiting = [asyncio.create_task(passwords.hash_password("a password")) for _ in range(4)]
    await asyncio.sleep(0)
    assert (await samples(server))["rowlock_passwords_hashing", ()] > 0
    await asyncio.gather(*waiting)
    await until(lambda: passwords.passwords_hashing() == 0)
    assert (await samples(server))["rowlock_passwords_hashing", ()] == 0


async def test_changes_without_a_number_are_seen(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, alice = await new_event(database), await new_user(database)

    async def nothing(*_: object) -> int:
        return 0

    monkeypatch.setattr("routes.health.KNOWN_SECONDS", 0)
    with monkeypatch.context() as idle:
        idle.setattr("jobs.relay.number_changes_once", nothing)
        await hold(server.app.state.house.database, alice, event, [1, 2])
        found = await samples(server)
    assert found["rowlock_relay_waiting_changes", ()] == 2
    assert found["rowlock_relay_waiting_seconds", ()] >= 0


async def test_without_a_database_there_are_metrics_all_the_same(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    async with serving(nowhere) as server:
        assert ("rowlock_sockets", ()) in await samples(server)


async def test_only_this_machine_may_read_them_without_a_token(server: Server) -> None:
    assert (await server.http.get("/metrics")).status_code == 200
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        answer = await server.http.get("/metrics", headers={name: "203.0.113.7"})
        assert (answer.status_code, "METRICS_TOKEN" in answer.text) == (403, True)
        assert "rowlock_" not in answer.text


async def test_with_a_token_whoever_has_it_may_read_them(settings: Settings, database: Database) -> None:
    changed = {"metrics_token": "a token of many characters"}
    own = Settings.model_validate(settings.model_dump() | changed)
    async with serving(own) as server:
        for authorization in ("", "Bearer", "Bearer x", "a token of many characters", "Bearer ä"):
            sent = {"Authorization": authorization.encode("latin-1")}
            answer = await server.http.get("/metrics", headers=sent)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert "rowlock_" not in answer.text
        await samples(
            server, Authorization="Bearer a token of many characters", **{"X-Forwarded-For": "203.0.113.7"}
        )


async def test_there_are_none_where_they_are_not_wanted(settings: Settings, database: Database) -> None:
    async with serving(settings.model_copy(update={"metrics": False})) as server:
        assert (await server.http.get("/metrics")).status_code == 404
        assert (await server.post("{ __typename }")).status_code == 200


def test_what_a_dead_process_counted_stays_and_what_it_had_open_goes(tmp_path: Path) -> None:
    counting = "from observing.metrics import *; SOCKETS.inc(3); count_operation('venues', 'ok', 1)"
    reading = f"{counting}; SOCKETS.dec(1); print(exposition().decode())"
    environment = os.environ | {SHARED_FOLDER: str(tmp_path), "PYTHONPATH": str(ROOT)}
    for program in (counting, reading):
        command = [sys.executable, "-c", program]
        read = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    lines = read.splitlines()
    assert "rowlock_sockets 2.0" in lines
    assert 'rowlock_operations_total{operation="venues",outcome="ok"} 2.0' in lines
    assert 'rowlock_operation_seconds_count{operation="venues"} 2.0' in lines


async def test_a_slow_watcher_that_gets_a_snapshot_is_counted(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.stream.UPDATES_BEHIND_MAX", 1)
    event, alice = await new_event(database), await new_user(database)
    async with serving(settings.model_copy(update={"frame_milliseconds": 0})) as server:
        streams, own = server.streams, server.app.state.house.database
        let_go, sent = asyncio.Event(), []

        async def slow(payload: str) -> None:
            sent.append(payload)
            await let_go.wait()

        encoded: list[Any] = []

        def encode(update: Any) -> str:
            encoded.append(update)
            return "x"

        async with streams.join("slow", event.id, encode, slow, None):
            await until(lambda: sent)
            async with server.socket() as socket:
                await subscribe(socket, WATCH, e=ids.event_id(event.id))
                await receive(socket)
                for index in range(3):
                    await hold(own, alice, event, [index])
                    await update(socket)
            let_go.set()
            await until(lambda: len(sent) == 2)
        assert streams.sent.skipped == 3
