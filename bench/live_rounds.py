"""What runs in the process of the watchers: joins, and rounds of broadcasts by our server and a plain one."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
from redis.asyncio import Redis

from bench import live_watcher as watching
from bench.live_plain import CHANNEL
from bench.live_watcher import Board, EventsWatcher, SocketWatcher
from bench.servers import Process, allow_many_connections
from live.changes import Change, encode, seats_channel
from routes.graphql_socket import PROTOCOL
from schema import ids

WATCH = """subscription ($e: ID!) { seatStatus(eventId: $e) { __typename
    ... on SeatStatusSnapshot { revision statuses availableSeats }
    ... on SeatStatusChanges { revision availableSeats changes { revision index seatId status } } } }"""
CHANGES = 20
UPDATES_A_SECOND = 400
UPDATES_AHEAD = 10
FIRST_PLAIN_REVISION = 10_000
ROUNDS = 5
IN_FLIGHT = 4
NAP_SECONDS = 0.001
WAIT_SECONDS_MAX = 60

# Changes of the log, each of another seat, as the relay leaves them behind: $2 is the last revision there is.
NEXT_CHANGES = """
    INSERT INTO seat_changes (event_id, index, version, status, revision)
    SELECT $1, ($2 + n) % 1000, 1000 + $2 + n, CASE n % 2 WHEN 0 THEN 'H' ELSE 'A' END, $2 + n
    FROM generate_series(1, $3) n
    RETURNING revision, index, version, status"""
LAST_REVISION = "SELECT revision FROM streams WHERE event_id = $1"
ADVANCE = "UPDATE streams SET revision = $2 WHERE event_id = $1"


@dataclass(frozen=True)
class Place:
    """Where the two servers, the event and the bus are."""

    ours: Process
    plain: Process
    event_id: UUID
    database_url: str
    redis_url: str


@dataclass
class Round:
    """Deliveries a second, the server's processor seconds for each, and how long each update took."""

    rate: float
    cpu_seconds: float
    took: list[float]


@dataclass
class Rounds:
    """What alternating rounds brought: seconds to join, bytes for a watcher, and the rounds of both."""

    joins: tuple[float, float]
    watcher_bytes: tuple[float, float]
    ours: list[Round]
    others: list[Round]


@dataclass
class Party:
    """The watchers of one server, and how it is given the next update, which has a number."""

    process: Process
    board: Board
    watchers: int
    make: Callable[[], asyncio.Protocol]
    publish: Callable[[], Awaitable[int]]
    first: int = 0

    async def join(self) -> tuple[float, float]:
        """Have all watchers join; return how long it took until the last one had its first frame, and by how
        many bytes for each of them the server has grown."""
        before, start = self.process.memory_bytes, time.perf_counter()
        await watching.connect(self.process.port, self.watchers, self.make)
        await self._until_all_have(self.first)
        passed = time.perf_counter() - start
        return passed, (self.process.memory_bytes - before) / self.watchers

    async def round(self, seconds: float) -> Round:
        """Keep a few updates in flight for so long."""
        frames, cpu, start = self.board.frames, self.process.cpu_seconds, time.perf_counter()
        in_flight: deque[tuple[float, int]] = deque()
        took: list[float] = []
        naps = asyncio.create_task(_nap())
        while (is_on := time.perf_counter() - start < seconds) or in_flight:
            if is_on:
                in_flight.append((time.perf_counter(), await self.publish()))
            if not is_on or len(in_flight) == IN_FLIGHT:
                published_at, number = in_flight.popleft()
                await self._until_all_have(number)
                took.append(time.perf_counter() - published_at)
        naps.cancel()
        deliveries, passed = self.board.frames - frames, time.perf_counter() - start
        return Round(deliveries / passed, (self.process.cpu_seconds - cpu) / deliveries, took)

    async def _until_all_have(self, number: int) -> None:
        await self.board.until_all_have(number, self.watchers, WAIT_SECONDS_MAX)


async def _nap() -> None:
    """Sleep between two looks at the sockets, so that the server's sends do not have to wake this process:
    that would cost the server more than the sending, and the slower of two servers the most."""
    while True:
        time.sleep(NAP_SECONDS)  # noqa: ASYNC251
        await asyncio.sleep(0)


async def rounds(place: Place, kind: str, watchers: int, seconds: float) -> Rounds:
    """Have all watchers join both servers, then alternate: ours, plain, ours, plain."""
    allow_many_connections()
    database = await asyncpg.connect(place.database_url)
    async with Redis.from_url(place.redis_url) as redis:
        board = Board(watching.revision_of)
        make = partial(_MAKERS[kind], board, place.event_id)
        sale = Sale(database, redis, place.event_id)
        ours = Party(place.ours, board, watchers, make, sale.publish)
        other = _plain(place, kind, watchers, board, redis)
        our_join = await ours.join()
        await other.publish()
        joins = our_join, await other.join()
        found = Rounds((joins[0][0], joins[1][0]), (joins[0][1], joins[1][1]), [], [])
        for _ in range(ROUNDS):
            await sale.prepare(seconds)
            found.ours.append(await ours.round(seconds))
            found.others.append(await other.round(seconds))
        await sale.finish()
    await database.close()
    return found


async def last_seen(port: int, event_id: UUID, watchers: int, seconds: float) -> dict[int, float]:
    """Watch with so many for so long; return when the last of them got each revision that was told."""
    allow_many_connections()
    board = Board(watching.revision_of)
    await watching.connect(port, watchers, partial(socket_watcher, board, event_id))
    await board.until_all_have(0, watchers)
    await asyncio.sleep(seconds)
    return board.last_at


def _plain(place: Place, kind: str, watchers: int, ours: Board, redis: Any) -> Party:
    """Watchers of the plain server, which broadcasts what ours sent last, each time with the next number."""
    board, numbers = Board(watching.revision_of), count(FIRST_PLAIN_REVISION)

    async def publish() -> int:
        number = next(numbers)
        text = ours.last_frame.removeprefix(watching.NEXT).removeprefix(b"data: ")
        await redis.publish(CHANNEL, watching.renumbered(text, number))
        return number

    def make() -> asyncio.Protocol:
        if kind == "WebSocket":
            return SocketWatcher(board, watching.upgrade("/ws"))
        return EventsWatcher(board, watching.event_stream("/sse"))

    return Party(place.plain, board, watchers, make, publish, FIRST_PLAIN_REVISION)


class Sale:
    """Updates as the relay tells them; the changes of some are numbered at once, before they are told.

    Their rows are written before a round, which is about telling them.
    """

    def __init__(self, database: Any, redis: Any, event_id: UUID) -> None:
        self._database, self._redis, self._event_id = database, redis, event_id
        self._ready: deque[list[Change]] = deque()
        self._written = self._numbered = -1

    async def prepare(self, seconds: float) -> None:
        """Have the rows written of all updates that so much time may need."""
        await self._write(max(0, round(seconds * UPDATES_A_SECOND) - len(self._ready)))

    async def publish(self) -> int:
        """Tell the next update on the bus; return the revision that it brings."""
        if not self._ready:
            await self._write(UPDATES_AHEAD)
        changes = self._ready.popleft()
        last = changes[-1].revision
        if last > self._numbered:
            self._numbered = min(self._written, last + CHANGES * (UPDATES_AHEAD - 1))
            await self._database.execute(ADVANCE, self._event_id, self._numbered)
        await self._redis.publish(seats_channel(self._event_id), encode(self._event_id, changes))
        return last

    async def finish(self) -> None:
        """Number what was written and not told."""
        await self._database.execute(ADVANCE, self._event_id, self._written)

    async def _write(self, updates: int) -> None:
        if self._written < 0:
            self._written = await self._database.fetchval(LAST_REVISION, self._event_id)
        number = CHANGES * updates
        rows = await self._database.fetch(NEXT_CHANGES, self._event_id, self._written, number)
        changes = sorted(Change(*row) for row in rows)
        self._written += number
        self._ready.extend(changes[start : start + CHANGES] for start in range(0, number, CHANGES))


def socket_watcher(board: Board, event_id: UUID) -> SocketWatcher:
    """A graphql-transport-ws client of ours."""
    said = watching.subscription(WATCH, ids.event_id(event_id))
    return SocketWatcher(board, watching.upgrade("/graphql", PROTOCOL), said)


def events_watcher(board: Board, event_id: UUID) -> EventsWatcher:
    """A graphql-sse client of ours."""
    return EventsWatcher(board, watching.event_stream("/graphql", WATCH, ids.event_id(event_id)))


_MAKERS: dict[str, Callable[[Board, UUID], asyncio.Protocol]] = {
    "WebSocket": socket_watcher,
    "SSE": events_watcher,
}
