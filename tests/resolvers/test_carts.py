"""Carts through the API: as their owner fills and checks them out, and as nobody else sees them."""

from typing import Any
from uuid import uuid4

import pytest

from database import Database
from models.users import Role, User
from schema import ids
from tests.carts import let_be, put_places, put_seats, set_price
from tests.codes import flagged_user
from tests.serving import Server
from tests.world import everything, hold, letters, new_event, new_user, priced

CART = """id totals { amount currency } notices { itemId message } items {
    id quantity subtotal { amount } event { name } tier { name price { amount } } seat { index status } }"""
VIEWER = f"{{ viewer {{ cart {{ {CART} }} }} }}"
REFUSAL = "... on Refusal { code field message seatIds }"


def changing(name: str) -> str:
    kind = name[0].upper() + name[1:]
    return f"""mutation ($i: {kind}Input!) {{
        {name}(input: $i) {{ ... on CartPayload {{ cart {{ {CART} }} }} {REFUSAL} }} }}"""


ADD, UPDATE, REMOVE = changing("addToCart"), changing("updateCartItem"), changing("removeCartItem")
CLEAR = f"mutation {{ clearCart {{ ... on CartPayload {{ cart {{ {CART} }} }} {REFUSAL} }} }}"
CHECKOUT = f"""mutation ($i: CheckoutInput!) {{ checkout(input: $i) {{
    ... on CheckoutPayload {{ orders {{ id status total {{ amount }} items {{ seat {{ index }} }}
        event {{ name }} }} }} {REFUSAL} }} }}"""
PAY = (
    f"mutation ($i: PayInput!) {{ pay(input: $i) {{ ... on OrderPayload {{ order {{ id }} }} {REFUSAL} }} }}"
)
NODE = """query ($id: ID!) { node(id: $id) { __typename id
    ... on Cart { items { id } } ... on CartItem { quantity } } }"""
OF_OTHERS = """query ($u: ID!) { user(id: $u) {
    email cart { id items { id } totals { amount } notices { message } } } }"""


async def cart(server: Server, user: User) -> dict[str, Any]:
    found: dict[str, Any] = (await server.ask(VIEWER, user))["viewer"]["cart"]
    return found


async def test_a_cart_is_filled_changed_and_checked_out(database: Database, server: Server) -> None:
    show = await new_event(database, await priced(standing=5))
    concert, alice = await new_event(database, name="Concert"), await new_user(database)
    assert (await cart(server, alice))["items"] == []
    standing = {"eventId": ids.event_id(show.id), "tierId": ids.tier_id(show.id, 1)}
    for quantity in (1, 2):
        added = (await server.ask(ADD, alice, i=standing | {"quantity": quantity}))["addToCart"]["cart"]
    seat = {"eventId": ids.event_id(concert.id), "seatId": ids.seat_id(concert.id, 4)}
    for _ in range(2):
        added = (await server.ask(ADD, alice, i=seat))["addToCart"]["cart"]
    assert added == await cart(server, alice)
    assert added["totals"] == [{"amount": "25.00", "currency": "EUR"}]
    places, chosen = added["items"]
    assert (places["quantity"], places["subtotal"], places["seat"]) == (3, {"amount": "15.00"}, None)
    assert (chosen["event"], chosen["tier"]["name"]) == ({"name": "Concert"}, "Stalls")
    assert chosen["seat"] == {"index": 4, "status": "AVAILABLE"}
    asked = {"itemId": places["id"], "quantity": 1}
    fewer = (await server.ask(UPDATE, alice, i=asked))["updateCartItem"]["cart"]
    assert [item["quantity"] for item in fewer["items"]] == [1, 1]
    asked = {"itemId": chosen["id"]}
    left = (await server.ask(REMOVE, alice, i=asked))["removeCartItem"]["cart"]
    assert [item["id"] for item in left["items"]] == [places["id"]]
    await server.ask(ADD, alice, i=seat)
    answers = [(await server.ask(CHECKOUT, alice, i={"idempotencyKey": "k"}))["checkout"] for _ in range(2)]
    assert answers[0] == answers[1]
    show_order, concert_order = answers[0]["orders"]
    assert (show_order["event"], show_order["total"]) == ({"name": "Show"}, {"amount": "5.00"})
    assert concert_order["items"] == [{"seat": {"index": 4}}]
    assert await cart(server, alice) | {"id": ""} == {"id": "", "items": [], "totals": [], "notices": []}
    assert await letters(database, concert) == "AAAAHAAAAA"


async def test_what_changed_is_told_by_the_next_answer_and_not_for_what_is_taken_out(
    database: Database, server: Server
) -> None:
    one, other, alice = await new_event(database), await new_event(database), await new_user(database)
    await put_seats(database, alice, one, 0, 1)
    await put_seats(database, alice, other, 0)
    await set_price(database, one, 1_200)
    await let_be(database, other, "status = 'CANCELLED'")
    seen = await cart(server, alice)
    assert seen["totals"] == [{"amount": "24.00", "currency": "EUR"}]
    first, second = (item["id"] for item in seen["items"])
    told = [notice["itemId"] for notice in seen["notices"]]
    assert told[1:] == [first, second]
    answer = (await server.ask(REMOVE, alice, i={"itemId": first}))["removeCartItem"]["cart"]
    assert [notice["itemId"] for notice in answer["notices"]] == [told[0], second]
    assert [notice["itemId"] for notice in (await cart(server, alice))["notices"]] == [second]
    cleared = (await server.ask(CLEAR, alice))["clearCart"]["cart"]
    assert (cleared["items"], cleared["notices"]) == ([], [])


async def test_every_seat_in_the_way_is_named(database: Database, server: Server) -> None:
    one, other = await new_event(database), await new_event(database)
    alice, bob = await new_user(database), await new_user(database)
    await put_seats(database, alice, one, 0)
    await put_seats(database, alice, other, 1, 2)
    await hold(database, bob, one, [0])
    await hold(database, bob, other, [2])
    before = await everything(database)
    refused = (await server.ask(CHECKOUT, alice, i={}))["checkout"]
    assert refused["code"] == "SEAT_UNAVAILABLE"
    assert set(refused["seatIds"]) == {ids.seat_id(one.id, 0), ids.seat_id(other.id, 2)}
    assert await everything(database) == before


@pytest.mark.parametrize("role", [Role.USER, Role.STAFF, Role.OPERATOR, Role.ADMIN])
async def test_a_cart_is_seen_and_changed_by_its_owner_alone(
    database: Database, server: Server, role: Role
) -> None:
    event, alice, other = await new_event(database), await new_user(database), await new_user(database, role)
    await put_seats(database, alice, event, 0)
    seen = await cart(server, alice)
    before = await everything(database)
    for id in (seen["id"], seen["items"][0]["id"]):
        assert (await server.ask(NODE, alice, id=id))["node"]["id"] == id
        assert (await server.ask(NODE, other, id=id))["node"] is None
        assert (await server.ask(NODE, None, id=id))["node"] is None
    if role is Role.ADMIN:
        found = (await server.ask(OF_OTHERS, other, u=ids.user_id(alice.id)))["user"]
        assert found["email"] == alice.email
        assert found["cart"] == {"id": seen["id"], "items": [], "totals": [], "notices": []}
    asked = {"itemId": seen["items"][0]["id"], "quantity": 1}
    assert (await server.ask(UPDATE, other, i=asked))["updateCartItem"]["code"] == "CART_ITEM_NOT_FOUND"
    del asked["quantity"]
    assert (await server.ask(REMOVE, other, i=asked))["removeCartItem"]["code"] == "CART_ITEM_NOT_FOUND"
    assert (await server.ask(CHECKOUT, other, i={}))["checkout"]["code"] == "CART_EMPTY"
    assert await everything(database) == before


async def test_who_has_no_account_has_no_cart(database: Database, server: Server) -> None:
    event = await new_event(database)
    asked = {"eventId": ids.event_id(event.id), "seatId": ids.seat_id(event.id, 0)}
    before = await everything(database)
    service = User(id=uuid4(), roles=[Role.SERVICE])
    for caller, code in ((None, "UNAUTHORIZED"), (service, "FORBIDDEN")):
        assert (await server.error(ADD, caller, i=asked))["extensions"]["code"] == code
        assert (await server.error(CLEAR, caller))["extensions"]["code"] == code
        assert (await server.error(CHECKOUT, caller, i={}))["extensions"]["code"] == code
    assert (await server.ask(NODE, service, id=ids.cart_id(service.id)))["node"] is None
    assert await everything(database) == before


async def test_what_is_of_another_event_is_refused(database: Database, server: Server) -> None:
    event, other, alice = await new_event(database), await new_event(database), await new_user(database)
    before = await everything(database)
    for wish, code in (
        ({"seatId": ids.seat_id(other.id, 0)}, "SEAT_NOT_FOUND"),
        ({"tierId": ids.tier_id(other.id, 0)}, "TIER_NOT_FOUND"),
        ({}, "VALIDATION_ERROR"),
    ):
        asked = {"eventId": ids.event_id(event.id)} | wish
        assert (await server.ask(ADD, alice, i=asked))["addToCart"]["code"] == code
    assert await everything(database) == before


async def test_a_flagged_buyer_checks_out_and_pays_with_a_code(database: Database, server: Server) -> None:
    event = await new_event(database, await priced(standing=5))
    alice = await flagged_user(database, await new_user(database, credits_minor=9_000))
    await put_places(database, alice, event, 1, 2)
    (order,) = (await server.ask(CHECKOUT, alice, i={}))["checkout"]["orders"]
    before = await everything(database)
    assert (await server.ask(PAY, alice, i={"orderId": order["id"]}))["pay"]["code"] == "OTP_REQUIRED"
    assert await everything(database) == before
