"""GraphQL over Server-Sent Events, for networks without WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from database import Database
from schema import ids
from tests.resolvers.test_seats import WATCH
from tests.serving import Server
from tests.world import hold, new_event, new_user

EVENTS = {"accept": "text/event-stream"}


async def events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    """The events of a stream, as (name, data)."""
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            yield name, orjson.loads(data) if data else None


async def all_of(server: Server, query: str, **variables: Any) -> list[tuple[str, Any]]:
    body = {"query": query, "variables": variables}
    async with server.http.stream("POST", "/graphql", json=body, headers=EVENTS) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        return [event async for event in events(response.aiter_lines())]


async def test_a_watcher_gets_a_snapshot_and_changes(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    body = {"query": WATCH, "variables": {"e": ids.event_id(event.id)}}
    async with (
        asyncio.timeout(10),
        server.http.stream("POST", "/graphql", json=body, headers=EVENTS) as response,
    ):
        told = events(response.aiter_lines())
        name, first = await anext(told)
        assert (name, first["data"]["seatStatus"]["statuses"]) == ("next", "A" * 10)
        await hold(server.app.state.house.database, alice, event, [1])
        _, second = await anext(told)
        assert second["data"]["seatStatus"]["changes"][0]["status"] == "HELD"


async def test_a_query_is_one_event_and_the_end(database: Database, server: Server) -> None:
    told = await all_of(server, "{ __typename }")
    assert told == [("next", {"data": {"__typename": "Query"}}), ("complete", None)]


async def test_what_is_wrong_is_said_in_an_event(database: Database, server: Server) -> None:
    alice = await new_user(database)
    for query, variables, code in (
        ("{ nope }", {}, "VALIDATION_ERROR"),
        (WATCH, {"e": "x"}, "INVALID_ID"),
        (WATCH, {"e": ids.event_id(alice.id)}, "NOT_FOUND"),
    ):
        (name, body), end = await all_of(server, query, **variables)
        assert (name, body["errors"][0]["extensions"]["code"], end) == ("next", code, ("complete", None))


async def test_a_mutation_does_not_come_by_get(database: Database, server: Server) -> None:
    query = 'mutation { createVenue(input: {name: "a", address: "b"}) { __typename } }'
    response = await server.http.get("/graphql", params={"query": query}, headers=EVENTS)
    assert "createVenue" not in response.text
    assert "VALIDATION_ERROR" in response.text
    assert not await database.rows("SELECT 1 FROM venues")
