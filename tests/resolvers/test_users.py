"""Finding people and things by id."""

import pytest

from database import Database
from schema import ids
from tests.serving import Server
from tests.world import new_event, new_hall, new_user


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
