"""The catalogue through the API: finding events, running them, and who sees what."""

from typing import Any

from database import Database
from models.users import Role
from schema import ids
from tests.serving import Server
from tests.world import everything, hold, new_draft, new_event, new_hall, new_user, plan_text, priced

CREATE = """mutation ($i: CreateEventInput!) { createEvent(input: $i) {
    ... on EventPayload { event { id name status totalSeats pricingTiers { name price { amount } } } }
    ... on Refusal { code field message } } }"""
UPDATE = """mutation ($i: UpdateEventInput!) { updateEvent(input: $i) {
    ... on EventPayload { event { name salesEndAt totalSeats } } ... on Refusal { code field } } }"""
PUBLISH = """mutation ($i: EventInput!) { publishEvent(input: $i) {
    ... on EventPayload { event { id status } } ... on Refusal { code } } }"""
EVENTS = "query ($f: EventFilter) { events(filter: $f) { totalCount nodes { name } } }"


def draft_of(hall: Any, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Hamlet",
        "hallId": ids.hall_id(hall),
        "startsAt": "2031-05-01T19:30:00+02:00",
        "endsAt": "2031-05-01T22:30:00+02:00",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "tiers": [{"name": "Stalls", "price": "12.50"}],
        "seatPlan": plan_text(2, 3),
    } | changes


async def test_an_operator_drafts_changes_and_publishes(database: Database, server: Server) -> None:
    operator, hall = await new_user(database, Role.OPERATOR), await new_hall(database)
    made = (await server.ask(CREATE, operator, i=draft_of(hall)))["createEvent"]["event"]
    assert (made["status"], made["totalSeats"]) == ("DRAFT", 6)
    assert made["pricingTiers"] == [{"name": "Stalls", "price": {"amount": "12.50"}}]
    change = {"eventId": made["id"], "name": "Macbeth", "salesEndAt": "2031-05-01T12:00:00Z"}
    changed = await server.ask(UPDATE, operator, i=change)
    assert changed["updateEvent"]["event"]["salesEndAt"] == "2031-05-01T12:00:00Z"
    cleared = await server.ask(UPDATE, operator, i={"eventId": made["id"], "salesEndAt": None})
    assert cleared["updateEvent"]["event"] == {"name": "Macbeth", "salesEndAt": None, "totalSeats": 6}
    key = {"eventId": made["id"], "idempotencyKey": "once"}
    for _ in range(2):
        answer = await server.ask(PUBLISH, operator, i=key)
        assert answer["publishEvent"]["event"]["status"] == "PUBLISHED"
    again = await server.ask(PUBLISH, operator, i={"eventId": made["id"]})
    assert again["publishEvent"]["code"] == "EVENT_INVALID_STATE"
    found = await server.ask(EVENTS, f={"search": "mac hou"})
    assert found["events"] == {"totalCount": 1, "nodes": [{"name": "Macbeth"}]}


async def test_only_who_runs_events_may_and_nothing_changes_otherwise(
    database: Database, server: Server
) -> None:
    hall, alice = await new_hall(database), await new_user(database, Role.STAFF)
    event = await new_draft(database)
    before = await everything(database)
    for query, given in (
        (CREATE, draft_of(hall)),
        (UPDATE, {"eventId": ids.event_id(event.id), "name": "x"}),
        (PUBLISH, {"eventId": ids.event_id(event.id)}),
    ):
        assert (await server.error(query, i=given))["extensions"]["code"] == "UNAUTHORIZED"
        assert (await server.error(query, alice, i=given))["extensions"]["code"] == "FORBIDDEN"
    new_room = {"venueId": ids.venue_id(hall), "code": "x", "name": "y"}
    for field, given in (("Venue", {"name": "a", "address": "b"}), ("Hall", new_room)):
        query = f"mutation ($i: Create{field}Input!) {{ create{field}(input: $i) {{ __typename }} }}"
        assert (await server.error(query, alice, i=given))["extensions"]["code"] == "FORBIDDEN"
    assert await everything(database) == before


async def test_a_wrong_plan_or_price_is_refused_with_the_place(database: Database, server: Server) -> None:
    operator, hall = await new_user(database, Role.ADMIN), await new_hall(database)
    before = await everything(database)
    for changes, field in (
        ({"seatPlan": "no json"}, "input.seatPlan"),
        ({"seatPlan": plan_text(1, 2).replace('"0-1"', '"0-0"')}, "input.seatPlan"),
        ({"tiers": [{"name": "Balcony", "price": "1.00"}]}, "input.seatPlan"),
        ({"tiers": [{"name": "Stalls", "price": "1.234"}]}, "input.tiers.0.price"),
        ({"tiers": []}, "input.seatPlan"),
        ({"currency": "XXY"}, "input.currency"),
        ({"name": " "}, "input.name"),
        ({"endsAt": "2031-05-01T17:30:00Z"}, "input.endsAt"),
    ):
        refused = (await server.ask(CREATE, operator, i=draft_of(hall, **changes)))["createEvent"]
        assert (refused["code"], refused["field"]) == ("VALIDATION_ERROR", field), refused
    ghost = draft_of(hall, hallId=ids.hall_id(operator.id))
    assert (await server.ask(CREATE, operator, i=ghost))["createEvent"]["code"] == "HALL_NOT_FOUND"
    null = {"eventId": ids.event_id(operator.id), "name": None}
    assert (await server.error(UPDATE, operator, i=null))["extensions"]["code"] == "VALIDATION_ERROR"
    assert await everything(database) == before


async def test_a_draft_is_hidden_from_people_by_every_way(database: Database, server: Server) -> None:
    event, alice = await new_draft(database), await new_user(database, Role.STAFF)
    operator = await new_user(database, Role.OPERATOR)
    id = ids.event_id(event.id)
    query = """query ($e: ID!, $s: ID!, $t: ID!) {
        event(id: $e) { id } a: node(id: $e) { id } b: node(id: $s) { id } c: node(id: $t) { id }
        events(filter: {status: [DRAFT]}) { totalCount } eventCategories }"""
    given = {"e": id, "s": ids.seat_id(event.id, 0), "t": ids.tier_id(event.id, 0)}
    nothing = {"event": None, "a": None, "b": None, "c": None}
    for who in (None, alice):
        seen = await server.ask(query, who, **given)
        assert seen == nothing | {"events": {"totalCount": 0}, "eventCategories": []}
    seen = await server.ask(query, operator, **given)
    assert seen["event"] == {"id": id}
    assert seen["b"] == {"id": given["s"]}
    assert seen["events"]["totalCount"] == 1


async def test_filters_of_events(database: Database, server: Server) -> None:
    event = await new_event(database, name='The "Quoted" Gärten', category="Opera")
    await new_event(database, name="Other")
    hall = (await database.rows("SELECT venue_id FROM halls WHERE id = $1", event.hall_id))[0]
    for wanted, count in (
        ({"search": "gärt quot"}, 1),
        ({"search": "' \\ & | ! :*"}, 0),
        ({"search": "🎭"}, 0),
        ({"category": "Opera"}, 1),
        ({"venueId": ids.venue_id(hall["venue_id"])}, 1),
        ({"status": ["PUBLISHED"]}, 2),
        ({"status": ["ENDED", "CANCELLED"]}, 0),
        ({"startsAfter": "2999-01-01T00:00:00Z"}, 0),
        ({"startsBefore": "2999-01-01T00:00:00Z"}, 2),
        ({}, 2),
    ):
        assert (await server.ask(EVENTS, f=wanted))["events"]["totalCount"] == count, wanted
    assert (await server.ask("{ eventCategories }"))["eventCategories"] == ["Opera", "Theatre"]


async def test_seats_map_and_availability_agree(database: Database, server: Server) -> None:
    event, alice = await new_event(database, await priced(standing=3)), await new_user(database)
    await hold(database, alice, event, [1, 2])
    query = """query ($e: ID!, $t: ID!) { event(id: $e) { availableSeats totalSeats
        pricingTiers { name availableSeats totalSeats generalAdmission }
        seatMap { revision statuses plan { width
            sections { name rows { label seats { index seatId tierId } } }
            areas { name tierId firstIndex places } } }
        free: seats(filter: {status: AVAILABLE}) { totalCount }
        held: seats(filter: {status: HELD, section: "Parkett"}) { nodes { index number row tier { name } } }
        standing: seats(filter: {tierId: $t}, first: 1) { totalCount nodes { index section } } } }"""
    given = {"e": ids.event_id(event.id), "t": ids.tier_id(event.id, 1)}
    seen = (await server.ask(query, **given))["event"]
    assert (seen["availableSeats"], seen["totalSeats"]) == (11, 13)
    assert [tier["availableSeats"] for tier in seen["pricingTiers"]] == [8, 3]
    assert seen["seatMap"]["statuses"] == "AHHAAAAAAAAAA"
    first = seen["seatMap"]["plan"]["sections"][0]["rows"][0]["seats"][0]
    assert first == {"index": 0, "seatId": ids.seat_id(event.id, 0), "tierId": ids.tier_id(event.id, 0)}
    assert seen["seatMap"]["plan"]["areas"][0]["firstIndex"] == 10
    assert seen["free"]["totalCount"] == 11
    assert [seat["index"] for seat in seen["held"]["nodes"]] == [1, 2]
    assert seen["standing"]["nodes"] == [{"index": 10, "section": "Standing"}]
