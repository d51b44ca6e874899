"""One watched event in this process: a subscription, a map and a ring of updates for all its watchers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from live.bus import GAP, Bus, Gap, Subscription
from live.changes import Change, decode, follows, seats_channel
from live.ending import end
from live.log import Log, UnknownEvent
from live.ring import RING_CHANGES_MAX, Ring
from live.seat_map import SeatMap
from live.updates import Changes, Update
from steps.faults import tell_fault

log = logging.getLogger("rowlock.live")

RETRY_SECONDS_MIN = 0.1
RETRY_SECONDS_MAX = 2.0


class Channel:
    """Follows the log of one event and keeps what its watchers read.

    It listens first and reads the seats after; changes are taken over only in the order of their revisions
    and without a hole, and what is missing is read from the log, or else the whole map is read again.
    """

    def __init__(self, event_id: UUID, truth: Log, bus: Bus, frame_seconds: float) -> None:
        self.event_id = event_id
        self.watchers = 0
        self.idle_since = asyncio.get_running_loop().time()
        self.ready = asyncio.Event()
        self.is_unknown = False
        self.is_closed = False
        self.ring = Ring()
        self._news = asyncio.Event()
        self._truth = truth
        self._bus = bus
        self._frame_seconds = frame_seconds
        self._map = SeatMap(0, "")
        self._messages = Subscription()
        self._pending: list[Change] = []
        self._frame_timer: asyncio.TimerHandle | None = None
        self._next_frame_at = 0.0
        self._task = asyncio.create_task(self._run(), name=f"watch event {event_id}")

    @property
    def revision(self) -> int:
        """The last revision that was heard of, also when it is not yet in an update."""
        return self._pending[-1].revision if self._pending else self._map.revision

    def first_update(self, after: int | None) -> Update:
        """What a new watcher is told first: the changes since `after` if they are here, else the map."""
        changes = None if after is None else self.ring.since(after)
        if changes is None:
            return self._map.snapshot()
        return Changes(self._map.revision, changes, self._map.available)

    async def news(self) -> None:
        """Wait for the next update, or for the end."""
        if not self.is_closed:
            await self._news.wait()

    def look_again(self) -> None:
        """Have the log read for what may be missing."""
        self._messages.tell(GAP)

    async def close(self) -> None:
        """End the channel and the streams of its watchers."""
        await end([self._task])
        self._end()  # a task that is cancelled before its first step has not come to do it

    async def _run(self) -> None:
        try:
            async with self._bus.subscribe(seats_channel(self.event_id)) as self._messages:
                await self._go_on(self._load)
                async for message in self._messages:
                    await self._go_on(partial(self._hear, message))
        except UnknownEvent:
            self.is_unknown = True
        finally:
            self._end()

    def _end(self) -> None:
        if self._frame_timer:
            self._frame_timer.cancel()
        self.is_closed = True
        self.ready.set()
        self._news.set()

    async def _go_on(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do this; when it fails, tell the log and bring the map up to date as soon as that is possible."""
        pause_seconds = RETRY_SECONDS_MIN
        while True:
            try:
                return await act()
            except UnknownEvent:
                raise
            except Exception as error:
                if act is not self._catch_up:
                    tell_fault(log, f"the seats of event {self.event_id} cannot be read", error)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, RETRY_SECONDS_MAX)
            act = self._catch_up

    async def _hear(self, message: str | Gap) -> None:
        changes = None if message is GAP else _understood(message)
        if changes is None or not self._take(changes):
            await self._catch_up()

    async def _catch_up(self) -> None:
        if not self.ready.is_set():
            return await self._load()
        known = self.revision
        last, changes = await self._truth.since(self.event_id, known)
        is_whole = last >= known and self._take(changes) and self.revision >= last
        return None if is_whole else await self._load()

    async def _load(self) -> None:
        """Read the whole map: the revision first and the seats after, so that it is never older."""
        revision = await self._truth.last_revision(self.event_id)
        statuses = await self._truth.statuses(self.event_id)
        history = await self._truth.until(self.event_id, revision)
        self._pending.clear()
        self._map = SeatMap(revision, statuses)
        self.ring.begin_again(Changes(revision, history, self._map.available))
        self.ready.set()
        self._wake()

    def _take(self, changes: tuple[Change, ...]) -> bool:
        """Take over the changes that are new, or none of them when they are not the next ones."""
        new = [change for change in changes if change.revision > self.revision]
        if not (follows(new, self.revision) and self._map.has(new)):
            return False
        if new:
            self._pending += new
            self._frame_soon()
        return True

    def _frame_soon(self) -> None:
        """Make an update of the changes: the first at once, those that come soon after it together."""
        wait_seconds = self._next_frame_at - asyncio.get_running_loop().time()
        if wait_seconds <= 0 or len(self._pending) >= RING_CHANGES_MAX:
            self._frame()
        elif self._frame_timer is None:
            self._frame_timer = asyncio.get_running_loop().call_later(wait_seconds, self._frame)

    def _frame(self) -> None:
        if self._frame_timer:
            self._frame_timer.cancel()
            self._frame_timer = None
        if self._pending:
            self.ring.add(self._map.apply(tuple(self._pending)))
            self._pending.clear()
            self._next_frame_at = asyncio.get_running_loop().time() + self._frame_seconds
            self._wake()

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def _understood(message: str) -> tuple[Change, ...] | None:
    """The changes in a message; None for words that are not ours."""
    try:
        return decode(message)
    except ValueError as error:
        log.warning("a message on the bus makes no sense: %s", error)
        return None
