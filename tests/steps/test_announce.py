"""What is announced to other systems: exactly what was committed, in its order, and nothing personal."""

import asyncio
from typing import Any

import orjson
import pytest

from database import Database, Transaction
from jobs.tell_endpoints import ANNOUNCEMENTS_MAX, forget_announcements_once, tell_endpoints_once
from models.announcements import AnnouncementKind
from models.catalogue import Event
from models.columns import new_id
from models.orders import Order
from models.users import User
from schema import ids
from schema.announcements import payload_of
from steps.announce import announce_event, announce_orders, announce_tickets
from steps.pay import pay_order
from steps.pay_together import Payment, Payments
from steps.release import release_lapsed
from steps.tell import tell_endpoints
from steps.transact import transact
from tests.codes import ENVELOPES
from tests.receiving import added, deliveries
from tests.world import (
    CURRENCY,
    hold,
    let_lapse,
    new_event,
    new_user,
    pay,
    priced,
    refund,
    until_somebody_waits,
)

NOWHERE = "http://127.0.0.1:1/"
EMAIL = "ann.personal@example.com"


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=100_000, email=EMAIL)


async def announced(database: Database) -> list[dict[str, Any]]:
    """The body of each announcement, in their order."""
    rows = await database.rows("SELECT * FROM announcements ORDER BY created_at, id")
    return [orjson.loads(payload_of(row)) for row in rows]


async def paid(database: Database, buyer: User, event: Event, *indexes: int) -> Order:
    return await pay(database, buyer, await hold(database, buyer, event, list(indexes)))


async def test_where_nobody_listens_nothing_is_written(database: Database, alice: User) -> None:
    event = await new_event(database)
    await refund(database, alice, await paid(database, alice, event, 0))
    await let_lapse(database, await hold(database, alice, event, [1]))
    await transact(database, release_lapsed, orders_max=10)
    assert await announced(database) == []
    endpoint_id, _ = await added(database, NOWHERE)
    await paid(database, alice, event, 2)
    assert len(await announced(database)) == 1
    async with database.transaction() as tx:
        await tx.rows("UPDATE webhook_endpoints SET disabled_at = now() WHERE id = $1", endpoint_id)
    await paid(database, alice, event, 3)
    assert len(await announced(database)) == 1


async def test_an_order_that_is_paid_and_paid_back_is_announced_with_its_tickets(
    database: Database, alice: User
) -> None:
    await added(database, NOWHERE)
    event = await new_event(database)
    order = await paid(database, alice, event, 3, 1)
    await refund(database, alice, order)
    tickets = {
        row["index"]: row["id"] for row in await database.rows("SELECT index, id FROM tickets ORDER BY index")
    }
    published, purchased, refunded = await announced(database)
    assert published["type"] == "event.published"
    assert published["data"] == {"eventId": ids.event_id(event.id)}
    assert purchased == {
        "id": purchased["id"],
        "type": "ticket.purchased",
        "version": 1,
        "timestamp": purchased["timestamp"],
        "data": {
            "eventId": ids.event_id(event.id),
            "orderId": ids.order_id(event.id, order.id),
            "tickets": [
                {
                    "id": ids.ticket_id(event.id, tickets[index]),
                    "seatId": ids.seat_id(event.id, index),
                    "price": {"amount": "10.00", "currency": "EUR"},
                }
                for index in (1, 3)
            ],
        },
    }
    assert (refunded["type"], refunded["data"]) == ("ticket.refunded", purchased["data"])
    assert purchased["timestamp"].endswith("Z")


async def test_nothing_personal_is_in_what_is_announced_or_sent(database: Database, alice: User) -> None:
    await added(database, NOWHERE)
    event = await new_event(database)
    order = await paid(database, alice, event, 0)
    rows = await database.rows("SELECT to_jsonb(a)::text FROM announcements a")
    for text in [row[0] for row in rows] + [str(said) for said in await announced(database)]:
        for personal in (EMAIL, str(alice.id), ids.user_id(alice.id), order.reference):
            assert personal not in text


async def test_an_order_that_lapsed_is_announced_when_it_is_ended(database: Database, alice: User) -> None:
    await added(database, NOWHERE)
    event = await new_event(database)
    orders = [await hold(database, alice, event, [index]) for index in range(2)]
    for order in orders:
        await let_lapse(database, order)
    assert [said["type"] for said in await announced(database)] == ["event.published"]
    await transact(database, release_lapsed, orders_max=10)
    expired = (await announced(database))[1:]
    assert {said["type"] for said in expired} == {"order.expired"}
    assert {said["data"]["orderId"] for said in expired} == {ids.order_id(event.id, o.id) for o in orders}


async def test_what_is_rolled_back_is_never_told(database: Database, alice: User) -> None:
    await added(database, NOWHERE, ("ticket.purchased",))
    event = await new_event(database)
    order = await hold(database, alice, event, [0])

    async def pay_and_fail(tx: Transaction) -> None:
        await pay_order(
            tx, buyer_id=alice.id, event_id=event.id, order_id=order.id, credits_currency=CURRENCY
        )
        assert await tx.value("SELECT count(*) FROM announcements WHERE kind = 'ticket.purchased'") == 1
        raise OSError("the power went")

    with pytest.raises(Exception, match="cannot be reached"):
        await transact(database, pay_and_fail)
    assert [said["type"] for said in await announced(database)] == ["event.published"]
    await tell_endpoints_once(database, ENVELOPES)
    assert await deliveries(database) == []


async def test_what_is_not_committed_is_not_told_yet(database: Database, alice: User) -> None:
    await added(database, NOWHERE, ("ticket.purchased",))
    event = await new_event(database)
    await tell_endpoints_once(database, ENVELOPES)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as tx:
        await pay_order(
            tx, buyer_id=alice.id, event_id=event.id, order_id=order.id, credits_currency=CURRENCY
        )
        assert await tell_endpoints_once(database, ENVELOPES) == 0
    assert await tell_endpoints_once(database, ENVELOPES) == 1
    assert len(await deliveries(database)) == 1


async def test_payments_that_share_a_transaction_are_announced_one_by_one(
    database: Database, alice: User
) -> None:
    await added(database, NOWHERE, ("ticket.purchased",))
    event = await new_event(database, await priced(2, 5))
    bob = await new_user(database, credits_minor=100_000)
    orders = [
        (buyer, await hold(database, buyer, event, seats))
        for buyer, seats in ((alice, [0, 1]), (bob, [2, 3]))
    ]
    together = Payments(database, CURRENCY)
    async with database.transaction() as tx:
        await together._pay_all(tx, event.id, [Payment(buyer.id, order.id) for buyer, order in orders])
    purchased = [said for said in await announced(database) if said["type"] == "ticket.purchased"]
    assert {said["data"]["orderId"]: len(said["data"]["tickets"]) for said in purchased} == {
        ids.order_id(event.id, order.id): 2 for _, order in orders
    }
    assert len({said["id"] for said in purchased}) == 2


async def test_tickets_of_many_orders_are_announced_once_for_each(database: Database, alice: User) -> None:
    await added(database, NOWHERE)
    event = await new_event(database)
    orders = [await paid(database, alice, event, 0, 1), await paid(database, alice, event, 2)]
    tickets = [row["id"] for row in await database.rows("SELECT id FROM tickets")]
    transfer_id = new_id()

    async def announce(tx: Transaction) -> None:
        await announce_tickets(tx, AnnouncementKind.TICKET_CANCELLED, event.id, tickets)
        completed = AnnouncementKind.TRANSFER_COMPLETED
        await announce_tickets(tx, completed, event.id, tickets[:1], transfer_id=transfer_id)
        await announce_tickets(tx, AnnouncementKind.TICKET_CHECKED_IN, event.id, [])
        await announce_orders(tx, AnnouncementKind.ORDER_EXPIRED, event.id, [])
        await announce_event(tx, AnnouncementKind.EVENT_CANCELLED, event.id)

    await transact(database, announce)
    *cancelled, completed, over = (await announced(database))[3:]
    assert {said["data"]["orderId"] for said in cancelled} == {ids.order_id(event.id, o.id) for o in orders}
    assert sorted(len(said["data"]["tickets"]) for said in cancelled) == [1, 2]
    assert completed["data"]["transferId"] == ids.transfer_id(event.id, transfer_id)
    assert over["type"] == "event.cancelled"


async def test_whoever_tells_second_waits_so_that_what_came_later_is_not_told_first(
    database: Database, alice: User
) -> None:
    await added(database, NOWHERE, ("ticket.purchased", "ticket.refunded"))
    event = await new_event(database)
    await tell_endpoints_once(database, ENVELOPES)
    order = await paid(database, alice, event, 0)
    async with database.transaction() as first:
        given = {"envelopes": ENVELOPES, "payload_of": payload_of, "announcements_max": 10}
        assert await tell_endpoints(first, **given) == 1  # type: ignore[arg-type]
        await refund(database, alice, order)
        second = asyncio.create_task(tell_endpoints_once(database, ENVELOPES))
        await until_somebody_waits(database)
        assert await deliveries(database) == []
    assert await second == 1
    assert len(await deliveries(database)) == 2


async def test_many_announcements_are_told_in_bounded_rounds(database: Database, alice: User) -> None:
    await added(database, NOWHERE, ("event.cancelled",))
    event = await new_event(database)

    async def announce(tx: Transaction) -> None:
        for _ in range(ANNOUNCEMENTS_MAX):
            await announce_event(tx, AnnouncementKind.EVENT_CANCELLED, event.id)

    await transact(database, announce)
    assert [await tell_endpoints_once(database, ENVELOPES) for _ in range(3)] == [ANNOUNCEMENTS_MAX, 1, 0]
    assert len(await deliveries(database)) == ANNOUNCEMENTS_MAX


async def test_old_announcements_are_forgotten(database: Database, alice: User) -> None:
    await added(database, NOWHERE)
    await new_event(database)
    assert await forget_announcements_once(database) == 0
    async with database.transaction() as tx:
        await tx.rows("UPDATE announcements SET created_at = created_at - interval '31 days'")
    assert [await forget_announcements_once(database) for _ in range(2)] == [1, 0]
