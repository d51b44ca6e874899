"""A screen at the door: how many are inside, whichever server let them in, and as long as one may see it."""

from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection

from database import Database
from models.sessions import SessionEnd
from models.users import Role, User
from schema import ids
from settings import Settings
from steps.end_sessions import end_sessions
from steps.transact import transact
from tests.doors import a_ticket, checked_in, ticket_at, undone
from tests.people import logged_in
from tests.routes.test_staying import closed_with
from tests.serving import Server, receive, serving, subscribe
from tests.world import hold, new_draft, new_event, new_user, pay, priced

COUNTS = "subscription ($e: ID!) { doorCounts(eventId: $e) { section inside expected } }"


async def counts(socket: ClientConnection) -> list[tuple[Any, ...]]:
    message = await receive(socket)
    assert message["type"] == "next", message
    return [tuple(count.values()) for count in message["payload"]["data"]["doorCounts"]]


async def test_a_screen_shows_who_is_inside_whichever_server_let_them_in(
    database: Database, busy: Settings
) -> None:
    event = await new_event(database, await priced(1, 3, standing=2))
    alice, ticket = await a_ticket(database, event)
    staff = await new_user(database, Role.STAFF)
    async with serving(busy) as one, serving(busy) as other, one.socket(staff) as socket:
        await subscribe(socket, COUNTS, e=ids.event_id(event.id))
        assert await counts(socket) == [("Parkett", 0, 1), ("Standing", 0, 0)]
        theirs = other.app.state.house.database
        await checked_in(theirs, ticket)
        assert await counts(socket) == [("Parkett", 1, 1), ("Standing", 0, 0)]
        await pay(theirs, alice, await hold(theirs, alice, event, [3]))
        assert await counts(socket) == [("Parkett", 1, 1), ("Standing", 0, 1)]
        await checked_in(theirs, await ticket_at(theirs, event.id, 3))
        assert await counts(socket) == [("Parkett", 1, 1), ("Standing", 1, 1)]
        await undone(one.app.state.house.database, ticket)
        assert await counts(socket) == [("Parkett", 0, 1), ("Standing", 1, 1)]


async def error_of(server: Server, user: User | None, event_id: str) -> str:
    async with server.socket(user) as socket:
        await subscribe(socket, COUNTS, e=event_id)
        message = await receive(socket)
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        code: str = errors[0]["extensions"]["code"]
        return code


async def test_only_who_works_at_the_door_sees_it_and_of_what_is_published(
    database: Database, server: Server
) -> None:
    event, draft = await new_event(database), await new_draft(database)
    alice, staff = await new_user(database), await new_user(database, Role.STAFF)
    assert await error_of(server, None, ids.event_id(event.id)) == "UNAUTHORIZED"
    assert await error_of(server, alice, ids.event_id(event.id)) == "FORBIDDEN"
    for event_id in (ids.event_id(draft.id), ids.event_id(uuid4())):
        assert await error_of(server, staff, event_id) == "NOT_FOUND"
    assert await error_of(server, staff, "ev_") == "INVALID_ID"


async def test_it_ends_with_the_session(database: Database, server: Server) -> None:
    event, staff = await new_event(database), await new_user(database, Role.STAFF)
    session = await logged_in(database, staff)
    token = server.app.state.house.tokens.make(staff.id, frozenset({Role.STAFF}), session.session_id)
    async with server.socket(payload={"Authorization": f"Bearer {token}"}) as socket:
        await subscribe(socket, COUNTS, e=ids.event_id(event.id))
        await counts(socket)
        own = server.app.state.house.database
        await transact(own, end_sessions, user_id=staff.id, by=SessionEnd.LOGOUT)
        assert (await closed_with(socket))[0] == 4401
    assert not server.app.state.house.revocations._watchers
