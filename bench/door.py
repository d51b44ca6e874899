"""Scans at the door through HTTP, against pgbench running the same transactions."""

from datetime import UTC, datetime
from decimal import Decimal
from hashlib import md5
from uuid import UUID, uuid4

import orjson

from auth.qr_codes import QrCodes
from auth.tokens import AccessTokens
from bench.client import drive, post
from bench.house import PLACES, PRICE_MINOR, House, new_event
from bench.pgbench import ROUNDS, admitting, pgbench
from bench.report import Measured
from models.catalogue import Event
from models.users import Role
from schema import ids
from steps.details import TierDraft

CLIENTS = (1, 16)
SCAN = """mutation Scan($input: VerifyTicketInput!) { verifyTicket(input: $input) {
    ... on Verification { result scannedAt seat { section row number } }
    ... on Refusal { code message } } }"""
SELL_ALL = (
    "INSERT INTO buyers (event_id, user_id) VALUES ($1, $2)",
    f"""INSERT INTO orders (event_id, id, reference, buyer_id, status, total_minor, currency)
        VALUES ($1, $2, 'ALL', $2, 'CONFIRMED', {PLACES * PRICE_MINOR}, 'EUR')""",
    "UPDATE seats SET status = 'S', order_id = $2 WHERE event_id = $1",
    f"""INSERT INTO order_items (event_id, order_id, index, tier, price_minor)
        SELECT $1, $2, index, tier, {PRICE_MINOR} FROM seats WHERE event_id = $1""",
    f"""INSERT INTO tickets
            (event_id, id, reference, order_id, index, owner_id, status, price_minor, currency)
        SELECT $1, md5('ticket' || index)::uuid, index::text, $2, index, $2, 'ACTIVE', {PRICE_MINOR}, 'EUR'
        FROM seats WHERE event_id = $1""",
)
"""$1 event, $2 whoever has bought all of it."""


class Gate:
    """Requests of one scanner for one ticket after the other."""

    def __init__(self, house: House, event: Event) -> None:
        self._event, self._left = event, PLACES
        self._codes = QrCodes(house.settings)
        self._token = AccessTokens(house.settings).make(uuid4(), frozenset({Role.STAFF}), uuid4())
        self.refused = 0

    def scan(self) -> bytes:
        self._left -= 1
        ticket_id = UUID(md5(f"ticket{self._left}".encode()).hexdigest())  # noqa: S324
        _, payload = self._codes.issue(self._event.id, ticket_id, 1, datetime.now(UTC))
        wish = {"qrPayload": payload, "eventId": ids.event_id(self._event.id)}
        return post(orjson.dumps({"query": SCAN, "variables": {"input": wish}}), self._token)

    def answered(self, body: bytes) -> None:
        self.refused += b'"SUCCESS"' not in body


async def door(house: House, seconds: float) -> list[Measured]:
    """Scan with each number of clients, in turns with pgbench."""
    gate, measured = Gate(house, await _sold(house)), []
    for clients in CLIENTS:
        statements = admitting((await _sold(house)).id)
        ours, others, took = [], [], []
        await drive(house.port, clients, 1, gate.scan, gate.answered)
        for number in range(ROUNDS):
            rate, seconds_each = await drive(house.port, clients, seconds, gate.scan, gate.answered)
            ours.append(rate)
            took += seconds_each
            others.append(await pgbench(house, statements, clients, seconds, number))
        measured.append(Measured("scan a ticket, against pgbench", clients, ours, others, took))
    assert not gate.refused, "every ticket is scanned once"
    return measured


async def _sold(house: House) -> Event:
    """An event of which every place is somebody's."""
    event = await new_event(house.database, None, [TierDraft("Places", Decimal(PRICE_MINOR) / 100, PLACES)])
    async with house.database.transaction() as tx:
        await tx.rows("SET LOCAL statement_timeout = 0")
        for statement in SELL_ALL:
            await tx.rows(statement, event.id, event.id)
        await tx.rows("ANALYZE seats, tickets")
    return event
