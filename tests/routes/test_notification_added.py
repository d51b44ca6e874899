"""`notificationAdded` over real connections: whichever server did it, once and in order."""

from typing import Any

import pytest

from database import Database
from models.notifications import NotificationKind
from models.orders import Order
from models.users import Role
from schema import ids
from settings import Settings
from steps.cancel import cancel_order
from steps.notify import Notice, notify
from steps.pay import pay_order
from steps.service_clients import make_service_client
from steps.transact import transact
from tests.seat_rows import until
from tests.serving import Server, receive, serving, subscribe
from tests.watched import told
from tests.world import CURRENCY, hold, new_event, new_user

WATCH = "subscription { notificationAdded { id kind message order { status } readAt } }"


async def is_watching(server: Server) -> None:
    await until(lambda: server.app.state.house.news.watched_topics == 1)


async def test_what_one_server_does_is_told_by_another_once_and_in_order(
    database: Database, settings: Settings, never_by_itself: None
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    bob = await new_user(database, credits_minor=9_000)
    orders = [await hold(database, alice, event, [index]) for index in range(4)]
    held = await hold(database, alice, event, [4])
    others = await hold(database, bob, event, [5])
    async with serving(settings) as here, serving(settings) as there, there.socket(alice) as socket:
        here_database = here.app.state.house.database
        await transact(here_database, pay_order, **paying(orders[0]))
        await subscribe(socket, WATCH)
        await is_watching(there)
        with pytest.raises(RuntimeError):
            async with here_database.transaction() as tx:
                await pay_order(tx, **paying(orders[1]))
                raise RuntimeError
        await transact(here_database, pay_order, **paying(others))
        for order in orders[1:]:
            await transact(here_database, pay_order, **paying(order))
        shown = [await told(socket) for _ in orders[1:]]
        named = {"caller_id": alice.id, "any_buyer": False, "order_id": held.id}
        await transact(here_database, cancel_order, event_id=event.id, **named)
        last = await told(socket)
    rows = await database.rows("SELECT id FROM notifications WHERE user_id = $1 ORDER BY id", alice.id)
    assert [(one["kind"], one["order"]["status"]) for one in shown] == [("ORDER_CONFIRMED", "CONFIRMED")] * 3
    assert (last["kind"], last["order"]["status"]) == ("ORDER_CANCELLED", "CANCELLED")
    assert [ids.notification_id(alice.id, row["id"]) for row in rows[1:]] == [
        one["id"] for one in (*shown, last)
    ]


async def test_it_is_found_without_a_bus_too(database: Database, settings: Settings) -> None:
    alice, alone = await new_user(database), settings.model_copy(update={"redis_url": None})
    async with serving(alone) as there, there.socket(alice) as socket:
        await subscribe(socket, WATCH)
        await is_watching(there)
        async with database.transaction() as tx:
            await notify(tx, Notice(alice.id, NotificationKind.TOP_UP_SUCCEEDED))
        shown = await told(socket)
    assert (shown["message"], shown["order"]) == ("Your credits were topped up.", None)


async def test_it_is_for_people_with_an_account(database: Database, server: Server) -> None:
    client_id, _ = await transact(database, make_service_client, name="the till")
    make = server.app.state.house.tokens.make
    service = make(client_id, frozenset({Role.SERVICE}), client_id)
    for payload, code in (
        ({}, "UNAUTHORIZED"),
        ({"payload": {"Authorization": f"Bearer {service}"}}, "FORBIDDEN"),
    ):
        async with server.socket(**payload) as socket:
            await subscribe(socket, WATCH)
            assert (await receive(socket))["payload"][0]["extensions"]["code"] == code


def paying(order: Order) -> dict[str, Any]:
    named = {"event_id": order.event_id, "order_id": order.id, "credits_currency": CURRENCY}
    return {"buyer_id": order.buyer_id, **named}
