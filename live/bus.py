"""The bus between processes: small messages, best effort, with a mark wherever some may be missing."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import Any, Final

from broadcaster import Broadcast, BroadcastBackend, Event
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as Disconnected

log = logging.getLogger("rowlock.bus")

BUFFER_MESSAGES_MAX = 256
MEMORY_MESSAGES_MAX = 1_024
CONNECT_SECONDS_MAX = 2.0
PUBLISH_SECONDS_MAX = 1.0
SILENCE_SECONDS_MAX = 5.0
RECONNECT_SECONDS_MIN = 0.05
RECONNECT_SECONDS_MAX = 1.0


class Gap(Enum):
    """A mark among messages: some may have been lost here."""

    GAP = "gap"


GAP: Final = Gap.GAP


class Subscription:
    """What one subscriber has still to read. It has a bound: a GAP takes the place of what is too much."""

    def __init__(self) -> None:
        self._told: deque[str | Gap] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def __len__(self) -> int:
        return len(self._told)

    def tell(self, message: str | Gap) -> None:
        if len(self._told) >= BUFFER_MESSAGES_MAX:
            self._told.clear()
            self._told.append(GAP)
        self._told.append(message)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def __aiter__(self) -> AsyncIterator[str | Gap]:
        return self

    async def __anext__(self) -> str | Gap:
        while not self._told:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._told.popleft()


class Bus:
    """Messages to every process that listens on a channel; without a Redis, to this process alone.

    Nothing here raises or waits because Redis is down: messages are lost then, and who subscribes is told so
    by a GAP as soon as the bus listens again, and also when it listens for the first time.
    """

    def __init__(self, redis_url: str | None) -> None:
        self._backend = _RedisBackend(redis_url) if redis_url else _MemoryBackend()
        self._broadcast = Broadcast(backend=self._backend)
        self._subscriptions: set[Subscription] = set()
        self._running = False

    @property
    def connected(self) -> bool:
        """Whether messages go through, as far as is known; while not, ask the truth more often."""
        return self._running and self._backend.connected

    async def start(self) -> None:
        """Begin to listen. Returns at once, also when Redis is down."""
        await self._broadcast.connect()
        self._running = True

    async def stop(self) -> None:
        """End every subscription and let go of Redis."""
        if not self._running:
            return
        self._running = False
        for subscription in list(self._subscriptions):
            subscription.end()
        await self._broadcast.disconnect()

    async def answers(self) -> bool:
        """Ask Redis now; a process that speaks with itself has an answer. Waits for a bounded time."""
        return self.connected and await self._backend.answers()

    async def publish(self, channel: str, message: str) -> None:
        """Tell every process, if that is possible now."""
        if not self.connected:
            return
        try:
            await self._broadcast.publish(channel, message)
        except Exception as error:
            log.warning("a message was not published: %s: %s", type(error).__name__, error)

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Subscription]:
        """Listen on a channel while the block lasts; its messages end when the bus is stopped."""
        subscription = Subscription()
        # Broadcast loses a first subscriber when another comes while its backend waits: ours never waits.
        async with self._broadcast.subscribe(channel) as source:
            # Broadcast's own queue has no bound, so it is always drained, into one that has.
            drain = asyncio.create_task(_drain(source, subscription), name=f"drain {channel}")
            self._subscriptions.add(subscription)
            try:
                yield subscription
            finally:
                self._subscriptions.discard(subscription)
                drain.cancel()


async def _drain(source: Any, subscription: Subscription) -> None:
    while True:
        subscription.tell((await source.get()).message)


class _MemoryBackend(BroadcastBackend):  # type: ignore[misc,unused-ignore]
    """One process that speaks with itself."""

    connected = True

    def __init__(self) -> None:
        self._published: asyncio.Queue[Event] = asyncio.Queue(MEMORY_MESSAGES_MAX)

    async def connect(self) -> None: ...

    async def disconnect(self) -> None: ...

    async def answers(self) -> bool:
        return True

    async def subscribe(self, channel: str) -> None: ...

    async def unsubscribe(self, channel: str) -> None: ...

    async def publish(self, channel: str, message: str) -> None:
        await self._published.put(Event(channel, message))

    async def next_published(self) -> Event:
        await asyncio.sleep(0)  # lets the queues of the subscribers be drained between two messages
        return await self._published.get()


class _RedisBackend(BroadcastBackend):  # type: ignore[misc,unused-ignore]
    """Redis, supervised by the one who reads it: whatever happens there, `next_published` goes on.

    Only the reader connects. Subscribing writes down what is wanted, and returns; what was asked of Redis is
    made to match that soon, and again after each new connection.
    """

    def __init__(self, url: str) -> None:
        reading: dict[str, Any] = {"socket_timeout": None, "retry": Retry(NoBackoff(), 0, ())}
        writing: dict[str, Any] = {
            "socket_timeout": PUBLISH_SECONDS_MAX,
            "retry": Retry(NoBackoff(), 1, (Disconnected,)),
        }
        self._reader = Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS_MAX, **reading)
        self._writer = Redis.from_url(url, socket_connect_timeout=PUBLISH_SECONDS_MAX, **writing)
        self._backoff = ExponentialWithJitterBackoff(base=RECONNECT_SECONDS_MIN, cap=RECONNECT_SECONDS_MAX)
        self.connected = False
        self._failures = 0
        self._pinged = False
        self._pubsub: PubSub | None = None
        self._wanted: set[str] = set()
        self._asked: set[str] = set()
        self._matching = asyncio.Lock()
        self._match_task: asyncio.Task[None] | None = None

    async def connect(self) -> None: ...

    async def disconnect(self) -> None:
        if self._match_task:
            self._match_task.cancel()
        await self._let_go()
        await self._reader.aclose()
        await self._writer.aclose()

    async def answers(self) -> bool:
        return bool(await self._writer.ping())

    async def publish(self, channel: str, message: str) -> None:
        await self._writer.publish(channel, message)

    async def subscribe(self, channel: str) -> None:
        self._wanted.add(channel)
        self._match_soon()

    async def unsubscribe(self, channel: str) -> None:
        self._wanted.discard(channel)
        self._match_soon()

    def _match_soon(self) -> None:
        if self._pubsub and (self._match_task is None or self._match_task.done()):
            self._match_task = asyncio.create_task(self._match(), name="match the bus channels")

    async def _match(self) -> None:
        """Ask Redis for the channels that are wanted, until it was asked for exactly these."""
        async with self._matching:
            while (pubsub := self._pubsub) and self._asked != self._wanted:
                new, old = self._wanted - self._asked, self._asked - self._wanted
                self._asked = set(self._wanted)
                try:
                    if new:
                        await pubsub.subscribe(*new)
                    if old:
                        await pubsub.unsubscribe(*old)
                except Exception:
                    await self._let_go()  # the reader finds it closed, and connects again

    async def next_published(self) -> Event:
        while True:
            try:
                if event := await self._read():
                    return event
            except Exception as error:
                await self._wait_after(error)

    async def _read(self) -> Event | None:
        pubsub = self._pubsub or await self._connected()
        if pubsub.connection is None or not pubsub.connection.is_connected:
            raise ConnectionError("the connection was closed")
        async with asyncio.timeout(SILENCE_SECONDS_MAX + CONNECT_SECONDS_MAX):
            message = await pubsub.get_message(timeout=SILENCE_SECONDS_MAX)
            await asyncio.sleep(0)  # lets the queues of the subscribers be drained between two messages
            if message is None:
                return await self._ping(pubsub)
        self._pinged, self._failures = False, 0
        return _event(message)

    async def _ping(self, pubsub: PubSub) -> None:
        if self._pinged:
            raise ConnectionError(f"no word in {2 * SILENCE_SECONDS_MAX:.0f} seconds")
        self._pinged = True
        await pubsub.ping()

    async def _connected(self) -> PubSub:
        pubsub = self._reader.pubsub()
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            await pubsub.connect()  # type: ignore[no-untyped-call]
        self._pubsub, self._pinged, self._asked = pubsub, False, set()
        await self._match()
        if self._failures:
            log.warning("the bus is up again")
        self.connected = self._pubsub is not None
        return pubsub

    async def _wait_after(self, error: Exception) -> None:
        await self._let_go()
        if not self._failures:
            log.warning("the bus is down, seat maps follow the log: %s: %s", type(error).__name__, error)
        self._failures += 1
        await asyncio.sleep(self._backoff.compute(self._failures))

    async def _let_go(self) -> None:
        self.connected = False
        pubsub, self._pubsub = self._pubsub, None
        if pubsub:
            with suppress(Exception):
                await pubsub.aclose()  # type: ignore[no-untyped-call]


def _event(message: dict[str, Any]) -> Event | None:
    """What a message of Redis means: words on a channel, or that Redis listens on a channel from here on."""
    if message["type"] == "message":
        return Event(message["channel"].decode(), message["data"].decode())
    if message["type"] == "subscribe":
        return Event(message["channel"].decode(), GAP)  # type: ignore[arg-type,unused-ignore]
    return None
