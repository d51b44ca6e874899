"""News of single things: whoever watches one looks again soon after a commit that touched it, in any process.

Only names travel, so nobody learns from them what they may not see: the truth is read where it is shown.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Generic, NoReturn, TypeVar
from uuid import uuid4

import orjson

from live.bus import GAP, Bus, Gap
from live.ending import end
from steps.faults import is_passing

log = logging.getLogger("rowlock.live")

CHANNEL = "rowlock:news"
LOOK_SECONDS = 2.0
PAUSE_SECONDS = 0.01
TOPICS_PER_MESSAGE_MAX = 500
TOPICS_UNTOLD_MAX = 20_000
WATCHERS_A_TURN = 50

Seen = TypeVar("Seen")
Look = Callable[[], Awaitable[Seen | None]]


class Watcher:
    """Says when to look: at once, after every touch, and now and then. It keeps one mark and no backlog."""

    def __init__(self) -> None:
        self._is_due = asyncio.Event()
        self._is_due.set()
        self._is_ended = False

    def wake(self) -> None:
        self._is_due.set()

    def end(self) -> None:
        self._is_ended = True
        self.wake()

    def __aiter__(self) -> AsyncIterator[None]:
        return self

    async def __anext__(self) -> None:
        await self._is_due.wait()
        if self._is_ended:
            raise StopAsyncIteration
        self._is_due.clear()


class Following(Generic[Seen]):
    """What one watcher is told of a thing; it remembers what it was told last."""

    def __init__(self, ticks: AsyncIterator[None], look: Look[Seen]) -> None:
        self._ticks = ticks
        self._look = look
        self._told: Seen | None = None

    def __aiter__(self) -> AsyncIterator[Seen]:
        return self

    async def __anext__(self) -> Seen:
        async for _ in self._ticks:
            seen = await self._seen()
            if seen is None:
                break
            if seen != self._told:
                self._told = seen
                return seen
        raise StopAsyncIteration

    async def _seen(self) -> Seen | None:
        """What there is now, or, while that cannot be known, what there was."""
        try:
            return await self._look()
        except Exception as error:
            if self._told is None or not is_passing(error):
                raise
            return self._told


class News:
    """Everybody in this process who watches a single thing, by its topic.

    Nothing here waits for Redis or is lost with it: all look again every 2 seconds at the latest, which also
    finds what changes by the clock alone, and what a process has written that tells nobody.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._name = uuid4().hex
        self._watchers: dict[str, set[Watcher]] = {}
        self._untold: set[str] = set()
        self._has_news = asyncio.Event()
        self._had_gap = asyncio.Event()
        self._is_stopped = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        works = (self._listen(), self._keep_telling(), self._keep_looking())
        self._tasks = [asyncio.create_task(work, name="news") for work in works]

    async def stop(self) -> None:
        """End what every watcher follows."""
        self._is_stopped = True
        tasks, self._tasks = self._tasks, []
        await end(tasks)
        for watcher in self._everybody():
            watcher.end()

    @property
    def watched_topics(self) -> int:
        """How many things are watched in this process now."""
        return len(self._watchers)

    @asynccontextmanager
    async def watch(self, *topics: str) -> AsyncIterator[AsyncIterator[None]]:
        """Be told when to look at a thing: first at once; ends only when the news is stopped.

        What a thing shows may change with others: then their topics are given too.
        """
        watcher = Watcher()
        if self._is_stopped:
            watcher.end()
        for topic in topics:
            self._watchers.setdefault(topic, set()).add(watcher)
        try:
            yield watcher
        finally:
            for topic in topics:
                self._watchers[topic].discard(watcher)
                if not self._watchers[topic]:
                    del self._watchers[topic]

    @asynccontextmanager
    async def follow(self, look: Look[Seen], *topics: str) -> AsyncIterator[AsyncIterator[Seen]]:
        """Have a thing looked at: first what it is, then each time it has become something else.

        Ends when `look` finds nothing. A fault that passes only delays what comes after the first look.
        """
        async with self.watch(*topics) as ticks:
            yield Following(ticks, look)

    def tell(self, topics: Iterable[str]) -> None:
        """Wake who watches what this process has just committed, here now and elsewhere soon.

        What is too much to be told elsewhere, they find when they look the next time.
        """
        self._wake(topics)
        if len(self._untold) < TOPICS_UNTOLD_MAX:
            self._untold.update(topics)
            self._has_news.set()

    def _wake(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for watcher in self._watchers.get(topic, ()):
                watcher.wake()

    def _everybody(self) -> tuple[Watcher, ...]:
        return tuple(chain.from_iterable(self._watchers.values()))

    async def _keep_telling(self) -> NoReturn:
        """Tell what has gathered, then let more gather: many commits make one message."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            topics, self._untold = list(self._untold), set()
            for start in range(0, len(topics), TOPICS_PER_MESSAGE_MAX):
                part = topics[start : start + TOPICS_PER_MESSAGE_MAX]
                await self._bus.publish(CHANNEL, orjson.dumps([self._name, *part]).decode())
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self) -> None:
        async with self._bus.subscribe(CHANNEL) as messages:
            async for message in messages:
                self._hear(message)

    def _hear(self, message: str | Gap) -> None:
        if message is GAP:
            self._had_gap.set()
        elif self._watchers:
            sender, *topics = _understood(message)
            if sender != self._name:
                self._wake(topics)

    async def _keep_looking(self) -> NoReturn:
        """Wake everybody, now and then and after a gap."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS / 2 * random.uniform(0.75, 1)):  # noqa: S311
                    await self._had_gap.wait()
            self._had_gap.clear()
            await self._wake_everybody()

    async def _wake_everybody(self) -> None:
        """Wake some together, so that they can read together, and the next some later: it takes a moment."""
        everybody = self._everybody()
        pause_seconds = LOOK_SECONDS / 2 * WATCHERS_A_TURN / max(len(everybody), 1)
        for number, watcher in enumerate(everybody, start=1):
            watcher.wake()
            if number % WATCHERS_A_TURN == 0:
                await asyncio.sleep(pause_seconds)


def _understood(message: str) -> list[str]:
    """Who tells, and the topics; nobody and none for words that are not ours."""
    try:
        words = orjson.loads(message)
    except ValueError:
        words = None
    if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
        return words[: 1 + TOPICS_PER_MESSAGE_MAX]
    log.warning("a message on %s is not ours", CHANNEL)
    return [""]
