"""Ready bytes for many watchers: one execution and one encoding for an update and a document.

Watchers whose subscriptions say the same share a stream. A watcher keeps a place in the event's ring and no
backlog: one that does not read is passed over, and gets a snapshot when it has fallen behind.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from live.channel import Channel
from live.eager import start_now
from live.hub import Hub
from live.updates import Update

log = logging.getLogger("rowlock.live")

PAYLOADS_KEPT_MAX = 64
FIRST_PAYLOADS_KEPT_MAX = 16
WATCHERS_A_TURN_MAX = 250

Encode = Callable[[Update], str]
Send = Callable[[str], Coroutine[Any, Any, None]]


class ClientGone(Exception):
    """Nobody is there any more to send to."""


class Watcher:
    """One client of a stream: how to send to it, and where in the event's ring it is."""

    def __init__(self, send: Send, after: int | None) -> None:
        self.send = send
        self.after = after
        self.place: int | None = None
        self.is_sending = False
        self.ended = asyncio.Event()


class Stream:
    """The updates of one event as one document shows them, each encoded once."""

    def __init__(self, channel: Channel, encode: Encode) -> None:
        self.channel = channel
        self.watchers: dict[Watcher, None] = {}
        self._encode = encode
        self._payloads: OrderedDict[int, str] = OrderedDict()
        self._firsts: OrderedDict[tuple[int | None, int], str] = OrderedDict()
        self._task = asyncio.create_task(self._run(), name=f"stream of event {channel.event_id}")

    def add(self, watcher: Watcher) -> None:
        """Begin to send to a watcher: its first update now, if it reads."""
        self.watchers[watcher] = None
        self.push(watcher)

    def remove(self, watcher: Watcher) -> None:
        self.watchers.pop(watcher, None)

    def stop(self) -> None:
        self._task.cancel()

    def push(self, watcher: Watcher) -> None:
        """Send all that a watcher has still to get, as far as it takes it without waiting."""
        while not watcher.is_sending and watcher in self.watchers:
            payload = self._next(watcher)
            if payload is None:
                return
            watcher.is_sending = True
            try:
                sent = start_now(watcher.send(payload), lambda error: self._sent(watcher, error))
            except Exception as error:  # the client has gone; whoever reads from it will know too
                self._sent(watcher, error)
                return
            watcher.is_sending = not sent

    def _sent(self, watcher: Watcher, error: BaseException | None) -> None:
        watcher.is_sending = False
        if error is not None:
            self.remove(watcher)
            watcher.ended.set()
        else:
            self.push(watcher)

    def _next(self, watcher: Watcher) -> str | None:
        ring = self.channel.ring
        if watcher.place is None or watcher.place < ring.first:
            after, watcher.after = watcher.after, None
            watcher.place = ring.end
            return self._first(after)
        if watcher.place == ring.end:
            return None
        watcher.place += 1
        return self._payload(watcher.place - 1)

    def _payload(self, number: int) -> str:
        if number not in self._payloads:
            self._payloads[number] = self._encode(self.channel.ring.at(number))
            if len(self._payloads) > PAYLOADS_KEPT_MAX:
                self._payloads.popitem(last=False)
        return self._payloads[number]

    def _first(self, after: int | None) -> str:
        """A first frame, cached by what it spans."""
        update = self.channel.first_update(after)
        span = (after, self.channel.ring.end)
        if span not in self._firsts:
            self._firsts[span] = self._encode(update)
            if len(self._firsts) > FIRST_PAYLOADS_KEPT_MAX:
                self._firsts.popitem(last=False)
        return self._firsts[span]

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
        self._hub = hub
        self._streams: dict[Hashable, Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

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
            if stream is None or stream.channel is not channel:
                stream = self._streams[key] = Stream(channel, encode)
            watcher = Watcher(send, after)
            stream.add(watcher)
            try:
                yield watcher
            finally:
                stream.remove(watcher)
                if not stream.watchers:
                    stream.stop()
                    if self._streams.get(key) is stream:
                        del self._streams[key]
