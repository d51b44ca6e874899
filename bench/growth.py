"""How the cost of one request grows with the seats of an event, from 1,000 to 50,000."""

import random
import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median

import orjson

from bench.client import Connection, post
from bench.house import House, new_event
from bench.reading import STATUSES
from bench.sale import RESERVE
from schema import ids
from steps.details import TierDraft

SIZES = (1_000, 5_000, 20_000, 50_000)
ASKED_MAX = 200
HEADER = f"{'p50 ms of one request, by seats of the event':46}" + "".join(f"{size:>10,}" for size in SIZES)

_PAGE = """query ($e: ID!) { event(id: $e) {
    seats(%s) { nodes { id index section row number status } } } }"""
READING = {
    "statuses": STATUSES,
    "availableSeats": "query ($e: ID!) { event(id: $e) { availableSeats } }",
    "the first 100 seats": _PAGE % "first: 100",
    "the last 100 seats": _PAGE % "last: 100",
    "the last 100 that are available": _PAGE % "last: 100, filter: {status: AVAILABLE}",
    "totalCount of the available": """query ($e: ID!) { event(id: $e) {
        seats(filter: {status: AVAILABLE}) { totalCount } } }""",
}

Request = Callable[[], bytes]


async def growth(house: House, seconds: float) -> list[str]:
    """A line for each kind of request; the sizes take turns."""
    found: dict[str, dict[int, list[float]]] = {}
    requests = {size: await _requests(house, size) for size in SIZES}
    async with house.database.transaction() as tx:
        await tx.rows("ANALYZE seats")
    async with Connection(house.port) as connection:
        for name in requests[SIZES[0]]:
            found[name] = {size: [] for size in SIZES}
            end = time.perf_counter() + seconds
            while time.perf_counter() < end and len(found[name][SIZES[0]]) < ASKED_MAX:
                for size in SIZES:
                    found[name][size].append(await _ask(connection, requests[size][name]()))
    return [
        f"{name:46}" + "".join(f"{1_000 * median(took):10.2f}" for took in by_size.values())
        for name, by_size in found.items()
    ]


async def _requests(house: House, size: int) -> dict[str, Request]:
    event = ids.event_id((await new_event(house.database, None, [TierDraft("Places", Decimal(10), size)])).id)
    seats, tokens = random.sample(range(size), ASKED_MAX), [*house.tokens.values()]

    def reserve() -> bytes:
        wish = {"eventId": event, "selection": {"seatIndexes": [seats.pop()]}}
        body = orjson.dumps({"query": RESERVE, "variables": {"input": wish}})
        return post(body, random.choice(tokens))

    def ask(query: str) -> Request:
        request = post(orjson.dumps({"query": query, "variables": {"e": event}}))
        return lambda: request

    return {name: ask(query) for name, query in READING.items()} | {"reserve one seat": reserve}


async def _ask(connection: Connection, request: bytes) -> float:
    start = time.perf_counter()
    body = await connection.ask(request)
    took = time.perf_counter() - start
    assert b'"errors"' not in body, body[:200]
    assert b'"code"' not in body, body[:200]
    return took
