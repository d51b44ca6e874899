"""Holding, paying and giving back through the API, and who sees whose orders and tickets."""

from typing import Any

from database import Database
from models.users import Role
from schema import ids
from tests.serving import Server
from tests.world import everything, hold, let_lapse, new_event, new_user, pay, priced

RESERVE = """mutation ($i: ReserveInput!) { reserve(input: $i) { __typename
    ... on OrderPayload { order { id reference status heldUntil secondsLeft availableActions
        total { amount currency } refundedTotal { amount } event { id } buyer { name }
        items { price { amount } seat { index status price { amount } } tier { name } } } }
    ... on Refusal { code message field seatIds problems { field message } } } }"""
PAY = """mutation ($i: PayInput!) { pay(input: $i) { __typename
    ... on OrderPayload { order { id status tickets { reference status seat { index status }
        owner { name user { email } } pricePaid { amount } order { id } event { name } } } }
    ... on Refusal { code missing { amount currency } seatIds } } }"""
CANCEL = """mutation ($i: OrderInput!) { cancelOrder(input: $i) { __typename
    ... on OrderPayload { order { status } } ... on Refusal { code } } }"""


def wish(event: Any, key: str | None = None, **selection: Any) -> dict[str, Any]:
    return {"eventId": ids.event_id(event.id), "selection": selection, "idempotencyKey": key}


async def test_a_person_holds_pays_and_owns(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    seats = [ids.seat_id(event.id, 1), ids.seat_id(event.id, 2)]
    order = (await server.ask(RESERVE, alice, i=wish(event, seatIds=seats)))["reserve"]["order"]
    assert (order["status"], order["availableActions"]) == ("PENDING", ["ADD_ITEMS", "PAY", "CANCEL"])
    assert order["total"] == {"amount": "20.00", "currency": "EUR"}
    assert 290 <= order["secondsLeft"] <= 300
    assert [item["seat"]["index"] for item in order["items"]] == [1, 2]
    assert order["items"][0]["seat"]["status"] == "HELD"
    paid = (await server.ask(PAY, alice, i={"orderId": order["id"]}))["pay"]["order"]
    assert paid["status"] == "CONFIRMED"
    assert {ticket["seat"]["status"] for ticket in paid["tickets"]} == {"SOLD"}
    assert paid["tickets"][0]["owner"]["user"]["email"] == alice.email
    mine = """{ viewer { creditBalance { amount } orders { totalCount }
        tickets(filter: {upcoming: true}) { nodes { pricePaid { amount } order { id } } } }
        tickets { totalCount } orders { totalCount } }"""
    seen = await server.ask(mine, alice)
    assert seen["viewer"]["creditBalance"]["amount"] == "30.00"
    assert [ticket["order"]["id"] for ticket in seen["viewer"]["tickets"]["nodes"]] == [order["id"]] * 2
    assert (seen["tickets"]["totalCount"], seen["orders"]["totalCount"]) == (2, 1)


async def test_the_four_ways_to_choose(database: Database, server: Server) -> None:
    event, alice = await new_event(database, await priced(standing=5)), await new_user(database)
    tier = ids.tier_id(event.id, 1)
    for selection, count in (
        ({"seatIds": [ids.seat_id(event.id, 0)]}, 1),
        ({"seatIndexes": [1, 2]}, 2),
        ({"generalAdmission": [{"tierId": tier, "quantity": 3}]}, 3),
        ({"bestAvailable": {"quantity": 2}}, 2),
        ({"bestAvailable": {"quantity": 1, "tierId": ids.tier_id(event.id, 0)}}, 1),
    ):
        answer = (await server.ask(RESERVE, alice, i=wish(event, **selection)))["reserve"]
        assert len(answer["order"]["items"]) == count


async def test_refusals_name_what_is_in_the_way_and_change_nothing(
    database: Database, server: Server
) -> None:
    event, other = await new_event(database, await priced(standing=2)), await new_event(database)
    alice, bob = await new_user(database), await new_user(database)
    order = await hold(database, alice, event, [0])
    taken, foreign = ids.seat_id(event.id, 0), ids.seat_id(other.id, 1)
    standing = ids.tier_id(event.id, 1)
    before = await everything(database)
    for selection, code, seats in (
        ({"seatIds": [taken]}, "SEAT_UNAVAILABLE", [taken]),
        ({"seatIds": [foreign]}, "SEAT_NOT_FOUND", [foreign]),
        ({"seatIndexes": [99]}, "SEAT_NOT_FOUND", [ids.seat_id(event.id, 99)]),
        ({"seatIndexes": [1, -1]}, "SEAT_NOT_FOUND", []),
        ({"seatIndexes": []}, "VALIDATION_ERROR", []),
        ({"seatIndexes": list(range(11))}, "TOO_MANY_SEATS", []),
        ({"generalAdmission": [{"tierId": standing, "quantity": 3}]}, "NOT_ENOUGH_SEATS", []),
        ({"generalAdmission": [{"tierId": standing, "quantity": 0}]}, "VALIDATION_ERROR", []),
        ({"generalAdmission": [{"tierId": ids.tier_id(other.id, 0), "quantity": 1}]}, "TIER_NOT_FOUND", []),
        ({"bestAvailable": {"quantity": 2**31 - 1}}, "TOO_MANY_SEATS", []),
    ):
        refused = (await server.ask(RESERVE, bob, i=wish(event, **selection)))["reserve"]
        assert (refused["code"], refused["seatIds"]) == (code, seats), refused
    ghost = {"eventId": ids.event_id(alice.id), "selection": {"seatIndexes": [0]}}
    assert (await server.ask(RESERVE, bob, i=ghost))["reserve"]["code"] == "EVENT_NOT_FOUND"
    id = ids.order_id(event.id, order.id)
    for query, name in ((PAY, "pay"), (CANCEL, "cancelOrder")):
        assert (await server.ask(query, bob, i={"orderId": id}))[name]["code"] == "ORDER_NOT_FOUND"
    poor = (await server.ask(PAY, alice, i={"orderId": id}))["pay"]
    assert (poor["code"], poor["missing"]) == ("INSUFFICIENT_CREDITS", {"amount": "10.00", "currency": "EUR"})
    long = (await server.ask(RESERVE, bob, i=wish(event, "x" * 256, seatIndexes=[5])))["reserve"]
    assert (long["code"], long["field"]) == ("VALIDATION_ERROR", "input.idempotencyKey")
    assert await everything(database) == before


async def test_one_key_one_effect(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    asked = wish(event, "k", seatIndexes=[0])
    first = (await server.ask(RESERVE, alice, i=asked))["reserve"]["order"]["id"]
    assert (await server.ask(RESERVE, alice, i=asked))["reserve"]["order"]["id"] == first
    other = (await server.ask(RESERVE, alice, i=wish(event, "k", seatIndexes=[1])))["reserve"]
    assert other["code"] == "IDEMPOTENCY_MISMATCH"
    paying = {"orderId": first, "idempotencyKey": "k"}
    for _ in range(2):
        assert (await server.ask(PAY, alice, i=paying))["pay"]["order"]["status"] == "CONFIRMED"
    assert len(await database.rows("SELECT 1 FROM movements WHERE kind = 'PURCHASE'")) == 1


async def test_a_lapsed_order_reads_as_expired_everywhere(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await hold(database, alice, event, [0])
    await let_lapse(database, order)
    id = ids.order_id(event.id, order.id)
    query = """query ($o: ID!) { order(id: $o) { status heldUntil secondsLeft availableActions
        items { seat { status } } } orders(filter: {status: [EXPIRED]}) { totalCount }
        pending: orders(filter: {status: [PENDING]}) { totalCount } }"""
    seen = await server.ask(query, alice, o=id)
    assert seen["order"] == {
        "status": "EXPIRED",
        "heldUntil": None,
        "secondsLeft": None,
        "availableActions": [],
        "items": [{"seat": {"status": "AVAILABLE"}}],
    }
    assert (seen["orders"]["totalCount"], seen["pending"]["totalCount"]) == (1, 0)
    assert (await server.ask(PAY, alice, i={"orderId": id}))["pay"]["code"] == "HOLD_EXPIRED"
    gone = (await server.ask(CANCEL, alice, i={"orderId": id}))["cancelOrder"]
    assert gone["code"] == "ORDER_INVALID_STATE"


async def test_who_sees_an_order_and_a_ticket(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    (ticket,) = await database.rows("SELECT id FROM tickets")
    given = {
        "o": ids.order_id(event.id, order.id),
        "t": ids.ticket_id(event.id, ticket["id"]),
        "s": ids.seat_id(event.id, 0),
        "u": ids.user_id(alice.id),
    }
    query = """query ($o: ID!, $t: ID!, $s: ID!, $u: ID!) {
        nodes(ids: [$o, $t, $u]) { __typename }
        seat: node(id: $s) { ... on Seat { ticket { owner { name user { email } } order { id } } } } }"""
    stranger = await new_user(database)
    staff = await new_user(database, Role.STAFF)
    operator = await new_user(database, Role.OPERATOR)
    for who, sees in (
        (None, (False, False, False)),
        (stranger, (False, False, False)),
        (staff, (False, True, False)),
        (operator, (True, True, True)),
        (alice, (True, True, True)),
    ):
        seen = await server.ask(query, who, **given)
        assert tuple(node is not None for node in seen["nodes"]) == sees
        shown = seen["seat"]["ticket"]
        assert (shown is not None) == sees[1]
        if shown:
            assert (shown["owner"]["user"] is not None, shown["order"] is not None) == (sees[2], sees[0])
            assert shown["owner"]["name"].endswith("***@example.com")
    for field, id in (("order", given["o"]), ("ticket", given["t"])):
        one = f"query ($i: ID!) {{ {field}(id: $i) {{ id }} }}"
        assert (await server.error(one, i=id))["extensions"]["code"] == "UNAUTHORIZED"
        assert (await server.ask(one, stranger, i=id))[field] is None


async def test_lists_are_ones_own_or_all_for_who_runs_events(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    bob, operator = await new_user(database), await new_user(database, Role.OPERATOR)
    count = """query ($o: OrderFilter, $t: TicketFilter) {
        orders(filter: $o) { totalCount } tickets(filter: $t) { totalCount } }"""
    both = {"userId": ids.user_id(alice.id), "seatId": ids.seat_id(event.id, 0)}
    both["eventId"] = ids.event_id(event.id)
    assert await server.ask(count, bob) == {"orders": {"totalCount": 0}, "tickets": {"totalCount": 0}}
    assert await server.ask(count, operator, o=both, t=both | {"status": ["ACTIVE"]}) == {
        "orders": {"totalCount": 1},
        "tickets": {"totalCount": 1},
    }
    for filters in ({"o": both}, {"t": both}):
        answer = (await server.post(count, bob, **filters)).json()
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"FORBIDDEN"}
    for search, found in ((order.reference.lower(), 1), (alice.email, 1), ("nobody@example.com", 0)):
        seen = await server.ask(count, operator, o={"search": search})
        assert seen["orders"]["totalCount"] == found
    assert (await server.error(count, alice, o={"search": "x"}))["extensions"]["code"] == "FORBIDDEN"
    assert (await server.post(count)).json()["data"] == {"orders": None, "tickets": None}
