"""What becomes of orders through the API: who may do what with one, and what it says about that."""

from typing import Any
from uuid import uuid4

import pytest

from database import Database
from models.catalogue import Event
from models.orders import Order
from models.users import Role, User
from schema import ids
from tests.serving import Server
from tests.world import everything, hold, new_event, new_user, pay

ACTIONS = "query ($o: ID!) { order(id: $o) { status availableActions refundedTotal { amount } } }"


def mutation(name: str, answer: str = "OrderPayload { order { status availableActions } }") -> str:
    return f"""mutation ($i: OrderInput!) {{ {name}(input: $i) {{
        ... on {answer} ... on Refusal {{ code }} }} }}"""


CONFIRM = mutation("confirmOrder")
ITEMS = "OrderPayload { order { total { amount } items { seat { index } } } }"
ADD = mutation("addOrderItems", ITEMS).replace("OrderInput", "AddOrderItemsInput")
REMOVE = mutation("removeOrderItems", ITEMS).replace("OrderInput", "RemoveOrderItemsInput")
REFUND = mutation("refundOrder")
DELETE = mutation("deleteOrder", "DeletePayload { deletedId }")


RESERVE = """mutation ($i: ReserveInput!) { reserve(input: $i) {
    ... on OrderPayload { order { id buyer { id } availableActions } } ... on Refusal { code } } }"""


def wish(event: Event, buyer: User | None, index: int) -> dict[str, Any]:
    return {
        "eventId": ids.event_id(event.id),
        "selection": {"seatIndexes": [index]},
        "buyerId": ids.user_id(buyer.id) if buyer else None,
        "idempotencyKey": str(index),
    }


def named(order: Order, **more: Any) -> dict[str, Any]:
    return {"orderId": ids.order_id(order.event_id, order.id), **more}


async def actions(server: Server, viewer: User, order: Order) -> list[str]:
    seen = await server.ask(ACTIONS, viewer, o=ids.order_id(order.event_id, order.id))
    found: list[str] = seen["order"]["availableActions"]
    return found


@pytest.mark.parametrize(("query", "role"), [(CONFIRM, Role.STAFF), (DELETE, Role.OPERATOR)])
async def test_who_has_not_the_role_is_forbidden(
    database: Database, server: Server, query: str, role: Role
) -> None:
    event, alice = await new_event(database), await new_user(database, role)
    order = await hold(database, alice, event, [0])
    before = await everything(database)
    error = await server.error(query, alice, i=named(order))
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert await everything(database) == before


async def test_an_operator_confirms_and_an_admin_deletes(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    operator, admin = await new_user(database, Role.OPERATOR), await new_user(database, Role.ADMIN)
    order, other = await hold(database, alice, event, [0]), await hold(database, alice, event, [1])
    assert "CONFIRM" in await actions(server, operator, order)
    assert "CONFIRM" not in await actions(server, alice, order)
    asked = named(order, idempotencyKey="k")
    for _ in range(2):
        done = (await server.ask(CONFIRM, operator, i=asked))["confirmOrder"]
        assert done["order"]["status"] == "CONFIRMED"
    assert (await server.ask(DELETE, admin, i=asked))["deleteOrder"]["code"] == "ORDER_INVALID_STATE"
    gone = (await server.ask(DELETE, admin, i=named(other)))["deleteOrder"]
    assert gone == {"deletedId": ids.order_id(event.id, other.id)}


async def test_nothing_is_bought_of_an_event_that_is_cancelled(database: Database, server: Server) -> None:
    event, operator = await new_event(database), await new_user(database, Role.OPERATOR)
    order = await hold(database, operator, event, [0])
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET status = 'CANCELLED'")
    assert await actions(server, operator, order) == ["CANCEL"]
    before = await everything(database)
    refused = (await server.ask(CONFIRM, operator, i=named(order)))["confirmOrder"]
    assert refused["code"] == "EVENT_NOT_ON_SALE"
    assert await everything(database) == before


async def test_a_buyer_has_the_money_back_while_there_is_time(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    operator = await new_user(database, Role.OPERATOR)
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    assert await actions(server, alice, order) == ["REFUND"]
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET starts_at = now() + interval '23 hours'")
    assert await actions(server, alice, order) == []
    assert await actions(server, operator, order) == ["REFUND"]
    before = await everything(database)
    late = (await server.ask(REFUND, alice, i=named(order)))["refundOrder"]
    assert late["code"] == "REFUND_NOT_ALLOWED"
    assert await everything(database) == before
    done = (await server.ask(REFUND, operator, i=named(order)))["refundOrder"]["order"]
    assert done == {"status": "REFUNDED", "availableActions": []}
    seen = await server.ask(ACTIONS, alice, o=ids.order_id(event.id, order.id))
    assert seen["order"]["refundedTotal"]["amount"] == "10.00"


async def test_after_the_event_an_order_is_completed_and_nothing_can_be_done(
    database: Database, server: Server
) -> None:
    event, operator = await new_event(database), await new_user(database, Role.OPERATOR, credits_minor=5_000)
    order = await pay(database, operator, await hold(database, operator, event, [0]))
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET starts_at = now() - interval '2 h', ends_at = now()")
    seen = await server.ask(ACTIONS, operator, o=ids.order_id(event.id, order.id))
    assert (seen["order"]["status"], seen["order"]["availableActions"]) == ("COMPLETED", [])
    refused = (await server.ask(REFUND, operator, i=named(order)))["refundOrder"]
    assert refused["code"] == "REFUND_NOT_ALLOWED"


async def test_seats_come_and_go_while_an_order_is_held(database: Database, server: Server) -> None:
    event, alice, other = await new_event(database), await new_user(database), await new_event(database)
    order = await hold(database, alice, event, [0])
    assert await actions(server, alice, order) == ["ADD_ITEMS", "PAY", "CANCEL"]
    asked = named(order, selection={"seatIndexes": list(range(1, 10))}, idempotencyKey="k")
    for _ in range(2):
        more = (await server.ask(ADD, alice, i=asked))["addOrderItems"]["order"]
        assert (more["total"]["amount"], len(more["items"])) == ("100.00", 10)
    assert await actions(server, alice, order) == ["PAY", "CANCEL"]
    before = await everything(database)
    stranger = named(order, seatIds=[ids.seat_id(other.id, 0)])
    assert (await server.ask(REMOVE, alice, i=stranger))["removeOrderItems"]["code"] == "SEAT_NOT_FOUND"
    mismatch = asked | {"selection": {"seatIndexes": [1]}}
    assert (await server.ask(ADD, alice, i=mismatch))["addOrderItems"]["code"] == "IDEMPOTENCY_MISMATCH"
    assert await everything(database) == before
    fewer = named(order, seatIds=[ids.seat_id(event.id, index) for index in range(9)])
    left = (await server.ask(REMOVE, alice, i=fewer))["removeOrderItems"]["order"]
    assert [item["seat"]["index"] for item in left["items"]] == [9]
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET sales_end_at = statement_timestamp()")
    assert await actions(server, alice, order) == ["PAY", "CANCEL"]


async def test_who_may_reserves_for_somebody_else(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    operator, staff = await new_user(database, Role.OPERATOR), await new_user(database, Role.STAFF)
    client = User(id=uuid4(), roles=[Role.SERVICE])
    for index, caller in enumerate((operator, client)):
        asked = wish(event, alice, index)
        for _ in range(2):
            order = (await server.ask(RESERVE, caller, i=asked))["reserve"]["order"]
            assert order["buyer"]["id"] == ids.user_id(alice.id)
        expected = ["ADD_ITEMS", "CANCEL", "CONFIRM"] if caller is operator else []
        assert order["availableActions"] == expected
    assert len(await database.rows("SELECT 1 FROM orders")) == 2
    before = await everything(database)
    error = await server.error(RESERVE, staff, i=wish(event, alice, 5))
    assert error["extensions"]["code"] == "FORBIDDEN"
    for buyer, code in ((None, "VALIDATION_ERROR"), (client, "USER_NOT_FOUND")):
        refused = (await server.ask(RESERVE, client, i=wish(event, buyer, 5)))["reserve"]
        assert refused["code"] == code
    other = wish(event, staff, 0)
    assert (await server.ask(RESERVE, operator, i=other))["reserve"]["code"] == "IDEMPOTENCY_MISMATCH"
    assert await everything(database) == before
    own = (await server.ask(RESERVE, staff, i=wish(event, staff, 5)))["reserve"]["order"]
    assert own["buyer"]["id"] == ids.user_id(staff.id)
