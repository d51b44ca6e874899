"""`rowlock` as a person uses it, on a real database; what serves and works, in real processes."""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import orjson
from asyncpg import connect

from database import Database
from demo.load import ACCOUNTS
from schema import ids
from schema.root import sorted_sdl
from settings import Settings
from tests.collector import collecting
from tests.resolvers.test_seats import WATCH, changes_to
from tests.serving import greeted, receive, subscribe
from tests.shell import ROOT, SECONDS_MAX, Shell, url_of
from tests.world import hold, new_event, new_user, plan_text

IDLE = {"JOBS_IN_SERVER": "false"}


async def test_the_demo_is_loaded_once_and_agrees_with_itself(shell: Shell) -> None:
    assert (await shell.run_apart("serve"))[0] == 1  # not migrated yet
    assert (await shell.run("migrate"))[0] == 0
    assert (await shell.run("demo")) == (0, "The demo is loaded.\n")
    assert (await shell.run("demo")) == (0, "The demo was there already.\n")
    status, said = await shell.run("check")
    assert (status, "no violation" in said) == (0, True)
    database = await connect(shell.database_url)
    sizes = await database.fetch("SELECT total_seats FROM events WHERE status = 'PUBLISHED' ORDER BY 1")
    assert sizes[0][0] == 540
    assert sizes[2][0] >= 18_000
    balances = await database.fetch("SELECT balance_minor FROM accounts")
    assert [row[0] for row in balances] == [100_000, 100_000]
    await database.execute("UPDATE accounts SET balance_minor = 1")
    status, said = await shell.run("check")
    assert (status, said.count("8. A balance equals its movements")) == (1, 2)
    await database.close()


async def test_a_plan_is_imported_or_refused_with_the_place(shell: Shell) -> None:
    await shell.run("demo")
    database = await connect(shell.database_url)
    await database.execute("UPDATE events SET status = 'DRAFT' WHERE total_seats = 540")
    await database.execute("UPDATE tiers SET name = 'Stalls' WHERE name = 'Booths'")
    await database.execute(
        """DELETE FROM seats s USING tiers t WHERE s.event_id = t.event_id AND s.tier = t.number
           AND t.name IN ('Tables', 'Gallery')
           AND s.event_id = (SELECT id FROM events WHERE status = 'DRAFT')"""
    )
    await database.execute("DELETE FROM tiers WHERE name IN ('Tables', 'Gallery')")
    event = ids.event_id(await database.fetchval("SELECT id FROM events WHERE status = 'DRAFT'"))
    before = await database.fetch("SELECT * FROM seats ORDER BY event_id, index")
    empty = orjson.dumps({"name": "x", "zones": []}).decode()
    for text, place in (
        ("not json", "not JSON"),
        (plan_text(2, 2).replace('"1-1"', '"0-0"'), "row '2', seat '2'"),
        (plan_text(2, 2, category="Moon"), "Moon"),
        (empty, "Stalls"),
        (plan_text(1_000, 100) + " ", "100,000"),
    ):
        (shell.folder / "plan.json").write_text(text)
        status, said = await shell.run("import-plan", "plan.json", "--event", event)
        assert (status, place in said) == (1, True), said
        assert said.startswith("Nothing was changed.")
    assert (await shell.run("import-plan", "none.json", "--event", event))[0] == 1
    assert (await shell.run("import-plan", "plan.json", "--event", "garbage"))[0] == 1
    assert await database.fetch("SELECT * FROM seats ORDER BY event_id, index") == before
    (shell.folder / "plan.json").write_text(plan_text(3, 4))
    status, said = await shell.run("import-plan", "plan.json", "--event", event)
    assert (status, said) == (0, "The event has 512 seats and places now.\n")
    await database.close()


async def test_all_processes_of_a_server_tell_the_same(shell: Shell, settings: Settings) -> None:
    await shell.run("migrate")
    database = Database(settings.model_copy(update={"database_url": shell.database_url}))
    event, alice = await new_event(database), await new_user(database)
    server = await shell.start("serve", "--workers", "2", PORT="0", LOG_LEVEL="INFO", **IDLE)
    url = (await url_of(server)).replace("http", "ws") + "/graphql"
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(greeted(url)) for _ in range(8)]
        for socket in sockets:
            await subscribe(socket, WATCH, e=ids.event_id(event.id))
            await receive(socket)
        for index in range(3):
            await hold(database, alice, event, [index])
        told = [await changes_to(socket, 3) for socket in sockets]
    assert told == [[(1, 0, "HELD"), (2, 1, "HELD"), (3, 2, "HELD")]] * len(sockets)
    server.send_signal(signal.SIGINT)
    async with asyncio.timeout(SECONDS_MAX):
        await server.communicate()
    await database.close()


async def until_counted(http: httpx2.AsyncClient, line: str) -> None:
    """Read the metrics until they have this line."""
    async with asyncio.timeout(SECONDS_MAX):
        while line not in (await http.get("/metrics")).text.splitlines():
            await asyncio.sleep(0.05)


async def test_all_processes_of_a_server_are_counted_and_traced_together(
    shell: Shell, tmp_path: Path
) -> None:
    await shell.run("migrate")
    secret = {
        "ROWLOCK_MODE": "production",
        "SECRET_KEY": "x" * 32,
        "TMPDIR": str(tmp_path),
        "LOG_LEVEL": "DEBUG",
    }
    with collecting() as collector:
        server = await shell.start(
            "serve", "--workers", "2", PORT="0", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **secret, **IDLE
        )
        url = await url_of(server)
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url))
            await until_counted(http, 'rowlock_pool_size{pool="reading"} 20.0')  # both are there
            sockets = [
                await stack.enter_async_context(greeted(url.replace("http", "ws") + "/graphql?token=zebra"))
                for _ in range(16)
            ]
            for socket in sockets:  # each is in the one or the other process
                await subscribe(socket, "{ venues { totalCount } }", password="zebra")
                assert [(await receive(socket))["type"] for _ in range(2)] == ["next", "complete"]
            await until_counted(http, "rowlock_sockets 16.0")
            await until_counted(http, 'rowlock_operations_total{operation="venues",outcome="ok"} 16.0')
            assert set(tmp_path.glob("rowlock-metrics-*")) != set()
        server.send_signal(signal.SIGINT)
        async with asyncio.timeout(SECONDS_MAX):
            _, said = await server.communicate()
    assert set(tmp_path.glob("rowlock-metrics-*")) == set()
    assert b"zebra" not in said
    lines = [orjson.loads(line) for line in said.splitlines()]
    assert [line["outcome"] for line in lines if line["event"] == "operation"] == ["ok"] * 16
    assert "uvicorn.error" in {line.get("logger") for line in lines}
    assert len(collector.named("query venues")) == 16


async def test_traces_without_what_makes_them_are_refused_with_what_to_do(shell: Shell) -> None:
    (shell.folder / "sitecustomize.py").write_text(
        "import sys\nsys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
    )
    path = f"{shell.folder}{os.pathsep}{ROOT}"
    wanted = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "PYTHONPATH": path}
    for command in ("serve", "worker"):
        status, said = await shell.run_apart(command, **wanted)
        assert (status, "install `rowlock[tracing]`" in said) == (1, True), said


async def test_the_server_and_the_worker_run_and_stop(shell: Shell) -> None:
    server = await shell.start("serve", "--demo", PORT="0", LOG_LEVEL="INFO")
    worker = await shell.start("worker")
    url = await url_of(server)
    async with httpx2.AsyncClient(base_url=url) as http:
        answer = await http.post("/graphql", json={"query": "{ events { totalCount } }"})
    assert answer.json() == {"data": {"events": {"totalCount": 3}}}
    for process in (server, worker):
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(SECONDS_MAX):
            out, _ = await process.communicate()
        assert process.returncode == 0, out


async def test_what_is_printed_is_what_is_committed(shell: Shell) -> None:
    assert await shell.run("schema") == (0, sorted_sdl())
    status, said = await shell.run("env-example")
    assert (status, said) == (0, (ROOT / ".env.example").read_text())


async def test_production_does_not_start_with_a_default_secret_nor_load_the_demo(shell: Shell) -> None:
    secret = {"ROWLOCK_MODE": "production", "SECRET_KEY": "x" * 32}
    for command in (("demo",), ("serve", "--demo")):
        status, said = await shell.run_apart(*command, **secret)
        assert (status, "not for production" in said) == (1, True)
    status, said = await shell.run_apart("serve", ROWLOCK_MODE="production")
    assert (status, "SECRET_KEY must be set in production" in said) == (1, True)


def test_the_demo_has_the_accounts_that_the_readme_names() -> None:
    assert set(ACCOUNTS) == {f"{who}@example.com" for who in ("admin", "operator", "staff", "alice", "bob")}


async def test_other_systems_are_let_in_and_shut_out(shell: Shell) -> None:
    assert (await shell.run("migrate"))[0] == 0
    status, made = await shell.run("service-token", "create", "the till")
    assert status == 0
    client_id, secret = (line.partition("=")[2] for line in made.splitlines()[:2])
    status, listed = await shell.run("service-token", "list")
    assert (status, "good" in listed, client_id in listed) == (0, True, True)
    assert secret not in listed
    assert await shell.run("service-token", "revoke", client_id) == (0, "the till is shut out.\n")
    assert "revoked" in (await shell.run("service-token", "list"))[1]
    status, said = await shell.run("service-token", "revoke", client_id)
    assert (status, "Nothing was changed. There is no such client" in said) == (1, True)


async def test_a_top_up_is_paid_by_who_has_its_client_secret_and_not_in_production(shell: Shell) -> None:
    await shell.run("migrate")
    status, said = await shell.run("pay-card", "pi_simulated_1_secret_2")
    assert (status, "has this client secret" in said) == (1, True)
    secret = {"ROWLOCK_MODE": "production", "SECRET_KEY": "x" * 32}
    status, said = await shell.run("pay-card", "pi_simulated_1_secret_2", **secret)
    assert (status, "not for production" in said) == (1, True)


async def test_a_statement_is_printed_as_csv_or_says_why_not(shell: Shell) -> None:
    await shell.run("migrate")
    period = ("--from", "2026-01-01", "--to", "2026-02-01")
    status, said = await shell.run("statement", *period)
    assert (status, said.splitlines()[0].split(",")[:3]) == (0, ["entry", "at", "account"])
    status, said = await shell.run("statement", *period, "--user", "nobody")
    assert (status, "This is no statement." in said) == (1, True)
