"""The seat map of the arena, against the same rows fetched by asyncpg and encoded by orjson."""

import time

import orjson

from bench.client import drive, post
from bench.house import House
from bench.report import Measured
from schema import ids

STATUSES = "query ($e: ID!) { event(id: $e) { seatMap { revision statuses } } }"
PLAN = """query ($e: ID!) { event(id: $e) { seatMap { statuses plan { width height
    sections { name rows { label seats { index number x y tierId seatId } } } } } } }"""
ROUNDS = 3


async def seat_map(house: House, name: str, query: str, raw: str, seconds: float) -> Measured:
    """Alternate rounds: the whole query through HTTP, and its rows raw, one after the other."""
    body = orjson.dumps({"query": query, "variables": {"e": ids.event_id(house.arena.id)}})
    ours, others, took = [], [], []
    for _ in range(ROUNDS):
        rate, seconds_each = await drive(house.port, 1, seconds, lambda: post(body), _check)
        ours.append(rate)
        took += seconds_each
        others.append(await _raw(house, raw, seconds))
    return Measured(name, 1, ours, others, took)


def _check(body: bytes) -> None:
    assert b'"statuses":"A' in body, body[:200]


async def _raw(house: House, statement: str, seconds: float) -> float:
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        rows = await house.database.rows(statement, house.arena.id)
        orjson.dumps([tuple(row) for row in rows])
        done += 1
    return done / (time.perf_counter() - start)


async def reading(house: House, seconds: float) -> list[Measured]:
    """The statuses alone, against one letter a row; and with the plan, against the rows of all seats."""
    letters = "SELECT index, status FROM seats WHERE event_id = $1 ORDER BY index"
    seats = 'SELECT index, status, tier, section, "row", number FROM seats WHERE event_id = $1 ORDER BY index'
    return [
        await seat_map(house, "statuses of the arena, against raw rows", STATUSES, letters, seconds),
        await seat_map(house, "plan and statuses, against raw rows", PLAN, seats, seconds),
    ]
