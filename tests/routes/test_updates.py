"""Open orders and transfers over real connections: whichever server did it, with a bus and without."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection

import live.news
from database import Database
from models.sessions import SessionEnd
from models.tickets import ticket_of
from models.topics import order_topic
from models.users import Role, User
from schema import ids
from settings import Settings
from steps.cancel_ticket import cancel_ticket
from steps.delete_order import delete_order
from steps.end_sessions import end_sessions
from steps.transact import transact
from tests.cards import cancelled
from tests.doors import SCANNER, checked_in, ticket_at
from tests.life import ended
from tests.live.valkey import Valkey
from tests.people import logged_in
from tests.routes.test_graphql_events import EVENTS, events
from tests.routes.test_staying import authorization, closed_with
from tests.seat_rows import until
from tests.serving import Server, receive, serving, subscribe
from tests.transfers import transferred
from tests.watched import WATCH_ORDER, WATCH_TRANSFER, new_scene, told
from tests.world import hold, let_lapse, new_event, new_user

CANCEL = """mutation ($t: ID!) { cancelOrder(input: {orderId: $t}) { __typename } }"""
ABRUPT = 100


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.news, "LOOK_SECONDS", 0.1)


async def watching(socket: ClientConnection, id: str, status: str = "PENDING") -> None:
    await subscribe(socket, WATCH_ORDER, t=id)
    assert (await told(socket))["status"] == status


async def test_what_one_server_does_the_watchers_of_another_are_told(
    database: Database, settings: Settings, never_by_itself: None
) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with serving(settings) as here, serving(settings) as there, there.socket(alice) as socket:
        for index in range(3):
            order = await hold(database, alice, event, [index])
            id = ids.order_id(order.event_id, order.id)
            await subscribe(socket, WATCH_ORDER, id, t=id)
            assert (await told(socket))["status"] == "PENDING"
            assert (await here.ask(CANCEL, alice, t=id))["cancelOrder"]["__typename"] == "OrderPayload"
            assert (await told(socket))["status"] == "CANCELLED"


async def test_with_the_bus_down_what_another_server_did_is_found(
    database: Database, settings: Settings, valkey: Valkey, looks_often: None
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    id = ids.order_id(order.event_id, order.id)
    shared = settings.model_copy(update={"redis_url": valkey.url})
    async with serving(shared) as here, serving(shared) as there, there.socket(alice) as socket:
        await watching(socket, id)
        await valkey.kill()
        await here.ask(CANCEL, alice, t=id)
        assert (await told(socket))["status"] == "CANCELLED"


async def test_a_hold_whose_time_is_over_is_told_although_nobody_writes(
    database: Database, looks_often: None, server: Server
) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with server.socket(alice) as socket:
        await watching(socket, ids.order_id(order.event_id, order.id))
        await let_lapse(database, order)
        lapsed = await told(socket)
        assert (lapsed["status"], lapsed["heldUntil"]) == ("EXPIRED", None)


async def refusals(server: Server, user: User | None, query: str, *things: str) -> list[str]:
    async with server.socket(user) as socket:
        codes = []
        for thing in things:
            await subscribe(socket, query, thing, t=thing)
            message = await receive(socket)
            assert message["type"] == "error", message
            codes.append(message["payload"][0]["extensions"]["code"])
        return codes


async def test_what_is_not_ones_own_is_as_what_is_not_there_but_for_who_runs_events(
    database: Database, server: Server
) -> None:
    scene = await new_scene(database, server)
    order, transfer = await scene.held(1), await scene.offered()
    carol, operator = await new_user(database), await new_user(database, Role.OPERATOR)
    order_id = ids.order_id(order.event_id, order.id)
    transfer_id = ids.transfer_id(transfer.event_id, transfer.id)
    nobodys = ids.order_id(order.event_id, uuid4()), ids.transfer_id(order.event_id, uuid4())
    for query, id, unknown in (
        (WATCH_ORDER, order_id, nobodys[0]),
        (WATCH_TRANSFER, transfer_id, nobodys[1]),
    ):
        assert await refusals(server, carol, query, id, unknown) == ["NOT_FOUND", "NOT_FOUND"]
        assert await refusals(server, None, query, id, unknown) == ["UNAUTHORIZED", "UNAUTHORIZED"]
        assert await refusals(server, operator, query, unknown, "x") == ["NOT_FOUND", "INVALID_ID"]
        async with server.socket(operator) as socket:
            await subscribe(socket, query, t=id)
            assert (await told(socket))["id"] == id
    assert await refusals(server, scene.bob, WATCH_ORDER, order_id) == ["NOT_FOUND"]
    await until(lambda: server.app.state.house.news.watched_topics == 0)


async def test_the_stream_of_an_order_that_is_deleted_ends(database: Database, server: Server) -> None:
    scene = await new_scene(database, server)
    order = await scene.held(0)
    body = {"query": WATCH_ORDER, "variables": {"t": ids.order_id(order.event_id, order.id)}}
    headers = EVENTS | {"Authorization": f"Bearer {server.token(scene.alice)}"}
    async with (
        asyncio.timeout(10),
        server.socket(scene.alice) as socket,
        server.http.stream("POST", "/graphql", json=body, headers=headers) as response,
    ):
        await watching(socket, body["variables"]["t"])  # type: ignore[index]
        events_told = events(response.aiter_lines())
        assert (await anext(events_told))[0] == "next"
        await cancelled(database, order)
        name, second = await anext(events_told)
        assert (name, second["data"]["orderUpdated"]["status"]) == ("next", "CANCELLED")
        assert (await told(socket))["status"] == "CANCELLED"
        await transact(database, delete_order, event_id=order.event_id, order_id=order.id)
        assert await anext(events_told) == ("complete", None)
        assert (await receive(socket))["type"] == "complete"
    await until(lambda: server.app.state.house.news.watched_topics == 0)


async def test_what_is_ones_own_no_longer_is_not_watched_any_more(
    database: Database, looks_often: None, server: Server
) -> None:
    scene = await new_scene(database, server)
    order, transfer = await scene.held(1), await scene.offered()
    await hold(database, scene.bob, scene.event, [2])
    async with server.socket(scene.alice) as socket:
        await watching(socket, ids.order_id(order.event_id, order.id))
        await subscribe(socket, WATCH_TRANSFER, "2", t=ids.transfer_id(transfer.event_id, transfer.id))
        assert (await told(socket))["status"] == "PENDING_OTP"
        async with database.transaction() as tx:
            await tx.rows("UPDATE orders SET buyer_id = $2 WHERE id = $1", order.id, scene.bob.id)
            await tx.rows("UPDATE transfers SET seller_id = $2 WHERE id = $1", transfer.id, SCANNER)
        ends = [await receive(socket), await receive(socket)]
    assert sorted((end["id"], end["type"]) for end in ends) == [("1", "complete"), ("2", "complete")]


async def test_a_watcher_is_out_with_their_session(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    session = await logged_in(database, alice)
    async with server.socket(payload=authorization(server, alice, session.session_id)) as socket:
        await watching(socket, ids.order_id(order.event_id, order.id))
        own = server.app.state.house.database
        await transact(own, end_sessions, user_id=alice.id, by=SessionEnd.LOGOUT)
        assert (await closed_with(socket))[0] == 4401
    await until(lambda: server.app.state.house.news.watched_topics == 0)


async def has_looked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait until a watcher of an order has looked at all of it, from here on."""
    orders, seen = server.app.state.house.looks.order, 0
    load = orders.load_fn

    async def counted(keys: list[Any]) -> Any:
        nonlocal seen
        seen += 1
        return await load(keys)

    monkeypatch.setattr(orders, "load_fn", counted)
    await until(lambda: seen >= 3)


async def test_who_looks_and_finds_nothing_new_says_nothing(
    database: Database, looks_often: None, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await new_scene(database, server)
    order = await scene.held(0)
    async with server.socket(scene.alice) as socket:
        await watching(socket, ids.order_id(order.event_id, order.id))
        server.app.state.house.news.tell({order_topic(order.event_id, order.id)})
        await has_looked(server, monkeypatch)
        await cancelled(database, order)
        assert (await told(socket))["status"] == "CANCELLED"


async def test_of_a_ticket_that_was_given_away_its_last_owner_hears_nothing(
    database: Database, looks_often: None, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await new_scene(database, server)
    order = await scene.paid(0, 1)
    given, kept = [ticket_of(await ticket_at(database, scene.event.id, index)) for index in (0, 1)]
    await transferred(database, scene.alice, given, scene.bob)
    async with server.socket(scene.alice) as socket:
        await watching(socket, ids.order_id(order.event_id, order.id), "CONFIRMED")
        await checked_in(database, await ticket_at(database, scene.event.id, 0))
        await has_looked(server, monkeypatch)
        await ended(database, cancel_ticket, scene.alice, kept)
        assert [ticket["status"] for ticket in (await told(socket))["tickets"]] == ["CANCELLED"]


async def test_a_hundred_abrupt_closes_leave_nothing_behind(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    news, tasks = server.app.state.house.news, asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        for _ in range(ABRUPT):
            socket = await stack.enter_async_context(server.socket(alice))
            await watching(socket, ids.order_id(order.event_id, order.id))
            socket.transport.abort()
    await until(lambda: news.watched_topics == 0 and not server.uvicorn.server_state.connections)
    await until(lambda: asyncio.all_tasks() <= tasks)
