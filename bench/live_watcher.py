"""Watchers that cost next to nothing: they count what comes over WebSocket or Server-Sent Events."""

import asyncio
import struct
import time
from collections.abc import Callable
from typing import cast

import orjson

CONNECTS_AT_ONCE_MAX = 100
PING, TEXT = 0x89, 0x81
NEXT = b"event: next\n"
REVISION = b'"revision":'


class Watcher(asyncio.Protocol):
    """One connection, and how far it has got: `have` is -1 before its first frame."""

    def __init__(self, board: "Board", opening: bytes) -> None:
        self.have = -1
        self._board, self._opening = board, opening
        self._rest = b""
        board.watchers.append(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._opening)


class Board:
    """How far all watchers of one kind have got together, and when the last of them got each frame."""

    def __init__(self, number_of: Callable[[bytes, int], int]) -> None:
        self.frames = 0
        self.last_frame = b""
        self.watchers: list[Watcher] = []
        self.last_at: dict[int, float] = {}
        self._number_of = number_of
        self._goal = 0
        self._missing = -1
        self._reached = asyncio.Event()

    def take(self, watcher: Watcher, frame: bytes) -> None:
        self.frames += 1
        self.last_frame = frame
        before, watcher.have = watcher.have, self._number_of(frame, watcher.have)
        self.last_at[watcher.have] = time.time()
        if before < self._goal <= watcher.have:
            self._missing -= 1
            if not self._missing:
                self._reached.set()

    async def until_all_have(self, number: int, watchers: int, seconds: float = 60) -> None:
        """Wait until so many watchers have got this far."""
        self._reached.clear()
        self._goal = number
        self._missing = watchers - sum(watcher.have >= number for watcher in self.watchers)
        if self._missing:
            async with asyncio.timeout(seconds):
                await self._reached.wait()


def revision_of(frame: bytes, _: int) -> int:
    """The revision that a frame brings a watcher to."""
    start = frame.index(REVISION) + len(REVISION)
    return int(frame[start : frame.index(b",", start)])


def renumbered(frame: bytes, revision: int) -> bytes:
    """The same frame with another revision."""
    start = frame.index(REVISION) + len(REVISION)
    return frame[:start] + str(revision).encode() + frame[frame.index(b",", start) :]


class SocketWatcher(Watcher):
    """One WebSocket: it answers pings, and counts texts but for the answer to what it said itself."""

    def __init__(self, board: Board, opening: bytes, said: bytes = b"") -> None:
        super().__init__(board, opening)
        self._said = said
        self._skipped = 1 if said else 0
        self._is_open = False

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self._is_open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            assert b" 101 " in head, head
            self._is_open = True
            self._transport.write(self._said)
        self._rest = self._read(data)

    def _read(self, data: bytes) -> bytes:
        """Take the frames that are whole, and return what is left."""
        at = 0
        while len(data) >= at + 2:
            length, start = data[at + 1], at + 2
            if length == 126:
                length, start = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif length == 127:
                length, start = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if len(data) < start + length:
                break
            self._hear(data[at], data[start : start + length])
            at = start + length
        return data[at:]

    def _hear(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._transport.write(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
        elif self._skipped:
            self._skipped -= 1
        else:
            assert opcode == TEXT, payload
            self._board.take(self, payload)


class EventsWatcher(Watcher):
    """One event stream: it counts the events that are called `next`."""

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        *whole, self._rest = data.split(b"\n\n\r\n")
        for event in whole:
            if NEXT in event:
                self._board.take(self, event[event.index(NEXT) :])


def masked(text: bytes) -> bytes:
    """A text frame as a client sends it, masked with zeros."""
    length = len(text)
    head = (
        struct.pack("!BB", TEXT, 0x80 | length) if length < 126 else struct.pack("!BBH", TEXT, 0xFE, length)
    )
    return head + bytes(4) + text


def upgrade(path: str, protocol: str = "") -> bytes:
    """The request that opens a WebSocket."""
    wanted = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{wanted}"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


def subscription(query: str, event_id: str) -> bytes:
    """Everything that a graphql-transport-ws client says to watch an event."""
    payload = {"query": query, "variables": {"e": event_id}}
    said = [{"type": "connection_init"}, {"id": "1", "type": "subscribe", "payload": payload}]
    return b"".join(masked(orjson.dumps(message)) for message in said)


def event_stream(path: str, query: str = "", event_id: str = "") -> bytes:
    """The request of a graphql-sse client that watches an event."""
    body = orjson.dumps({"query": query, "variables": {"e": event_id}})
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"accept: text/event-stream\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def connect(port: int, number: int, make: Callable[[], asyncio.Protocol]) -> list[asyncio.Transport]:
    """Open so many connections, a bounded number of them at once."""
    free = asyncio.Semaphore(CONNECTS_AT_ONCE_MAX)
    loop = asyncio.get_running_loop()

    async def one() -> asyncio.Transport:
        async with free:
            transport, _ = await loop.create_connection(make, "127.0.0.1", port)
            return transport

    return await asyncio.gather(*(one() for _ in range(number)))
