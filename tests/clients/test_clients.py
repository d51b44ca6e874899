"""Apollo Client, urql, Relay, graphql-ws and graphql-sse, as our docs set them up, against a real server."""

import asyncio
from typing import Any

import pytest

from database import Database
from schema import ids
from tests.clients.programs import PACKAGES, Program, audits, running
from tests.serving import Server
from tests.world import everything, hold, letters, new_event, new_user

CLIENTS = ("apollo", "urql", "relay", "graphql_ws", "graphql_sse")
WATCHERS = (*CLIENTS, "graphql_ws_eager")
WITH_DOCUMENTS_BY_HASH = ("apollo", "urql", "relay")
WATCH = "shopWatchSubscription"


async def test_every_audit_of_graphql_http_passes(server: Server) -> None:
    told = await audits(server.url)
    assert len(told) >= 61
    assert [audit for audit in told if audit["status"] != "ok"] == []


def test_relays_compiler_takes_our_connections_and_nodes() -> None:
    compiled = {path.name for path in (PACKAGES / ".relay").glob("compliant*.graphql.js")}
    assert len(compiled) == 7


@pytest.mark.parametrize("client", CLIENTS)
async def test_pages_lead_to_the_next(database: Database, server: Server, client: str) -> None:
    names = [f"Show {number}" for number in range(3)]
    for name in names:
        await new_event(database, name=name)
    found: list[str] = []
    async with running(client, server.url) as program:
        first = (await program.ask("shopPageQuery", first=2))["data"]["events"]
        assert first["pageInfo"]["hasNextPage"]
        after = first["pageInfo"]["endCursor"]
        second = (await program.ask("shopPageQuery", first=2, after=after))["data"]["events"]
        assert not second["pageInfo"]["hasNextPage"]
    for edge in (*first["edges"], *second["edges"]):
        if edge["node"]["name"] not in found:  # Apollo's cache gives the pages before too
            found.append(edge["node"]["name"])
    assert (len(first["edges"]), sorted(found)) == (2, names)


@pytest.mark.parametrize("client", CLIENTS)
async def test_seats_are_held_and_a_refusal_is_data(database: Database, server: Server, client: str) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await hold(database, bob, event, [1])
    async with running(client, server.url, server.token(alice)) as program:
        assert (await program.ask("shopViewerQuery"))["data"]["viewer"]["email"] == alice.email
        before = await everything(database)
        wish: dict[str, Any] = {"event": ids.event_id(event.id), "seats": [0, 1]}
        refused = (await program.ask("shopReserveMutation", **wish))["data"]["reserve"]
        assert (refused["__typename"], refused["code"]) == ("Refusal", "SEAT_UNAVAILABLE")
        assert len(refused["seatIds"]) == 1
        assert await everything(database) == before
        wish["seats"] = [0, 2]
        held = (await program.ask("shopReserveMutation", **wish))["data"]["reserve"]
        assert [item["seat"]["index"] for item in held["order"]["items"]] == [0, 2]
    assert await letters(database, event) == "HHH" + "A" * 7


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_error_comes_with_its_code(database: Database, server: Server, client: str) -> None:
    async with running(client, server.url) as program:
        error = (await program.ask("shopPageQuery", first=101))["error"]
        assert error["code"] == "VALIDATION_ERROR"
        watch = await program.watch(WATCH, event="nonsense")
        told = await program.next(watch)
        (refusal,) = told["errors"] if "errors" in told else [told["error"]]
        assert refusal["code"] == "INVALID_ID"


@pytest.mark.parametrize("client", WATCHERS)
async def test_a_watcher_is_told_until_it_ends_that(database: Database, server: Server, client: str) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with running(client, server.url, server.token(alice)) as program:
        watch = await program.watch(WATCH, event=ids.event_id(event.id))
        first = (await program.next(watch))["data"]["seatStatus"]
        assert (first["revision"], first["statuses"]) == (0, "A" * 10)
        await hold(server.app.state.house.database, alice, event, [3])
        second = (await program.next(watch))["data"]["seatStatus"]
        (change,) = second["changes"]
        assert (change["revision"], change["index"], change["status"]) == (1, 3, "HELD")
        await program.end(watch)
        async with asyncio.timeout(10):
            while len(server.streams):
                await asyncio.sleep(0.01)


async def test_a_map_that_is_followed_as_the_page_says_is_the_true_map(
    database: Database, server: Server
) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with running("follow", server.url) as program:
        watch = await program.watch(WATCH, event=ids.event_id(event.id))
        assert (await program.next(watch))["data"] == {"letters": list("A" * 10), "revision": 0}
        await hold(server.app.state.house.database, alice, event, [3])
        drawn = (await program.next(watch))["data"]
    assert ("".join(drawn["letters"]), drawn["revision"]) == (await letters(database, event), 1)


@pytest.mark.parametrize("client", WATCHERS)
async def test_a_token_that_is_not_good_is_not_sent_for_ever(
    database: Database, server: Server, client: str
) -> None:
    event = await new_event(database)
    async with running(client, server.url, "nonsense") as program:
        watch = await program.watch(WATCH, event=ids.event_id(event.id))
        error = (await program.next(watch))["error"]
    told = f"{error['code']} {error['message']}"
    assert ("not good" if client == "graphql_sse" else "4403") in told
    assert len(program.sockets) == (0 if client == "graphql_sse" else 2)


async def test_a_socket_goes_on_with_the_next_token_when_one_runs_out(
    database: Database, server: Server
) -> None:
    event, alice = await new_event(database), await new_user(database)
    tokens = server.app.state.house.tokens
    tokens.lifetime_seconds = 3
    short = server.token(alice)
    tokens.lifetime_seconds = 900
    async with running("graphql_ws", server.url, short, server.token(alice)) as program:
        watch = await program.watch(WATCH, event=ids.event_id(event.id))
        assert (await program.next(watch))["data"]["seatStatus"]["revision"] == 0
        await program.until_sockets(2)
        await hold(server.app.state.house.database, alice, event, [3])
        assert await revisions(program, watch, 1) == [1]


@pytest.mark.parametrize("client", WITH_DOCUMENTS_BY_HASH)
async def test_a_bad_token_over_http_is_told_as_such(server: Server, client: str) -> None:
    async with running(client, server.url, "nonsense") as program:
        assert (await program.ask("shopViewerQuery"))["error"]["code"] == "UNAUTHORIZED"


async def requests_of(server: Server, client: str) -> list[tuple[bool, bool]]:
    """The requests of a client that has just started, for one query: with a hash? with a document?"""
    async with running(client, server.url) as program:
        assert (await program.ask("shopViewerQuery"))["data"] == {"viewer": None}
        return [(sent["hasHash"], sent["hasQuery"]) for sent in program.sent]


@pytest.mark.parametrize("client", WITH_DOCUMENTS_BY_HASH)
async def test_a_document_is_sent_once(database: Database, server: Server, client: str) -> None:
    assert await requests_of(server, client) == [(True, False), (True, True)]
    assert await requests_of(server, client) == [(True, False)]


async def revisions(program: Program, watch: int, until: int) -> list[int]:
    """The revisions of the changes that a watcher is told, until it has the last of them."""
    told: list[int] = []
    while not told or told[-1] < until:
        message = await program.next(watch)
        assert "data" in message, message
        update = message["data"]["seatStatus"]
        assert update["__typename"] == "SeatStatusChanges", "it was not resumed"
        told += [change["revision"] for change in update["changes"]]
    return told
