"""The door through the API: codes that owners show, scanners that read them, the log, and who may."""

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from asyncpg import Record

from auth.qr_codes import CHARACTERS, LIFE
from database import Database
from models.catalogue import Event
from models.users import Role, User
from schema import ids
from steps.check_in import Door, verify_ticket
from steps.refusals import Refused
from tests.cards import opened_for
from tests.doors import CODES, a_ticket, scans, ticket_at, undone
from tests.serving import Server
from tests.world import an_hour_later, everything, hold, new_event, new_user

QR = """query ($id: ID!) { ticket(id: $id) {
    qr { payload svg generatedAt expiresAt ttlSeconds } qrUnavailable } }"""
SCAN = """mutation ($i: VerifyTicketInput!) { verifyTicket(input: $i) { __typename
    ... on Verification { result message scannedAt firstScannedAt ownerName seat { index }
        ticket { id status } event { id } expectedHall { id } }
    ... on Refusal { code field } } }"""
UNDO = """mutation ($i: UndoCheckInInput!) { undoCheckIn(input: $i) { __typename
    ... on TicketPayload { ticket { id status } } ... on Refusal { code } } }"""
ACTIVATE = """mutation ($i: TicketInput!) { activateTicket(input: $i) { __typename
    ... on TicketPayload { ticket { id status } } ... on Refusal { code } } }"""
LOG = """query ($f: EntryLogFilter, $first: Int, $after: String) {
    entryLog(filter: $f, first: $first, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes {
        id result scannedAt undoneAt undoReason undoneBy { id } scannedBy { id } hall { id } event { id }
        seat { index } ticket { id } } } }"""


def id_of(ticket: Record) -> str:
    return ids.ticket_id(ticket["event_id"], ticket["id"])


def payload_of(ticket: Record, age: timedelta = timedelta()) -> str:
    """What a code says that the ticket's owner was shown so long before the ticket was read."""
    return CODES.issue(ticket["event_id"], ticket["id"], ticket["version"], ticket["now"] - age)[1]


async def scanned(server: Server, scanner: User, payload: str, ticket: Record, **more: Any) -> dict[str, Any]:
    wish = {"qrPayload": payload, "eventId": ids.event_id(ticket["event_id"])} | more
    return (await server.ask(SCAN, scanner, i=wish))["verifyTicket"]


async def set_status(database: Database, status: str) -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE tickets SET status = $1", status)


async def test_an_owner_shows_a_fresh_code_and_it_lets_them_in(database: Database, server: Server) -> None:
    alice, ticket = await a_ticket(database)
    staff = await new_user(database, Role.STAFF)
    shown = (await server.ask(QR, alice, id=id_of(ticket)))["ticket"]
    again = (await server.ask(QR, alice, id=id_of(ticket)))["ticket"]
    qr = shown["qr"]
    assert (shown["qrUnavailable"], qr["ttlSeconds"]) == (None, 60)
    assert qr["payload"] != again["qr"]["payload"]
    assert qr["generatedAt"] < qr["expiresAt"]
    code = CODES.read(qr["payload"])
    assert code
    assert (code.event_id, code.ticket_id, code.version) == (ticket["event_id"], ticket["id"], 1)
    assert code.expires_at - code.issued_at == LIFE
    assert code.issued_at >= ticket["now"]
    assert ElementTree.fromstring(qr["svg"]).tag.endswith("svg")  # noqa: S314
    found = await scanned(server, staff, qr["payload"], ticket)
    assert found["ownerName"].endswith("***@example.com")
    assert found == {
        "__typename": "Verification",
        "result": "SUCCESS",
        "message": "Welcome.",
        "scannedAt": found["scannedAt"],
        "firstScannedAt": None,
        "ownerName": found["ownerName"],
        "seat": {"index": 0},
        "ticket": {"id": id_of(ticket), "status": "CHECKED_IN"},
        "event": {"id": ids.event_id(ticket["event_id"])},
        "expectedHall": None,
    }
    second = await scanned(server, staff, again["qr"]["payload"], ticket)
    assert (second["result"], second["firstScannedAt"]) == ("DUPLICATE", found["scannedAt"])
    assert second["message"].startswith("This ticket came in already, at ")


async def test_only_the_owner_of_a_ticket_that_may_come_sees_its_code(
    database: Database, server: Server
) -> None:
    alice, ticket = await a_ticket(database)
    for role in (Role.STAFF, Role.OPERATOR, Role.ADMIN):
        shown = await server.ask(QR, await new_user(database, role), id=id_of(ticket))
        assert shown["ticket"] == {"qr": None, "qrUnavailable": "NOT_SEAT_OWNER"}
    for status, why in (
        ("PENDING", None),
        ("CHECKED_IN", "TICKET_INVALID_STATE"),
        ("CANCELLED", "TICKET_INVALID_STATE"),
        ("REFUNDED", "TICKET_INVALID_STATE"),
    ):
        await set_status(database, status)
        shown = (await server.ask(QR, alice, id=id_of(ticket)))["ticket"]
        assert (shown["qrUnavailable"], shown["qr"] is None) == (why, why is not None)


async def test_a_code_is_good_for_a_minute_by_the_databases_clock(database: Database, server: Server) -> None:
    _, ticket = await a_ticket(database)
    staff, code = await new_user(database, Role.STAFF), CODES.read(payload_of(ticket))
    async with database.transaction() as tx, an_hour_later(tx):
        said = await verify_ticket(tx, scanner_id=staff.id, door=Door(event_id=ticket["event_id"]), code=code)
    assert not isinstance(said, Refused)
    assert said.result == "EXPIRED"
    old = await scanned(server, staff, payload_of(ticket, LIFE), ticket)
    assert old["result"] == "EXPIRED"
    assert old["message"] == "This code is too old: open the ticket again, and show the new one."
    found = await scanned(server, staff, payload_of(ticket, LIFE - timedelta(seconds=30)), ticket)
    assert found["result"] == "SUCCESS"


async def test_a_payload_with_any_character_changed_is_refused_and_lets_nobody_in(
    database: Database, server: Server
) -> None:
    _, ticket = await a_ticket(database)
    staff, payload = await new_user(database, Role.STAFF), payload_of(ticket)
    for place in range(CHARACTERS):
        other = "A" if payload[place] != "A" else "B"
        changed = payload[:place] + other + payload[place + 1 :]
        found = await scanned(server, staff, changed, ticket)
        assert found == {"__typename": "Refusal", "code": "QR_INVALID", "field": None}
    logged = await scans(database)
    assert {(row["result"], row["ticket_id"]) for row in logged} == {("NOT_FOUND", None)}
    assert len(logged) == CHARACTERS
    assert (await ticket_at(database, ticket["event_id"]))["status"] == "ACTIVE"


@pytest.mark.parametrize("payload", ["", "x", "A" * CHARACTERS, "é" * CHARACTERS, "A" * 50_000])
async def test_what_is_no_code_at_all_is_refused(database: Database, server: Server, payload: str) -> None:
    _, ticket = await a_ticket(database)
    staff = await new_user(database, Role.STAFF)
    before = await everything(database)
    found = await scanned(server, staff, payload, ticket, dryRun=True)
    assert found["code"] == "QR_INVALID"
    assert await everything(database) == before


async def test_a_ticket_at_the_wrong_door_is_told_where_to_go(database: Database, server: Server) -> None:
    _, ticket = await a_ticket(database)
    other, staff = await new_event(database), await new_user(database, Role.STAFF)
    (event,) = await database.rows("SELECT hall_id FROM events WHERE id = $1", ticket["event_id"])
    found = await scanned(server, staff, payload_of(ticket), ticket, eventId=ids.event_id(other.id))
    assert (found["result"], found["expectedHall"]) == ("WRONG_HALL", {"id": ids.hall_id(event["hall_id"])})
    assert found["message"].startswith("This ticket is for another hall: go to Hall (H1), for Show on ")
    assert found["event"] == {"id": ids.event_id(ticket["event_id"])}


async def test_a_code_of_before_a_change_of_hands_tells_nothing_of_the_new_owner(
    database: Database, server: Server
) -> None:
    _, ticket = await a_ticket(database)
    async with database.transaction() as tx:
        await tx.rows("UPDATE tickets SET version = version + 1")
    staff = await new_user(database, Role.STAFF)
    found = await scanned(server, staff, payload_of(ticket), ticket)
    assert found["result"] == "NOT_FOUND"
    assert (found["ticket"], found["seat"], found["ownerName"]) == (None, None, None)


async def test_a_scanner_that_lost_the_answer_gets_it_again(database: Database, server: Server) -> None:
    _, ticket = await a_ticket(database)
    staff, payload = await new_user(database, Role.STAFF), payload_of(ticket)
    first = await scanned(server, staff, payload, ticket, idempotencyKey="k")
    assert first["result"] == "SUCCESS"
    assert await scanned(server, staff, payload, ticket, idempotencyKey="k") == first
    mismatch = await scanned(server, staff, payload_of(ticket), ticket, idempotencyKey="k")
    assert mismatch["code"] == "IDEMPOTENCY_MISMATCH"


async def test_only_who_works_at_the_door_scans_and_only_who_runs_events_undoes(
    database: Database, server: Server
) -> None:
    alice, ticket = await a_ticket(database)
    people = {role: await new_user(database, role) for role in (Role.STAFF, Role.OPERATOR, Role.ADMIN)}
    wish = {"qrPayload": payload_of(ticket), "eventId": ids.event_id(ticket["event_id"])}
    undo = {"ticketId": id_of(ticket), "reason": "Left"}
    before = await everything(database)
    for document, input, whom in (
        (SCAN, wish, (alice, None)),
        (UNDO, undo, (alice, people[Role.STAFF], None)),
        (ACTIVATE, {"ticketId": id_of(ticket)}, (alice, people[Role.STAFF], people[Role.OPERATOR], None)),
    ):
        for person in whom:
            error = await server.error(document, person, i=input)
            assert error["extensions"]["code"] == ("FORBIDDEN" if person else "UNAUTHORIZED")
    assert await everything(database) == before
    for person in people.values():
        assert (await server.ask(SCAN, person, i=wish))["verifyTicket"]["result"] == "SUCCESS"
        undoer = people[Role.OPERATOR]
        undone = (await server.ask(UNDO, undoer, i=undo))["undoCheckIn"]
        assert undone["ticket"] == {"id": id_of(ticket), "status": "ACTIVE"}
    await opened_for(database, await hold(database, alice, Event(id=ticket["event_id"]), [1]))
    waiting = await ticket_at(database, ticket["event_id"], 1)
    made = await server.ask(ACTIVATE, people[Role.ADMIN], i={"ticketId": id_of(waiting)})
    assert made["activateTicket"]["ticket"]["status"] == "ACTIVE"


async def test_the_log_has_every_scan_the_newest_first(database: Database, server: Server) -> None:
    _, ticket = await a_ticket(database)
    operator, staff = await new_user(database, Role.OPERATOR), await new_user(database, Role.STAFF)
    other = await new_event(database)
    for payload, event_id in (
        (payload_of(ticket), ids.event_id(ticket["event_id"])),
        (payload_of(ticket), ids.event_id(other.id)),
        ("nonsense", ids.event_id(ticket["event_id"])),
    ):
        await scanned(server, staff, payload, ticket, eventId=event_id)
    await undone(database, ticket, operator.id, "Left")
    log = (await server.ask(LOG, operator))["entryLog"]
    assert [node["result"] for node in log["nodes"]] == ["NOT_FOUND", "WRONG_HALL", "SUCCESS"]
    unread, wrong, admitted = log["nodes"]
    assert (unread["ticket"], unread["seat"]) == (None, None)
    assert wrong["event"] == {"id": ids.event_id(other.id)}
    assert wrong["ticket"] == admitted["ticket"] == {"id": id_of(ticket)}
    assert (admitted["seat"], admitted["undoReason"]) == ({"index": 0}, "Left")
    assert (admitted["scannedBy"], admitted["undoneBy"]) == (
        {"id": ids.user_id(staff.id)},
        {"id": ids.user_id(operator.id)},
    )
    for filter, results in (
        ({"eventId": ids.event_id(other.id)}, ["WRONG_HALL"]),
        ({"hallId": ids.hall_id(other.hall_id)}, ["WRONG_HALL"]),
        ({"result": ["SUCCESS", "WRONG_HALL"]}, ["WRONG_HALL", "SUCCESS"]),
        ({"result": []}, []),
    ):
        found = (await server.ask(LOG, operator, f=filter))["entryLog"]
        assert [node["result"] for node in found["nodes"]] == results
        assert found["totalCount"] == len(results)
    first = (await server.ask(LOG, operator, first=2))["entryLog"]
    assert first["pageInfo"]["hasNextPage"]
    rest = (await server.ask(LOG, operator, after=first["pageInfo"]["endCursor"]))["entryLog"]
    assert [*first["nodes"], *rest["nodes"]] == log["nodes"]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await server.ask(node, operator, id=admitted["id"]))["node"] == {"id": admitted["id"]}
    assert (await server.ask(node, staff, id=admitted["id"]))["node"] is None
    assert (await server.error(LOG, staff))["extensions"]["code"] == "FORBIDDEN"


async def test_who_works_at_the_door_finds_the_tickets_of_an_event(
    database: Database, server: Server
) -> None:
    listing = "query ($f: TicketFilter) { tickets(filter: $f) { totalCount nodes { id } } }"
    event = await new_event(database)
    alice, ticket = await a_ticket(database, event)
    bob, _ = await a_ticket(database, event, 1)
    await a_ticket(database)
    staff = await new_user(database, Role.STAFF)
    at_event = {"eventId": ids.event_id(event.id)}
    at_seat = {"seatId": ids.seat_id(event.id, 0)}
    for filter, count in ((at_event, 2), (at_seat, 1), ({**at_event, "status": ["ACTIVE"]}, 2), ({}, 0)):
        assert (await server.ask(listing, staff, f=filter))["tickets"]["totalCount"] == count
    of_alice = {"userId": ids.user_id(alice.id)}
    found = (await server.ask(listing, staff, f={**at_event, **of_alice}))["tickets"]
    assert found["nodes"] == [{"id": id_of(ticket)}]
    assert (await server.error(listing, staff, f=of_alice))["extensions"]["code"] == "FORBIDDEN"
    assert (await server.ask(listing, bob, f=at_event))["tickets"]["totalCount"] == 1


async def test_a_picture_costs_as_much_as_it_takes(database: Database, server: Server) -> None:
    alice, _ = await a_ticket(database)
    document = "{{ tickets(first: 100) {{ nodes {{ {} }} }} rateLimit {{ cost }} }}"
    cheap = await server.ask(document.format("qr { payload }"), alice)
    dear = await server.ask(document.format("qr { payload svg }"), alice)
    assert dear["rateLimit"]["cost"] - cheap["rateLimit"]["cost"] == 100 * 100
