"""Ready bytes for many watchers: one execution and one encoding for an update and a document.

Watchers whose subscriptions say the same share a stream. A watcher keeps a place in the event's ring and no
backlog: one that does not read is passed over, and gets a snapshot when it has fallen behind.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from live.channel import Channel
from live.eager import start_now
from live.hub import Hub
from live.updates import Update

log = logging.getLogger("rowlock.live")

UPDATES_BEHIND_MAX = 64
FIRST_PAYLOADS_KEPT_MAX = 16
WATCHERS_A_TURN_MAX = 250

Encode = Callable[[Update], bytes]
Send = Callable[[bytes], Coroutine[Any, Any, None]]


class ClientGone(Exception):
    """Nobody is there any more to send to."""


class Watcher:
    """One client of a stream: how to send to it, and where in the event's ring it is."""

    def __init__(self, send: Send, after: int | None) -> None:
        self.send = send
        self.after = after
        self.place: int | None = None
        self.frames = 0
        self.sending: asyncio.Task[None] | None = None
        self.ended = asyncio.Event()


@dataclass
class Sent:
    """What all streams of a process have sent: frames, and updates that came as a snapshot instead."""

    frames: int = 0
    skipped: int = 0


class Stream:
    """The updates of one event as one document shows them, each encoded once."""

    def __init__(self, channel: Channel, encode: Encode, sent: Sent) -> None:
        self.channel = channel
        self._tally = sent
        self.watchers: dict[Watcher, None] = {}
        self._encode = encode
        self._payloads: dict[int, bytes] = {}
        self._firsts: dict[int | None, bytes] = {}
        self._firsts_end = 0
        self._task = asyncio.create_task(self._run(), name=f"stream of event {channel.event_id}")

    @property
    def is_open(self) -> bool:
        """Whether who joins now will be told of what comes."""
        return not self._task.done()

    def add(self, watcher: Watcher) -> None:
        """Begin to send to a watcher: its first update now, if it reads."""
        self.watchers[watcher] = None
        self.push(watcher)

    def remove(self, watcher: Watcher) -> None:
        """Forget a watcher, and what is on its way to it if it does not read."""
        self.watchers.pop(watcher, None)
        if watcher.sending:
            watcher.sending.cancel()

    def stop(self) -> None:
        self._task.cancel()

    def push(self, watcher: Watcher) -> None:
        """Send all that a watcher has still to get, as far as it takes it without waiting."""
        ring = self.channel.ring
        while watcher.place != ring.end and watcher.sending is None and watcher in self.watchers:
            try:
                watcher.sending = start_now(watcher.send(self._next(watcher)))
            except Exception:  # the client has gone; whoever reads from it will know too
                self._lose(watcher)
                return
            if watcher.sending:
                watcher.sending.add_done_callback(partial(self._sent, watcher))

    def _sent(self, watcher: Watcher, sending: "asyncio.Task[None]") -> None:
        watcher.sending = None
        if sending.cancelled() or sending.exception():
            self._lose(watcher)
        else:
            self.push(watcher)

    def _lose(self, watcher: Watcher) -> None:
        self.remove(watcher)
        watcher.ended.set()

    def _next(self, watcher: Watcher) -> bytes:
        """The next payload for a watcher that is not at the end: mostly the newest."""
        ring = self.channel.ring
        watcher.frames += 1
        self._tally.frames += 1
        if watcher.place != (newest := ring.end - 1) and (
            watcher.place is None or watcher.place < self._oldest
        ):
            after, watcher.after = watcher.after, None
            if watcher.place is not None:
                self._tally.skipped += ring.end - watcher.place
            watcher.place = newest + 1
            return self._first(after)
        watcher.place += 1
        return self._payload(watcher.place - 1)

    @property
    def _oldest(self) -> int:
        """The first update that is still told; who is further behind gets a snapshot."""
        ring = self.channel.ring
        return max(ring.first, ring.end - UPDATES_BEHIND_MAX)

    def _payload(self, number: int) -> bytes:
        payload = self._payloads.get(number)
        if payload is None:
            payload = self._encode(self.channel.ring.at(number))
            self._payloads = {n: kept for n, kept in self._payloads.items() if n >= self._oldest}
            self._payloads[number] = payload
        return payload

    def _first(self, after: int | None) -> bytes:
        """A first frame: what is told to all who join between two updates is encoded once."""
        if self._firsts_end != self.channel.ring.end or len(self._firsts) == FIRST_PAYLOADS_KEPT_MAX:
            self._firsts_end = self.channel.ring.end
            self._firsts.clear()
        if after not in self._firsts:
            self._firsts[after] = self._encode(self.channel.first_update(after))
        return self._firsts[after]

    async def _run(self) -> None:
        """Tell all watchers whenever there is news, a bounded number of them in one turn of the loop."""
        try:
            while not self.channel.is_closed:
                told = self.channel.ring.end
                for number, watcher in enumerate(tuple(self.watchers), start=1):
                    self.push(watcher)
                    if number % WATCHERS_A_TURN_MAX == 0:
                        await asyncio.sleep(0)
                if self.channel.ring.end == told:  # else there was news while the others were told
                    await self.channel.news()
        except Exception:
            log.exception("a stream of event %s broke", self.channel.event_id)
        finally:
            for watcher in tuple(self.watchers):
                watcher.ended.set()


class Streams:
    """All streams of a process, by what makes subscriptions the same."""

    def __init__(self, hub: Hub) -> None:
        self.sent = Sent()
        self._hub = hub
        self._streams: dict[Hashable, Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, key: Hashable) -> bool:
        """Say whether somebody watches with this key."""
        return key in self._streams

    @asynccontextmanager
    async def join(
        self, key: Hashable, event_id: UUID, encode: Encode, send: Send, after: int | None
    ) -> AsyncIterator[Watcher]:
        """Send an event's updates to a client while the block lasts; the watcher says when they end.

        Subscriptions with the same key share a stream, so `encode` is asked once for each update. Raises
        `UnknownEvent`, a `LookupError`.
        """
        async with self._hub.follow(event_id) as channel:
            stream = self._streams.get(key)
            if stream is None or stream.channel is not channel or not stream.is_open:
                stream = self._streams[key] = Stream(channel, encode, self.sent)
            watcher = Watcher(send, after)
            try:
                stream.add(watcher)
                yield watcher
            finally:
                stream.remove(watcher)
                if not stream.watchers:
                    stream.stop()
                    if self._streams.get(key) is stream:
                        del self._streams[key]
