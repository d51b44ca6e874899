"""The map of a house: its plan is made once when it is final, and its statuses are of one moment."""

from database import Database
from models.users import Role
from schema import ids
from tests.serving import Server
from tests.world import hold, let_lapse, new_draft, new_event, new_user, pay, plan_text, priced

PLAN = """query ($e: ID!) { event(id: $e) { seatMap { revision statuses plan { width height
    sections { name rows { label seats { index number x y tierId seatId } } }
    areas { name x y width height tierId firstIndex places } } } } }"""
MOMENT = "query ($e: ID!) { event(id: $e) { seatMap { revision statuses } } }"
MANY = "{ events { nodes { id seatMap { statuses revision } } } }"
UPDATE = (
    "mutation ($i: UpdateEventInput!) { updateEvent(input: $i) { ... on EventPayload { event { id } } } }"
)


async def test_the_plan_and_the_statuses_speak_of_the_same_seats(database: Database, server: Server) -> None:
    event, buyer = await new_event(database, await priced(2, 3, standing=2)), await new_user(database)
    await hold(database, buyer, event, [1, 4])
    found = (await server.ask(PLAN, e=ids.event_id(event.id)))["event"]["seatMap"]
    assert found["statuses"] == "AHAAHAAA"
    (section,), (area,) = found["plan"]["sections"], found["plan"]["areas"]
    seats = [seat for row in section["rows"] for seat in row["seats"]]
    assert [seat["index"] for seat in seats] == list(range(6))
    assert [seat["seatId"] for seat in seats] == [ids.seat_id(event.id, index) for index in range(6)]
    assert {seat["tierId"] for seat in seats} == {ids.tier_id(event.id, 0)}
    assert [row["label"] for row in section["rows"]] == ["1", "2"]
    assert seats[4]["x"] - seats[3]["x"] == 20.0
    assert (area["firstIndex"], area["places"], area["tierId"]) == (6, 2, ids.tier_id(event.id, 1))


async def test_each_of_many_maps_is_of_its_own_event(database: Database, server: Server) -> None:
    buyer = await new_user(database, credits_minor=10_000)
    held, sold, free = [await new_event(database, await priced(1, 3)) for _ in range(3)]
    order = await hold(database, buyer, held, [0])
    await pay(database, buyer, await hold(database, buyer, sold, [2]))
    found = {e["id"]: e["seatMap"]["statuses"] for e in (await server.ask(MANY))["events"]["nodes"]}
    assert [found[ids.event_id(e.id)] for e in (held, sold, free)] == ["HAA", "AAS", "AAA"]
    await let_lapse(database, order)
    again = (await server.ask(MOMENT, e=ids.event_id(held.id)))["event"]["seatMap"]
    assert again["statuses"] == "AAA"


async def test_a_drafts_plan_is_read_anew_each_time(database: Database, server: Server) -> None:
    draft, operator = await new_draft(database, await priced(1, 2)), await new_user(database, Role.OPERATOR)
    event = ids.event_id(draft.id)
    before = (await server.ask(PLAN, operator, e=event))["event"]["seatMap"]
    tiers = [{"name": "Stalls", "price": "10.00"}]
    await server.ask(UPDATE, operator, i={"eventId": event, "seatPlan": plan_text(1, 4), "tiers": tiers})
    after = (await server.ask(PLAN, operator, e=event))["event"]["seatMap"]
    assert [len(m["plan"]["sections"][0]["rows"][0]["seats"]) for m in (before, after)] == [2, 4]
    assert [m["statuses"] for m in (before, after)] == ["AA", "AAAA"]
