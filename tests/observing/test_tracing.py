"""Spans, as a real receiver gets them: of operations, transactions and batches, and none unless wanted."""

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from database import Database
from observing import tracing
from schema import ids
from settings import SettingsError
from tests.collector import Collector, attributes_of, collecting
from tests.resolvers.test_sessions import LOGIN
from tests.serving import Server, receive, subscribe
from tests.world import new_event, new_user

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RESERVE = """mutation ($e: ID!, $s: [ID!]!) {
    reserve(input: {eventId: $e, selection: {seatIds: $s}}) { __typename } }"""


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """A receiver, and a process that traces for it."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "")
        tracing.start()
        yield collector
        await tracing.stop()


async def test_a_reservation_is_an_operation_with_a_batch_with_a_transaction(
    database: Database, server: Server, collector: Collector
) -> None:
    event, alice = await new_event(database), await new_user(database)
    body = {
        "query": RESERVE,
        "variables": {"e": ids.event_id(event.id), "s": [ids.seat_id(event.id, 1)]},
    }
    headers = {
        "traceparent": f"00-{TRACE}-{PARENT}-01",
        "authorization": f"Bearer {server.token(alice)}",
    }
    answer = await server.http.post("/graphql", json=body, headers=headers)
    assert answer.json() == {"data": {"reserve": {"__typename": "OrderPayload"}}}
    tracing.flush()
    (operation,) = collector.named("mutation reserve")
    assert (operation.trace_id.hex(), operation.parent_span_id.hex()) == (TRACE, PARENT)
    told = attributes_of(operation)
    assert (told["rowlock.field"], told["rowlock.outcome"]) == ("reserve", "ok")
    assert told["rowlock.user_id"] == str(alice.id)
    assert told["rowlock.correlation_id"] == answer.headers["x-correlation-id"]
    (batch,) = collector.named("batch")
    assert (batch.trace_id.hex(), batch.parent_span_id) == (TRACE, operation.span_id)
    assert attributes_of(batch) == {"of": "reservations", "wishes": 1}
    assert [link.span_id for link in batch.links] == [operation.span_id]
    assert batch.span_id in {span.parent_span_id for span in collector.named("transaction")}
    assert {resource["service.name"] for resource in collector.resources} == {"rowlock"}
    assert collector.resources[0]["deployment.environment.name"] == "test"


async def test_each_operation_of_a_socket_has_its_span(server: Server, collector: Collector) -> None:
    async with server.socket() as socket:
        for id in ("1", "2"):
            await subscribe(socket, "{ venues { totalCount } }", id=id)
            assert [(await receive(socket))["type"] for _ in range(2)] == ["next", "complete"]
    async with asyncio.timeout(10):
        while not collector.named("WebSocket /graphql"):
            tracing.flush()
            await asyncio.sleep(0.01)
    (socket_span,) = collector.named("WebSocket /graphql")
    operations = collector.named("query venues")
    assert [span.parent_span_id for span in operations] == [socket_span.span_id] * 2


async def test_a_fault_is_marked_and_no_secret_is_sent(
    server: Server, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(text: str, *_: object) -> None:
        raise ZeroDivisionError(text)

    monkeypatch.setattr("resolvers.sessions.is_password", broken)
    await server.post(LOGIN, e="zebra@example.com", p="zebra password")
    await server.http.get("/zebra?token=zebra")
    tracing.flush()
    (operation,) = collector.named("mutation login")
    assert operation.status.code == operation.status.STATUS_CODE_ERROR
    assert collector.named("GET unknown")
    assert [body for body in collector.bodies if b"zebra" in body] == []


async def test_what_is_malformed_is_not_taken_over(server: Server, collector: Collector) -> None:
    for traceparent in ("00-x-y-01", "é".encode("latin-1"), f"00-{'0' * 32}-{PARENT}-01"):
        body = {"query": "{ venues { totalCount } }"}
        answer = await server.http.post("/graphql", json=body, headers={"traceparent": traceparent})
        assert answer.status_code == 200
    tracing.flush()
    assert [span.parent_span_id for span in collector.named("query venues")] == [b""] * 3


async def test_without_an_endpoint_nothing_is_traced(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing.WHERE:
        monkeypatch.delenv(name, raising=False)
    with collecting() as collector:
        tracing.start()
        await server.post("{ venues { totalCount } }")
        assert tracing.span("anything") is tracing.NOTHING
        assert tracing.here() is None
        tracing.flush()
    assert collector.spans == []


@pytest.mark.parametrize("name", tracing.WHERE)
def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    tracing.require()
    monkeypatch.setenv(name, "http://127.0.0.1:4318")
    with pytest.raises(SettingsError, match=r"install `rowlock\[tracing\]`, or unset it"):
        tracing.require()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    tracing.require()
