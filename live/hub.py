"""Every open seat map of this process: a channel for each watched event, and a look at the log at times."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from database import Database
from live.bus import Bus
from live.channel import Channel
from live.ending import end
from live.log import Log, UnknownEvent
from live.updates import Update
from steps.faults import tell_fault

log = logging.getLogger("rowlock.live")

FRAME_MILLISECONDS = 50
POLL_SECONDS = 2.0
POLL_SECONDS_WITHOUT_BUS = 0.25
LINGER_SECONDS = 5.0


class Watcher:
    """One reader of a channel: it keeps a number and no backlog, and gets a snapshot when it falls behind."""

    def __init__(self, channel: Channel, after: int | None) -> None:
        self._channel = channel
        self._after = after
        self._next: int | None = None

    def __aiter__(self) -> AsyncIterator[Update]:
        return self

    async def __anext__(self) -> Update:
        channel = self._channel
        while not channel.is_closed:
            if self._next is None or self._next < channel.ring.first:
                after, self._after = self._after, None
                self._next = channel.ring.end
                return channel.first_update(after)
            if self._next < channel.ring.end:
                self._next += 1
                return channel.ring.at(self._next - 1)
            await channel.news()
        raise StopAsyncIteration


class Hub:
    """Seat status to every watcher of this process. A fault that passes delays an update and ends nothing.

    An event has at most one update in `frame_milliseconds`; what changes meanwhile travels together.
    """

    def __init__(self, database: Database, bus: Bus, frame_milliseconds: int = FRAME_MILLISECONDS) -> None:
        self._truth = Log(database)
        self._bus = bus
        self._frame_seconds = frame_milliseconds / 1_000
        self._channels: dict[UUID, Channel] = {}
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def watched_events(self) -> int:
        """How many events this process follows now."""
        return len(self._channels)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._tend(), name="tend the hub")

    async def stop(self) -> None:
        """End the stream of every watcher."""
        self._is_stopped = True
        if self._task:
            await end([self._task])
        channels = list(self._channels.values())
        self._channels.clear()
        await asyncio.gather(*(channel.close() for channel in channels))

    @asynccontextmanager
    async def watch(self, event_id: UUID, after: int | None = None) -> AsyncIterator[AsyncIterator[Update]]:
        """Follow an event: first a `Snapshot`, or the `Changes` since `after`; then changes without a hole.

        A `Snapshot` comes again whenever changes would be missing. Ends only when the hub is stopped.
        Raises `UnknownEvent`, a `LookupError`.
        """
        async with self.follow(event_id) as channel:
            yield Watcher(channel, after)

    @asynccontextmanager
    async def follow(self, event_id: UUID) -> AsyncIterator[Channel]:
        """Have an event followed while the block lasts. Raises `UnknownEvent`, a `LookupError`."""
        channel = self._joined(event_id)
        channel.watchers += 1
        if self._is_stopped:
            del self._channels[event_id]
            await channel.close()
        try:
            await channel.ready.wait()
            if channel.is_unknown:
                raise UnknownEvent(f"there is no event {event_id}")
            yield channel
        finally:
            channel.watchers -= 1
            channel.idle_since = asyncio.get_running_loop().time()

    def _joined(self, event_id: UUID) -> Channel:
        """The event's channel, made by the first who comes. Nothing waits in here, so there is one first."""
        channel = self._channels.get(event_id)
        if channel is None or channel.is_closed:
            channel = Channel(event_id, self._truth, self._bus, self._frame_seconds)
            self._channels[event_id] = channel
        return channel

    async def _tend(self) -> None:
        loop = asyncio.get_running_loop()
        next_poll_at, fails = loop.time() + POLL_SECONDS, False
        while True:
            await asyncio.sleep(POLL_SECONDS_WITHOUT_BUS)
            try:
                await self._drop_idle()
                if not self._bus.connected or loop.time() >= next_poll_at:
                    next_poll_at = loop.time() + POLL_SECONDS
                    await self._poll()
                fails = False
            except Exception as error:
                if not fails:
                    tell_fault(log, "the last revisions cannot be read", error)
                fails = True

    async def _drop_idle(self) -> None:
        long_ago = asyncio.get_running_loop().time() - LINGER_SECONDS
        for event_id, channel in list(self._channels.items()):
            if channel.is_closed or (not channel.watchers and channel.idle_since <= long_ago):
                del self._channels[event_id]
                await channel.close()

    async def _poll(self) -> None:
        """Find the last messages that were lost, which no later one betrays."""
        known = {i: channel.revision for i, channel in self._channels.items() if channel.ready.is_set()}
        if not known:
            return
        for event_id, last in (await self._truth.revisions(known)).items():
            channel = self._channels.get(event_id)
            if channel and (last > channel.revision or last < known[event_id]):
                channel.look_again()
