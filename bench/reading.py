"""Lists of seats and the arena's map, against the same rows fetched by asyncpg and encoded by orjson."""

import time
from decimal import Decimal
from uuid import UUID

import orjson

from app import settle_collector
from bench.client import Connection, post
from bench.house import House, new_event
from bench.report import Measured
from demo.drawing import line, plan, row, zone
from schema import ids
from steps.details import TierDraft

LIST = """query ($n: Int!) { events(first: $n) { nodes { id name
    seats(first: 100) { nodes { id index section row number status } } } } }"""
STATUSES = "query ($e: ID!) { event(id: $e) { seatMap { revision statuses } } }"
PLAN = """query ($e: ID!) { event(id: $e) { seatMap { statuses plan { width height
    sections { name rows { label seats { index number x y tierId seatId } } } } } } }"""
EVENT_ROWS = "SELECT id::text, name FROM events WHERE id = ANY($1::uuid[])"
SEAT_ROWS = """SELECT event_id::text, index, section, "row", number, status FROM seats
    WHERE event_id = ANY($1::uuid[]) ORDER BY event_id, index"""
STATUS_ROWS = "SELECT index, status FROM seats WHERE event_id = ANY($1::uuid[]) ORDER BY index"
PLAN_ROWS = """SELECT index, status, tier, section, "row", number FROM seats
    WHERE event_id = ANY($1::uuid[]) ORDER BY index"""
CLUBS, CLUB_ROWS, CLUB_SEATS = 50, 4, 100
ROUNDS = 3


async def against_rows(
    house: House, name: str, request: bytes, events: list[UUID], *statements: str, seconds: float
) -> Measured:
    """Alternate one by one: the whole query through HTTP, and its rows raw."""
    ours, others, took = [], [], []
    async with Connection(house.port) as connection:
        _check(await connection.ask(request))
        for _ in range(ROUNDS):
            our, other, end = [], [], time.perf_counter() + 2 * seconds
            while (start := time.perf_counter()) < end:
                await connection.ask(request)
                between = time.perf_counter()
                await _raw(house, events, statements)
                our.append(between - start)
                other.append(time.perf_counter() - between)
            ours.append(len(our) / sum(our))
            others.append(len(other) / sum(other))
            took += our
    return Measured(name, 1, ours, others, took)


def _check(body: bytes) -> None:
    assert body.startswith(b'{"data":{"event'), body[:200]
    assert b'"errors"' not in body, body[-200:]


async def _raw(house: House, events: list[UUID], statements: tuple[str, ...]) -> None:
    for statement in statements:
        orjson.dumps([dict(row) for row in await house.database.rows(statement, events)])


async def _clubs(house: House) -> list[UUID]:
    """Small events of 100 numbered seats, the first to come."""
    rows = [
        row("Hall", str(number), line((0, 40 * number), (601, 40 * number), 24), "Seats")
        for number in range(1, CLUB_ROWS + 1)
    ]
    drawn = plan("Club", (700, 300), {"Seats": "#336699"}, [zone("Hall", rows)])
    source, tiers = orjson.dumps(drawn).decode(), [TierDraft("Seats", Decimal(10))]
    events = [await new_event(house.database, source, tiers, days_ahead=1) for _ in range(CLUBS)]
    assert {event.total_seats for event in events} == {CLUB_SEATS}
    return [event.id for event in events]


def asking(query: str, **variables: object) -> bytes:
    return post(orjson.dumps({"query": query, "variables": variables}))


async def reading(house: House, seconds: float) -> list[Measured]:
    """Lists of seats with their events; the arena's statuses alone, and with its plan."""
    clubs, lines = await _clubs(house), []
    settle_collector()  # as the server does, so that both parties are alike in this
    for number in (1, 10, 50):
        request, rows = asking(LIST, n=number), (EVENT_ROWS, SEAT_ROWS)
        name = f"a list of {number * CLUB_SEATS:,} seats, against raw rows"
        lines.append(await against_rows(house, name, request, clubs[:number], *rows, seconds=seconds))
    arena = ids.event_id(house.arena.id)
    for name, query, statement in (
        ("statuses of the arena, against raw rows", STATUSES, STATUS_ROWS),
        ("plan and statuses, against raw rows", PLAN, PLAN_ROWS),
    ):
        request = asking(query, e=arena)
        lines.append(await against_rows(house, name, request, [house.arena.id], statement, seconds=seconds))
    return lines
