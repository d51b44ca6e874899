"""One line an operation, with all that one looks for and with no secret, whichever door it came by."""

import asyncio
import logging
from collections.abc import Callable
from hashlib import sha256

import orjson
import pytest

from database import Database
from observing import logs
from schema import ids
from tests.observing.conftest import Log
from tests.resolvers.test_seats import WATCH, update
from tests.routes.test_graphql_events import EVENTS, events
from tests.serving import Server, receive, subscribe
from tests.world import hold, new_event, new_user

NAMED = "query Names { venues { totalCount } }"
KEYS = {
    "timestamp",
    "level",
    "event",
    "name",
    "cost",
    "kind",
    "field",
    "document",
    "transport",
    "user_id",
    "duration_ms",
    "outcome",
    "correlation_id",
}
REFUSED = 'mutation { login(input: {email: "nobody@example.com", password: "not a word"}) { __typename } }'


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def test_an_operation_is_one_line(database: Database, server: Server, log: Log) -> None:
    alice = await new_user(database)
    answer = await server.post(NAMED, alice)
    line = log.only()
    assert set(line) == KEYS
    assert line["duration_ms"] > 0
    assert line["correlation_id"] == answer.headers["x-correlation-id"]
    assert {key: line[key] for key in ("level", "name", "kind", "field", "transport", "outcome")} == {
        "level": "info",
        "name": "Names",
        "kind": "query",
        "field": "venues",
        "transport": "http",
        "outcome": "ok",
    }
    assert line["document"] == sha256(NAMED.encode()).hexdigest()
    assert line["user_id"] == str(alice.id)


@pytest.mark.parametrize(
    ("query", "outcome", "field"),
    [
        (REFUSED, "refused:INVALID_CREDENTIALS", "login"),
        ("{ viewer { id } }", "ok", "viewer"),
        ("{ orders { totalCount } }", "error:UNAUTHORIZED", "orders"),
        ("{ nope }", "error:VALIDATION_ERROR", "invalid"),
        ("{", "error:VALIDATION_ERROR", "invalid"),
        ("query A { __typename } query B { __typename }", "error:VALIDATION_ERROR", "invalid"),
        ("{ __schema { queryType { name } } }", "ok", "introspection"),
        ("{ a: venues { totalCount } b: venues { totalCount } }", "ok", "venues"),
        ("{ venues { totalCount } eventCategories }", "ok", "several"),
        ("{ ...F } fragment F on Query { venues { totalCount } }", "ok", "several"),
    ],
)
async def test_a_line_tells_how_it_went(
    server: Server, log: Log, query: str, outcome: str, field: str
) -> None:
    await server.post(query)
    line = log.only()
    assert (line["outcome"], line["field"]) == (outcome, field)


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"content": b"[", "headers": {"content-type": "application/json"}}, "error:VALIDATION_ERROR"),
        ({"json": {"query": NAMED}, "headers": {"authorization": "Bearer x"}}, "error:UNAUTHORIZED"),
        ({"json": {"query": NAMED}, "headers": {"accept": "image/png"}}, "error:VALIDATION_ERROR"),
    ],
)
async def test_a_request_that_is_turned_away_is_a_line_too(
    server: Server, log: Log, options: dict[str, object], outcome: str
) -> None:
    await server.http.post("/graphql", **options)  # type: ignore[arg-type]
    assert log.only()["outcome"] == outcome


async def test_an_operation_over_a_socket_is_one_line_and_the_socket_another(
    database: Database, server: Server, log: Log
) -> None:
    alice = await new_user(database)
    async with server.socket(alice) as socket:
        await subscribe(socket, NAMED)
        assert [(await receive(socket))["type"] for _ in range(2)] == ["next", "complete"]
        await until(lambda: log.of("operation"))
        await subscribe(socket, "{ nope }", id="2")
        assert (await receive(socket))["type"] == "error"
    await until(lambda: log.of("socket"))
    good, wrong = log.of("operation")
    assert (good["outcome"], good["transport"], good["name"]) == ("ok", "websocket", "Names")
    assert good["user_id"] == str(alice.id)
    assert wrong["outcome"] == "error:VALIDATION_ERROR"
    assert good["correlation_id"] != wrong["correlation_id"]
    assert set(log.only("socket")) == {
        "timestamp",
        "level",
        "event",
        "route",
        "duration_ms",
        "code",
        "correlation_id",
    }


async def test_a_subscription_is_one_line_when_it_ends_with_its_frames(
    database: Database, server: Server, log: Log
) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with server.socket() as socket:
        await subscribe(socket, WATCH, e=ids.event_id(event.id))
        await update(socket)
        await hold(server.app.state.house.database, alice, event, [1])
        await update(socket)
        assert log.of("operation") == []
        await socket.send('{"id": "1", "type": "complete"}')
        await until(lambda: log.of("operation"))
    line = log.only()
    assert (line["kind"], line["field"], line["frames"], line["outcome"]) == (
        "subscription",
        "seatStatus",
        2,
        "ok",
    )


async def test_a_stream_of_events_is_one_line(database: Database, server: Server, log: Log) -> None:
    event = await new_event(database)
    body = {"query": WATCH, "variables": {"e": ids.event_id(event.id)}}
    async with server.http.stream("POST", "/graphql", json=body, headers=EVENTS) as response:
        await anext(events(response.aiter_lines()))
    await until(lambda: log.of("operation"))
    line = log.only()
    assert (line["transport"], line["frames"], line["outcome"]) == ("sse", 1, "ok")
    assert line["correlation_id"] == response.headers["x-correlation-id"]


async def test_a_mutation_that_its_client_ends_is_cancelled(
    database: Database, server: Server, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def hang(*_: object, **__: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(server.app.state.house.database, "rows", hang)
    async with server.socket() as socket:
        await subscribe(socket, NAMED)
        async with asyncio.timeout(10):
            await asked.wait()
        await socket.send('{"id": "1", "type": "complete"}')
        await until(lambda: log.of("operation"))
    assert log.only()["outcome"] == "cancelled"


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [
        ("order-2026.11_21", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("short", False),
        ("two words here", False),
        ('"quoted-quoted"', False),
        ("umläute-umläute".encode("latin-1"), False),
    ],
)
async def test_an_id_that_is_well_formed_is_taken_over(
    server: Server, log: Log, given: str, is_taken: bool
) -> None:
    answer = await server.http.post("/graphql", json={"query": NAMED}, headers={"X-Correlation-Id": given})
    said = answer.headers["x-correlation-id"]
    assert log.only()["correlation_id"] == said
    assert (said == given) is is_taken


async def test_what_nobody_foresaw_has_one_id_in_the_answer_the_header_and_the_log(
    server: Server, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server.app.state.house.database, "rows", broken)
    answer = await server.post("{ eventCategories }")
    (error,) = answer.json()["errors"]
    told, ended = log.lines
    assert {told["correlation_id"], ended["correlation_id"], answer.headers["x-correlation-id"]} == {
        error["extensions"]["correlationId"]
    }
    assert "ZeroDivisionError" in told["exception"]
    assert (ended["level"], ended["outcome"]) == ("error", "error:INTERNAL_ERROR")


async def test_a_plain_route_is_one_line_without_its_path(server: Server, log: Log) -> None:
    await server.http.get("/events/ev_whatever/plan")
    await server.http.get("/secret-of-somebody?token=abc")
    await server.http.get("/graphql", headers={"Accept": "text/html"})
    known, unknown, page = log.of("request")
    assert (known["method"], known["route"], known["status"]) == ("GET", "/events/{event_id}/plan", 400)
    assert (unknown["route"], unknown["status"]) == (None, 404)
    assert (page["route"], page["status"]) == ("/graphql", 200)
    assert "secret" not in log.text
    assert "whatever" not in log.text


async def test_who_looks_whether_all_is_well_is_not_logged(server: Server, log: Log) -> None:
    for path in ("/health", "/health/live", "/metrics"):
        assert (await server.http.get(path)).status_code == 200
    assert log.lines == []


async def test_a_plain_route_that_breaks_is_masked_with_an_id_that_is_in_the_log(
    server: Server, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("postgresql://secret")

    monkeypatch.setattr("routes.oauth._credentials", broken)
    answer = await server.http.post("/oauth/token", data={"grant_type": "client_credentials"})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (500, "INTERNAL_ERROR")
    assert "secret" not in answer.text
    assert error["extensions"]["correlationId"] == answer.headers["x-correlation-id"]
    told, ended = log.lines
    assert told["correlation_id"] == ended["correlation_id"] == answer.headers["x-correlation-id"]
    assert (ended["status"], ended["level"]) == (500, "error")


async def test_a_log_that_cannot_be_written_fails_no_request(server: Server, log: Log) -> None:
    log.close()
    answer = await server.post(NAMED)
    assert answer.json() == {"data": {"venues": {"totalCount": 0}}}
    assert (await server.http.get("/nowhere")).status_code == 404
    logging.getLogger("rowlock.anything").error("this is lost")


async def test_from_a_higher_level_on_only_faults_are_told(
    server: Server, kept_logging: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    logs.set_up("ERROR", as_json=True, stream=log)
    await server.post(NAMED)
    assert log.lines == []

    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server.app.state.house.database, "rows", broken)
    await server.post("{ eventCategories }")
    assert [line["level"] for line in log.lines] == ["error", "error"]


@pytest.mark.parametrize("said", ["a sentence", "two\nlines", "half a pair \ud800"])
def test_other_loggers_speak_through_the_same_lines(log: Log, said: str) -> None:
    (handler,) = (h for h in logging.getLogger().handlers if isinstance(h, logs._Handler))
    record = {"name": "asyncio", "levelno": logging.WARNING, "levelname": "WARNING", "msg": said}
    handler.handle(logging.makeLogRecord(record))
    (line,) = log.lines
    assert (line["logger"], line["level"]) == ("asyncio", "warning")
    assert line["event"].startswith(said[:9])
    assert line["timestamp"].endswith("Z")


def test_in_development_lines_are_for_people(kept_logging: None) -> None:
    log = Log()
    logs.set_up("INFO", as_json=False, stream=log)
    logs.journal().info("operation", outcome="ok")
    logging.getLogger("alembic").info("nobody asks")
    logging.getLogger("alembic").warning("somebody should hear")
    first, second = log.text.splitlines()
    assert "operation" in first
    assert "outcome=ok" in first
    assert "somebody should hear" in second
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(first)
