"""Finding people and things by id."""

import orjson
import pytest

from database import Database
from models.users import Role
from schema import ids
from tests.people import logged_in
from tests.serving import Server
from tests.world import everything, new_event, new_hall, new_user

ANSWER = """{ ... on UserPayload { user { id username fullName roles active flagged } }
    ... on Refusal { code field } }"""
UPDATE = f"mutation ($i: UpdateUserInput!) {{ updateUser(input: $i) {ANSWER} }}"
ROLES = f"mutation ($u: ID!) {{ setUserRoles(input: {{userId: $u, roles: [USER, STAFF]}}) {ANSWER} }}"
FLAG = f"mutation ($u: ID!) {{ setUserFlagged(input: {{userId: $u, flagged: true}}) {ANSWER} }}"
DEACTIVATE = f"mutation ($u: ID!) {{ deactivateUser(input: {{userId: $u}}) {ANSWER} }}"
ACTIVATE = f"mutation ($u: ID!) {{ activateUser(input: {{userId: $u}}) {ANSWER} }}"
DELETE = """mutation ($u: ID!) { deleteUser(input: {userId: $u}) {
    ... on DeletePayload { deletedId } ... on Refusal { code } } }"""
EXPORT = "mutation { exportMyData { ... on ExportPayload { json } ... on Refusal { code } } }"
USER = "query ($i: ID, $n: String) { user(id: $i, username: $n) { id email } }"
USERS = "query ($s: String) { users(search: $s) { totalCount nodes { email } } }"


async def test_a_person_changes_their_own_account(database: Database, server: Server) -> None:
    ann, bob = await new_user(database), await new_user(database)
    given = {"username": "ann", "fullName": "Ann Example"}
    changed = (await server.ask(UPDATE, ann, i=given))["updateUser"]["user"]
    assert (changed["id"], changed["username"], changed["fullName"]) == (ids.user_id(ann.id), *given.values())
    before = await everything(database)
    for user, wish, code in (
        (bob, {"username": "ANN"}, "USERNAME_ALREADY_EXISTS"),
        (bob, {"phone": "12"}, "VALIDATION_ERROR"),
        (bob, {"userId": ids.user_id(ann.id), "username": "x"}, "USER_NOT_FOUND"),
    ):
        assert (await server.ask(UPDATE, user, i=wish))["updateUser"]["code"] == code
    assert (await server.error(UPDATE, i=given))["extensions"]["code"] == "UNAUTHORIZED"
    assert await everything(database) == before
    admin = await new_user(database, Role.ADMIN)
    cleared = {"userId": ids.user_id(ann.id), "username": None}
    assert (await server.ask(UPDATE, admin, i=cleared))["updateUser"]["user"]["username"] is None


async def test_a_person_changes_the_language_of_letters(database: Database, server: Server) -> None:
    ann = await new_user(database)
    change = """mutation ($l: Language) { updateUser(input: {language: $l}) {
        ... on UserPayload { user { language } } } }"""
    for given, kept in (("DE", "DE"), (None, "DE"), ("EN", "EN")):
        assert await server.ask(change, ann, l=given) == {"updateUser": {"user": {"language": kept}}}


@pytest.mark.parametrize("query", [ROLES, FLAG, DEACTIVATE, ACTIVATE, DELETE, USER, USERS])
async def test_people_are_managed_by_admins_only(database: Database, server: Server, query: str) -> None:
    ann = await new_user(database)
    given = (
        {"u": ids.user_id(ann.id)} if "$u" in query else {"i": ids.user_id(ann.id)} if "$i" in query else {}
    )
    operator = await new_user(database, Role.OPERATOR, Role.STAFF)
    before = await everything(database)
    assert (await server.error(query, **given))["extensions"]["code"] == "UNAUTHORIZED"
    for user in (ann, operator):
        assert (await server.error(query, user, **given))["extensions"]["code"] == "FORBIDDEN"
    assert await everything(database) == before


async def test_an_admin_manages_people(database: Database, server: Server) -> None:
    ann, admin = await new_user(database), await new_user(database, Role.ADMIN)
    id = ids.user_id(ann.id)
    user = (await server.ask(ROLES, admin, u=id))["setUserRoles"]["user"]
    assert user["roles"] == ["USER", "STAFF"]
    assert (await server.ask(FLAG, admin, u=id))["setUserFlagged"]["user"]["flagged"]
    assert not (await server.ask(DEACTIVATE, admin, u=id))["deactivateUser"]["user"]["active"]
    assert (await server.ask(ACTIVATE, admin, u=id))["activateUser"]["user"]["active"]
    assert (await server.ask(DELETE, admin, u=id))["deleteUser"] == {"deletedId": id}
    assert (await server.ask(DELETE, admin, u=id))["deleteUser"] == {"code": "USER_NOT_FOUND"}
    assert (await server.ask(USER, admin, i=id))["user"] is None


async def test_an_admin_finds_people(database: Database, server: Server) -> None:
    admin = await new_user(database, Role.ADMIN, email="admin@example.com")
    ann = await new_user(database, email="ann.smith@tickets.example")
    await server.ask(UPDATE, ann, i={"username": "Ann_S", "fullName": "Ann-Marie Smith"})
    found = {"id": ids.user_id(ann.id), "email": ann.email}
    assert (await server.ask(USER, admin, i=found["id"]))["user"] == found
    assert (await server.ask(USER, admin, n="ann_s"))["user"] == found
    assert (await server.ask(USER, admin, n="nobody"))["user"] is None
    for wrong in ({}, {"i": found["id"], "n": "ann_s"}):
        assert (await server.error(USER, admin, **wrong))["extensions"]["code"] == "VALIDATION_ERROR"
    everybody = (await server.ask(USERS, admin))["users"]
    assert everybody["totalCount"] == 2
    assert [node["email"] for node in everybody["nodes"]] == [ann.email, admin.email]
    for search, count in (
        ("ann", 1),
        ("smith marie", 1),
        ("Ann.Smith@Tickets.Example", 1),
        ("tick", 1),
        ("example", 2),
        ("ann_s", 1),
        ("' | !", 0),
        ("nobody", 0),
    ):
        assert (await server.ask(USERS, admin, s=search))["users"]["totalCount"] == count, search


async def test_a_person_gets_all_that_is_known_of_them(database: Database, server: Server) -> None:
    ann = await new_user(database)
    told = (await server.ask(EXPORT, ann))["exportMyData"]["json"]
    assert orjson.loads(told)["account"][0]["email"] == ann.email
    assert (await server.error(EXPORT))["extensions"]["code"] == "UNAUTHORIZED"


async def test_who_is_deactivated_is_out_at_once(database: Database, server: Server) -> None:
    ann, admin = await new_user(database), await new_user(database, Role.ADMIN)
    session = await logged_in(database, ann)
    token = server.app.state.house.tokens.make(ann.id, frozenset({Role.USER}), session.session_id)
    request = {"json": {"query": "{ viewer { id } }"}, "headers": {"Authorization": f"Bearer {token}"}}
    assert (await server.http.post("/graphql", **request)).status_code == 200
    await server.ask(DEACTIVATE, admin, u=ids.user_id(ann.id))
    assert (await server.http.post("/graphql", **request)).status_code == 401


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
