"""Getting an account, logging in, and finding things by id."""

import pytest

from database import Database
from schema import ids
from tests.serving import Server
from tests.world import everything, new_event, new_hall, new_user

REGISTER = """mutation ($i: RegisterInput!) { register(input: $i) {
    ... on SessionPayload { session { accessToken tokenType expiresIn
        user { id email phone username fullName roles active flagged creditBalance { amount } } } }
    ... on Refusal { code field problems { field } } } }"""
LOGIN = """mutation ($e: String!, $p: String!) { login(input: {email: $e, password: $p}) {
    ... on SessionPayload { session { accessToken } } ... on Refusal { code message } } }"""

PASSWORD = "correct horse"


async def test_a_person_registers_and_logs_in(database: Database, server: Server) -> None:
    given = {
        "email": "Ann@Example.com",
        "password": PASSWORD,
        "phone": "+49 30 123456",
        "username": "ann",
        "fullName": "Ann Example",
    }
    session = (await server.ask(REGISTER, i=given))["register"]["session"]
    assert (session["tokenType"], session["expiresIn"]) == ("Bearer", 900)
    user = session["user"]
    assert (user["email"], user["phone"], user["roles"]) == ("Ann@example.com", "+4930123456", ["USER"])
    logged_in = await server.ask(LOGIN, e="ann@EXAMPLE.com ", p=PASSWORD)
    headers = {"Authorization": f"Bearer {logged_in['login']['session']['accessToken']}"}
    body = {"query": "{ viewer { id } }"}
    answer = await server.http.post("/graphql", json=body, headers=headers)
    assert answer.json()["data"]["viewer"] == {"id": user["id"]}


async def test_wrong_inputs_and_known_people_are_refused(database: Database, server: Server) -> None:
    good = {"email": "ann@example.com", "password": PASSWORD, "username": "ann"}
    await server.ask(REGISTER, i=good)
    before = await everything(database)
    for changes, code, fields in (
        ({"email": "nobody"}, "VALIDATION_ERROR", ["input.email"]),
        ({"password": "1234567"}, "VALIDATION_ERROR", ["input.password"]),
        ({"password": "x" * 129, "phone": "12"}, "VALIDATION_ERROR", ["input.phone", "input.password"]),
        ({"username": ""}, "VALIDATION_ERROR", ["input.username"]),
        ({"fullName": "x" * 201}, "VALIDATION_ERROR", ["input.fullName"]),
        ({"username": "other"}, "EMAIL_ALREADY_EXISTS", []),
        ({"email": "ben@example.com", "username": "ANN"}, "USERNAME_ALREADY_EXISTS", []),
    ):
        refused = (await server.ask(REGISTER, i=good | changes))["register"]
        assert (refused["code"], [p["field"] for p in refused["problems"]]) == (code, fields)
    assert await everything(database) == before


async def test_unknown_people_and_wrong_passwords_get_the_same_answer(
    database: Database, server: Server
) -> None:
    await server.ask(REGISTER, i={"email": "ann@example.com", "password": PASSWORD})
    wrong = await server.ask(LOGIN, e="ann@example.com", p="something else")
    unknown = await server.ask(LOGIN, e="ben@example.com", p="something else")
    assert wrong == unknown
    assert wrong["login"]["code"] == "INVALID_CREDENTIALS"
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET active = false")
    assert (await server.ask(LOGIN, e="ann@example.com", p=PASSWORD)) == wrong


async def test_logging_in_does_not_change_who_asks_in_the_same_request(
    database: Database, server: Server
) -> None:
    await server.ask(REGISTER, i={"email": "ann@example.com", "password": PASSWORD})
    who = f'email: "ann@example.com", password: "{PASSWORD}"'
    query = f"""mutation {{ login(input: {{{who}}}) {{ __typename }}
        createVenue(input: {{name: "a", address: "b"}}) {{ __typename }} }}"""
    assert (await server.error(query))["extensions"]["code"] == "UNAUTHORIZED"


async def test_everything_is_found_by_its_id(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database)
    (hall,) = await database.rows("SELECT id, venue_id FROM halls WHERE id = $1", event.hall_id)
    known = {
        ids.event_id(event.id): "Event",
        ids.venue_id(hall["venue_id"]): "Venue",
        ids.hall_id(hall["id"]): "Hall",
        ids.tier_id(event.id, 0): "PricingTier",
        ids.seat_id(event.id, 3): "Seat",
        ids.user_id(alice.id): "User",
        ids.seat_id(event.id, 10): None,
        ids.tier_id(event.id, 1): None,
        ids.event_id(alice.id): None,
    }
    query = "query ($i: [ID!]!) { nodes(ids: $i) { __typename id } }"
    found = (await server.ask(query, alice, i=list(known)))["nodes"]
    assert [node and node["__typename"] for node in found] == list(known.values())
    too_many = await server.error(query, i=[ids.event_id(event.id)] * 101)
    assert too_many["extensions"]["code"] == "VALIDATION_ERROR"


WRONG = ["", "x", "ev_", "zz_AAAA", "ev_!!!", "se_AaH7LuRMdfO2pUiI1EyjVg", "🎭", "ev_" + "A" * 90]


@pytest.mark.parametrize(
    "query",
    [
        "query ($i: ID!) { node(id: $i) { id } }",
        "query ($i: ID!) { event(id: $i) { id } }",
        "query ($i: ID!) { order(id: $i) { id } }",
        "query ($i: ID!) { ticket(id: $i) { id } }",
        "query ($i: ID!) { events(filter: {venueId: $i}) { totalCount } }",
        "query ($i: ID!) { orders(filter: {eventId: $i}) { totalCount } }",
        "query ($i: ID!) { orders(filter: {seatId: $i}) { totalCount } }",
        "query ($i: ID!) { tickets(filter: {seatId: $i}) { totalCount } }",
        "query ($i: ID!) { tickets(filter: {eventId: $i}) { totalCount } }",
        "mutation ($i: ID!) { pay(input: {orderId: $i}) { __typename } }",
        "mutation ($i: ID!) { cancelOrder(input: {orderId: $i}) { __typename } }",
        "mutation ($i: ID!) { reserve(input: {eventId: $i, selection: {seatIndexes: [1]}}) { __typename } }",
    ],
)
async def test_a_malformed_id_is_an_error_of_the_request(
    database: Database, server: Server, query: str
) -> None:
    alice, hall = await new_user(database), await new_hall(database)
    foreign = ids.hall_id(hall)
    for id in [*WRONG, *([] if "node" in query else [foreign])]:
        error = await server.error(query, alice, i=id)
        assert error["extensions"]["code"] == "INVALID_ID", (query, id)
