"""Notifications over the API: the list, what they lead to, reading them, and by which channels they go."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from database import Database
from models.columns import new_id
from models.notifications import WANTED_BY_DEFAULT, NotificationChannel, NotificationKind
from models.users import Role, User
from schema import ids
from steps.mark_read import MARKED_MAX, mark_read
from steps.notify import Notice, notify
from steps.refusals import RefusalCode
from steps.service_clients import make_service_client
from steps.set_preferences import set_preferences
from steps.transact import transact
from tests.serving import Server
from tests.transfers import bought, initiated, transferred
from tests.world import everything, new_event, new_user, until_somebody_waits

LIST = """query ($first: Int, $after: String) { viewer { unreadNotifications
    notifications(first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor }
        nodes { id kind message createdAt readAt } } } }"""
ABOUT = """{ viewer { notifications { nodes { kind order { id } ticket { id } transfer { id }
    transaction { id } } } } }"""
MARK = """mutation ($ids: [ID!]) { markNotificationsRead(input: {ids: $ids}) { __typename
    ... on NotificationsPayload { unreadNotifications notifications { id readAt } }
    ... on Refusal { code field } } }"""
PREFERENCES = "{ viewer { notificationPreferences { kind channel wanted } } }"
PREFER = """mutation ($p: [NotificationPreferenceInput!]!) {
    setNotificationPreferences(input: {preferences: $p}) { __typename
    ... on UserPayload { user { notificationPreferences { kind channel wanted } } }
    ... on Refusal { code field } } }"""


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=20_000)


async def notified(database: Database, user: User, many: int) -> None:
    async with database.transaction() as tx:
        await notify(tx, *(Notice(user.id, NotificationKind.TOP_UP_SUCCEEDED) for _ in range(many)))


async def ids_of(database: Database, user: User) -> list[str]:
    """The oldest first."""
    rows = await database.rows(
        "SELECT user_id, id FROM notifications WHERE user_id = $1 ORDER BY id", user.id
    )
    return [ids.notification_id(*row) for row in rows]


async def marked(server: Server, user: User, named: list[str] | None) -> dict[str, Any]:
    answer: dict[str, Any] = (await server.ask(MARK, user, ids=named))["markNotificationsRead"]
    return answer


async def test_they_are_listed_by_pages_the_newest_first(
    database: Database, server: Server, alice: User
) -> None:
    await notified(database, alice, 5)
    await notified(database, await new_user(database), 1)
    found: list[str] = []
    after, has_next = None, True
    while has_next:
        viewer = (await server.ask(LIST, alice, first=2, after=after))["viewer"]
        page = viewer["notifications"]
        assert (viewer["unreadNotifications"], page["totalCount"]) == (5, 5)
        found += [node["id"] for node in page["nodes"]]
        after, has_next = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert found == (await ids_of(database, alice))[::-1]


async def test_they_say_what_happened_and_lead_to_it(database: Database, server: Server, alice: User) -> None:
    event, bob = await new_event(database, name="Hamlet"), await new_user(database, credits_minor=5_000)
    ticket = await bought(database, alice, event)
    given = await transferred(database, alice, ticket, bob)
    nodes = (await server.ask(LIST, alice))["viewer"]["notifications"]["nodes"]
    assert [(node["kind"], node["message"]) for node in nodes] == [
        ("TRANSFER_COMPLETED", "A transfer of a ticket for Hamlet is complete."),
        ("ORDER_CONFIRMED", "Your order for Hamlet is confirmed: the tickets are yours."),
    ]
    moved, paid = (await server.ask(ABOUT, alice))["viewer"]["notifications"]["nodes"]
    transfer_id, order_id = ids.transfer_id(event.id, given.id), ids.order_id(event.id, ticket.order_id)
    assert moved == {
        "kind": "TRANSFER_COMPLETED",
        "order": None,
        "ticket": None,  # it is bob's
        "transfer": {"id": transfer_id},
        "transaction": None,
    }
    assert (paid["order"], paid["transfer"]) == ({"id": order_id}, None)
    rows = await database.rows("SELECT user_id, id FROM movements WHERE kind = 'PURCHASE'")
    assert paid["transaction"] == {"id": ids.transaction_id(*rows[0])}
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET language = 'de'")
    german = (await server.ask(LIST, alice))["viewer"]["notifications"]["nodes"][0]
    assert german["message"] == "Die Weitergabe eines Tickets für Hamlet ist abgeschlossen."
    shown = (await server.ask(ABOUT, bob))["viewer"]["notifications"]["nodes"]
    assert [node["ticket"] for node in shown] == [{"id": ids.ticket_id(event.id, ticket.id)}] * 2


async def test_some_are_marked_as_read_and_what_was_read_stays_so(
    database: Database, server: Server, alice: User
) -> None:
    await notified(database, alice, 3)
    first, second, third = await ids_of(database, alice)
    answer = await marked(server, alice, [first, first])
    assert (answer["unreadNotifications"], [node["id"] for node in answer["notifications"]]) == (2, [first])
    again = await marked(server, alice, [first])
    assert again == answer
    rest = await marked(server, alice, None)
    assert (rest["unreadNotifications"], [n["id"] for n in rest["notifications"]]) == (0, [third, second])
    after = await everything(database)
    assert await marked(server, alice, None) == {**rest, "notifications": []}
    assert (await marked(server, alice, []))["notifications"] == []
    assert await everything(database) == after


async def test_ids_of_others_and_of_none_are_refused_and_nothing_is_marked(
    database: Database, server: Server, alice: User
) -> None:
    bob = await new_user(database)
    for user in (alice, bob):
        await notified(database, user, 1)
    (own,), (foreign,) = await ids_of(database, alice), await ids_of(database, bob)
    before = await everything(database)
    misnamed = ids.notification_id(bob.id, ids.read_notification(own)[1])
    claimed = ids.notification_id(alice.id, ids.read_notification(foreign)[1])
    unknown = ids.notification_id(alice.id, uuid4())
    for named in ([own, foreign], [own, unknown], [misnamed], [claimed]):
        answer = await marked(server, alice, named)
        assert answer["code"] == RefusalCode.NOTIFICATION_NOT_FOUND
    too_many = [ids.notification_id(alice.id, new_id()) for _ in range(101)]
    assert (await marked(server, alice, too_many))["field"] == "input.ids"
    assert (await server.error(MARK, alice, ids=["no_such"]))["extensions"]["code"] == "INVALID_ID"
    assert await everything(database) == before


async def test_of_very_many_the_oldest_are_marked_until_none_is_left(database: Database, alice: User) -> None:
    await notified(database, alice, MARKED_MAX + 5)
    newest = await transact(database, mark_read, user_id=alice.id, named=None)
    unread = await database.rows("SELECT id FROM notifications WHERE read_at IS NULL")
    assert (len(newest), len(unread)) == (100, 5)
    assert max(row.id for row in newest) < min(row["id"] for row in unread)
    assert len(await transact(database, mark_read, user_id=alice.id, named=None)) == 5


async def test_only_the_person_and_who_may_see_the_account_find_one_by_its_id(
    database: Database, server: Server, alice: User
) -> None:
    await notified(database, alice, 1)
    (id,) = await ids_of(database, alice)
    query = "query ($id: ID!) { node(id: $id) { id } }"
    for reader, found in (
        (alice, {"id": id}),
        (await new_user(database, Role.ADMIN), {"id": id}),
        (await new_user(database, Role.STAFF), None),
        (await new_user(database), None),
        (None, None),
    ):
        assert (await server.ask(query, reader, id=id))["node"] == found


async def test_a_person_says_what_they_want_to_hear_by_which_channel(
    database: Database, server: Server, alice: User
) -> None:
    def table(shown: list[dict[str, Any]]) -> dict[Any, bool]:
        return {(one["kind"], one["channel"]): one["wanted"] for one in shown}

    shown = (await server.ask(PREFERENCES, alice))["viewer"]["notificationPreferences"]
    assert table(shown) == WANTED_BY_DEFAULT
    other: dict[Any, bool] = {
        ("ORDER_CONFIRMED", "EMAIL"): False,
        ("ORDER_CONFIRMED", "SMS"): True,
        ("EVENT_CANCELLED", "SMS"): True,
    }
    said = [{"kind": kind, "channel": channel, "wanted": wanted} for (kind, channel), wanted in other.items()]
    for _ in range(2):
        answer = (await server.ask(PREFER, alice, p=said))["setNotificationPreferences"]["user"]
        assert table(answer["notificationPreferences"]) == {**WANTED_BY_DEFAULT, **other}
        assert len(await database.rows("SELECT 1 FROM notification_preferences")) == 2
    back = [{"kind": "ORDER_CONFIRMED", "channel": "EMAIL", "wanted": True}]
    answer = (await server.ask(PREFER, alice, p=back))["setNotificationPreferences"]["user"]
    assert table(answer["notificationPreferences"])["ORDER_CONFIRMED", "EMAIL"]
    assert len(await database.rows("SELECT 1 FROM notification_preferences")) == 1
    shown = (await server.ask(PREFERENCES, await new_user(database)))["viewer"]["notificationPreferences"]
    assert table(shown) == WANTED_BY_DEFAULT
    before = await everything(database)
    twice = (await server.ask(PREFER, alice, p=back * 2))["setNotificationPreferences"]
    assert (twice["code"], twice["field"]) == ("VALIDATION_ERROR", "input.preferences")
    assert await everything(database) == before


async def test_another_system_has_no_notifications(database: Database, server: Server) -> None:
    client_id, _ = await transact(database, make_service_client, name="the till")
    token = server.app.state.house.tokens.make(client_id, frozenset({Role.SERVICE}), client_id)
    for query, variables in ((MARK, {"ids": None}), (PREFER, {"p": []})):
        body: dict[str, Any] = {"query": query, "variables": variables}
        headers = {"Authorization": f"Bearer {token}"}
        answer = (await server.http.post("/graphql", json=body, headers=headers)).json()
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_what_is_gone_leaves_its_notification(database: Database, server: Server, alice: User) -> None:
    bob = await new_user(database, credits_minor=5_000)
    ticket = await bought(database, alice)
    await initiated(database, alice, ticket, bob)
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM transfers")
        await tx.rows("DELETE FROM tickets")
    (asked,) = (await server.ask(ABOUT, bob))["viewer"]["notifications"]["nodes"]
    assert (asked["ticket"], asked["transfer"]) == (None, None)


async def test_who_says_twice_at_once_what_they_want_is_heard_twice(database: Database, alice: User) -> None:
    key = (NotificationKind.TOP_UP_SUCCEEDED, NotificationChannel.EMAIL)
    async with database.transaction() as tx:
        await set_preferences(tx, user_id=alice.id, preferences={key: False})
        second = asyncio.create_task(
            transact(database, set_preferences, user_id=alice.id, preferences={key: False})
        )
        await until_somebody_waits(database)
    assert (await second).id == alice.id
    ((wanted,),) = await database.rows("SELECT wanted FROM notification_preferences")
    assert wanted is False
