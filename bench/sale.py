"""Reservations and payments a second through HTTP, against pgbench running the same transactions."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable

import orjson

from bench.client import Connection, drive, post
from bench.house import PRICE_MINOR, House
from bench.pgbench import ROUNDS, Statement, buyer_ids, holding, paying, pgbench
from bench.report import Measured
from models.catalogue import Event
from schema import ids

ORDER = "order { id reference status heldUntil total { amount currency } }"
RESERVE = f"""mutation Reserve($input: ReserveInput!) {{ reserve(input: $input) {{
    ... on OrderPayload {{ {ORDER} }} ... on Refusal {{ code message seatIds }} }} }}"""
PAY = f"""mutation Pay($input: PayInput!) {{ pay(input: $input) {{
    ... on OrderPayload {{ {ORDER} }} ... on Refusal {{ code message seatIds }} }} }}"""
PURSE_MINOR = 100_000 * PRICE_MINOR
HEAD_START_CLIENTS = 64
ENTER = orjson.dumps({"query": "{ viewer { id } }"})
RUSH_BUYERS, RUSH_SEATS, RUSHES = 200, 20, 10


class Sale:
    """Requests of many buyers, for one fresh seat each, and then to pay for what they hold."""

    def __init__(self, house: House, event: Event) -> None:
        self._house, self._event = house, event
        self._tokens = list(house.tokens.values())
        self._seats = list(range(event.total_seats))
        random.shuffle(self._seats)
        self._held: list[tuple[str, str]] = []
        self.refused = 0

    def reserve(self) -> bytes:
        return self._wish(self._seats.pop(), random.choice(self._tokens))

    def rush(self) -> list[bytes]:
        """As many buyers as there are in a rush, each at one of a few fresh seats."""
        seats = [self._seats.pop() for _ in range(RUSH_SEATS)]
        buyers = random.sample(self._tokens, RUSH_BUYERS)
        return [self._wish(seats[n % RUSH_SEATS], token) for n, token in enumerate(buyers)]

    def _wish(self, seat: int, token: str) -> bytes:
        wish = {"eventId": ids.event_id(self._event.id), "selection": {"seatIndexes": [seat]}}
        return post(orjson.dumps({"query": RESERVE, "variables": {"input": wish}}), token)

    def pay(self) -> bytes:
        order, token = self._held.pop()
        return post(orjson.dumps({"query": PAY, "variables": {"input": {"orderId": order}}}), token)

    def answered(self, body: bytes) -> None:
        if b'"order":' not in body:
            self.refused += 1

    async def find_held(self) -> None:
        """Learn which orders can be paid now, and by whom."""
        rows = await self._house.database.rows(
            "SELECT id, buyer_id FROM orders WHERE event_id = $1 AND status = 'PENDING'", self._event.id
        )
        of_event = self._event.id
        self._held = [
            (ids.order_id(of_event, row["id"]), self._house.tokens[row["buyer_id"]]) for row in rows
        ]


async def sale(house: House, clients: list[int], seconds: float) -> list[Measured]:
    """Reserve, and then pay for what was reserved, with each number of clients.

    While orders are paid, letters to their buyers are written; what is left to write is dropped then.
    """
    ours = Sale(house, house.large)
    await _fill_purses(house)
    await _enter(house)
    await drive(house.port, HEAD_START_CLIENTS, seconds, ours.reserve, ours.answered)
    measured = []
    for number in clients:
        event = house.rivals[number].id
        measured.append(
            await _rounds("reserve one seat", house, ours, ours.reserve, holding(event), number, seconds)
        )
        await ours.find_held()
        measured.append(await _rounds("pay for it", house, ours, ours.pay, paying(event), number, seconds))
        await _write_no_more(house)
    measured.append(await rush(house, ours))
    assert not ours.refused, "every seat is asked for once, and every order is paid once"
    return measured


async def rush(house: House, ours: Sale) -> Measured:
    """Many buyers at few seats, all at the same moment, again and again at other seats."""
    rates, took = [], []
    async with contextlib.AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(Connection(house.port)) for _ in range(RUSH_BUYERS)]
        for _ in range(RUSHES):
            requests, start = ours.rush(), time.perf_counter()

            async def buy(connection: Connection, request: bytes, start: float = start) -> bool:
                body = await connection.ask(request)
                took.append(time.perf_counter() - start)
                assert b'"order":' in body or b'"SEAT_UNAVAILABLE"' in body, body
                return b'"order":' in body

            held = sum(await asyncio.gather(*map(buy, opened, requests)))
            assert held == RUSH_SEATS, "each seat is held by one"
            rates.append(RUSH_BUYERS / (time.perf_counter() - start))
    return Measured(f"{RUSH_BUYERS} buyers at {RUSH_SEATS} seats at once", RUSH_BUYERS, rates, [], took)


async def _rounds(
    what: str,
    house: House,
    sale: Sale,
    request: Callable[[], bytes],
    statements: list[Statement],
    clients: int,
    seconds: float,
) -> Measured:
    """Alternate rounds of ours and of pgbench's."""
    ours, others, took = [], [], []
    await drive(house.port, clients, 1, request, sale.answered)
    for number in range(ROUNDS):
        rate, seconds_each = await drive(house.port, clients, seconds, request, sale.answered)
        ours.append(rate)
        took += seconds_each
        others.append(await pgbench(house, statements, clients, seconds, number))
    return Measured(f"{what}, against pgbench", clients, ours, others, took)


async def _enter(house: House) -> None:
    """Let every buyer ask for something before the sale, as whoever has looked at a seat map has."""
    coming = iter(house.tokens.values())

    async def visitor() -> None:
        async with Connection(house.port) as connection:
            for token in coming:
                await connection.ask(post(ENTER, token))

    await asyncio.gather(*(visitor() for _ in range(HEAD_START_CLIENTS)))


async def _write_no_more(house: House) -> None:
    async with house.database.transaction() as tx:
        await tx.rows("UPDATE notifications SET told_at = statement_timestamp() WHERE told_at IS NULL")
        await tx.rows("DELETE FROM deliveries")


async def _fill_purses(house: House) -> None:
    async with house.database.transaction() as tx:
        people = [*house.tokens, *buyer_ids()]
        await tx.rows(
            "INSERT INTO users (id, email) SELECT id, id::text FROM unnest($1::uuid[]) AS id", people
        )
        await tx.rows(
            "INSERT INTO accounts SELECT unnest($1::uuid[]), 'EUR', $2",
            people,
            PURSE_MINOR,
        )
