"""Lists of orders: every filter, and a person's orders together for each event."""

from typing import Any

from database import Database
from dataloaders.loads import ORDERS_AT_AN_EVENT_MAX
from models.orders import Order
from models.users import Role, User
from schema import ids
from tests.serving import Server
from tests.world import hold, let_lapse, new_event, new_user, pay, refund

LIST = "query ($f: OrderFilter) { orders(filter: $f) { totalCount nodes { reference } } }"
BY_EVENT = """query ($first: Int, $after: String) { viewer { ordersByEvent(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { event { id } orders { reference status tickets { seat { index } } } } } } }"""


async def listed(server: Server, viewer: User, **wanted: Any) -> set[str]:
    found = (await server.ask(LIST, viewer, f=wanted))["orders"]
    assert found["totalCount"] == len(found["nodes"])
    return {node["reference"] for node in found["nodes"]}


async def test_every_filter_alone_and_with_others(database: Database, server: Server) -> None:
    one, other = await new_event(database), await new_event(database)
    alice, bob = await new_user(database, credits_minor=9_000), await new_user(database)
    operator = await new_user(database, Role.OPERATOR)
    held = await hold(database, alice, one, [0])
    paid = await pay(database, alice, await hold(database, alice, one, [1]))
    back = await refund(database, alice, await pay(database, alice, await hold(database, alice, one, [2])))
    again = await hold(database, bob, one, [2])
    lapsed = await hold(database, bob, other, [0])
    await let_lapse(database, lapsed)

    def references(*orders: Order) -> set[str]:
        return {order.reference for order in orders}

    for wanted, expected in (
        ({}, references(held, paid, back, again, lapsed)),
        ({"eventId": ids.event_id(other.id)}, references(lapsed)),
        ({"userId": ids.user_id(alice.id)}, references(held, paid, back)),
        ({"seatId": ids.seat_id(one.id, 2)}, references(back, again)),
        ({"status": ["EXPIRED"]}, references(lapsed)),
        ({"status": ["PENDING", "REFUNDED"]}, references(held, again, back)),
        ({"status": []}, set()),
        ({"search": f" {paid.reference.lower()} "}, references(paid)),
        ({"search": bob.email.upper()}, references(again, lapsed)),
        ({"search": bob.email, "eventId": ids.event_id(one.id)}, references(again)),
        ({"userId": ids.user_id(alice.id), "seatId": ids.seat_id(one.id, 2)}, references(back)),
    ):
        assert await listed(server, operator, **wanted) == expected, wanted
    assert await listed(server, alice, seatId=ids.seat_id(one.id, 2)) == references(back)
    assert await listed(server, alice, userId=ids.user_id(alice.id), status=["CONFIRMED"]) == references(paid)


async def test_orders_come_together_for_each_event(database: Database, server: Server) -> None:
    events = [await new_event(database) for _ in range(3)]
    alice, bob = await new_user(database, credits_minor=9_000), await new_user(database)
    first = await pay(database, alice, await hold(database, alice, events[0], [0, 1]))
    second = await hold(database, alice, events[0], [2])
    third = await hold(database, alice, events[2], [0])
    await hold(database, bob, events[1], [0])
    page = (await server.ask(BY_EVENT, alice, first=1))["viewer"]["ordersByEvent"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (2, True)
    assert page["nodes"] == [
        {
            "event": {"id": ids.event_id(events[2].id)},
            "orders": [{"reference": third.reference, "status": "PENDING", "tickets": []}],
        }
    ]
    after = page["pageInfo"]["endCursor"]
    page = (await server.ask(BY_EVENT, alice, first=5, after=after))["viewer"]["ordersByEvent"]
    (node,) = page["nodes"]
    assert node["event"] == {"id": ids.event_id(events[0].id)}
    assert [order["reference"] for order in node["orders"]] == [second.reference, first.reference]
    assert [ticket["seat"]["index"] for ticket in node["orders"][1]["tickets"]] == [0, 1]


async def test_of_very_many_orders_at_an_event_the_newest_come(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as tx:
        await tx.rows(
            """INSERT INTO orders (event_id, id, reference, buyer_id, status, total_minor, currency)
               SELECT $1, ('ffffffff-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'R' || n,
                   $2, 'CANCELLED', 0, 'EUR'
               FROM generate_series(1, $3) AS n""",
            event.id,
            alice.id,
            ORDERS_AT_AN_EVENT_MAX,
        )
    found = (await server.ask(BY_EVENT, alice))["viewer"]["ordersByEvent"]["nodes"]
    assert len(found) == 1
    assert len(found[0]["orders"]) == ORDERS_AT_AN_EVENT_MAX
    assert order.reference not in {one["reference"] for one in found[0]["orders"]}
