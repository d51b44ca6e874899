"""Sessions that have ended while an access token of theirs may still be good: every process knows them all.

The truth is in PostgreSQL. Each process looks there once a second and keeps what it finds, so that no request
costs a read. The bus only makes it faster, and who ends a session applies it before anything else.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable
from typing import NoReturn
from uuid import UUID

from auth.tokens import EXPIRED, TokenExpired, TokenRefused
from auth.viewer import Viewer
from database import Database
from live.bus import GAP, Bus
from live.ending import end

log = logging.getLogger("rowlock.auth")

CHANNEL = "rowlock:sessions"
LOOK_SECONDS = 1.0
LOOK_SECONDS_MAX = 5.0
OVERLAP_SECONDS = 60
"""A session ends with its commit, which comes after `ended_at`: each look reaches back this much further. As
much longer an ended session is kept, since a token of it can be made a moment after its end."""
KEPT_MAX = 100_000
IDS_PER_MESSAGE_MAX = 500

ENDED_LATELY = """
    SELECT id FROM sessions WHERE ended_at > statement_timestamp() - make_interval(secs => $1)
    UNION ALL
    SELECT id FROM service_clients WHERE revoked_at > statement_timestamp() - make_interval(secs => $1)"""


class SessionEnded(TokenRefused):
    """The session of the access token has ended; log in again."""


class Revocations:
    """The ended sessions that matter still, in the memory of this process.

    Until it could look for the first time, no token is good: it may be of a session that has ended.
    """

    def __init__(self, database: Database, bus: Bus, token_lifetime_seconds: int) -> None:
        self._database, self._bus = database, bus
        self._lifetime_seconds = token_lifetime_seconds
        self._kept_seconds = token_lifetime_seconds + OVERLAP_SECONDS
        self._kept_until: dict[UUID, float] = {}
        self._good_after = math.inf
        self._looked_at = -math.inf
        self._watchers: dict[UUID, set[Callable[[], None]]] = {}
        self._untold: set[UUID] = set()
        self._has_news = asyncio.Event()
        self._cannot_look = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Look, and from then on keep looking; a database that is away is waited for in the background."""
        await self._try_to_look()
        works = (self._keep_looking(), self._listen(), self._keep_telling())
        self._tasks = [asyncio.create_task(work, name="revocations") for work in works]

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, []
        await end(tasks)

    def refuse_ended(self, viewer: Viewer) -> None:
        """Raise `SessionEnded` for a viewer whose session has ended."""
        if viewer.session_id in self._kept_until:
            raise SessionEnded("The session has ended; log in again.")
        if viewer.expires_at <= self._good_after:
            raise TokenExpired(EXPIRED)

    def watch(self, session_id: UUID, on_end: Callable[[], None]) -> None:
        """Have `on_end` called as soon as this session ends, or now if it has, until `forget`."""
        self._watchers.setdefault(session_id, set()).add(on_end)
        if session_id in self._kept_until:
            on_end()

    def forget(self, session_id: UUID, on_end: Callable[[], None]) -> None:
        """Take back a `watch`."""
        watchers = self._watchers.get(session_id, set())
        watchers.discard(on_end)
        if not watchers:
            self._watchers.pop(session_id, None)

    def tell(self, session_ids: Iterable[UUID]) -> None:
        """Apply what this process has just committed, and tell the others."""
        self._untold.update(session_ids)
        self._apply(self._untold)
        self._has_news.set()

    async def look(self) -> None:
        """Learn from the database which sessions have ended since the last look."""
        now = asyncio.get_running_loop().time()
        seconds = min(now - self._looked_at + OVERLAP_SECONDS, self._kept_seconds)
        found = await self._database.rows(ENDED_LATELY, seconds)
        if self._looked_at == -math.inf:
            self._good_after = -math.inf
        self._looked_at = now
        self._apply(row["id"] for row in found)

    def _apply(self, session_ids: Iterable[UUID]) -> None:
        now = asyncio.get_running_loop().time()
        self._drop(now)
        for session_id in session_ids:
            if session_id not in self._kept_until:
                self._kept_until[session_id] = now + self._kept_seconds
                for on_end in tuple(self._watchers.get(session_id, ())):
                    on_end()
        if len(self._kept_until) > KEPT_MAX:  # rather than forget one, refuse every token of until now
            self._kept_until.clear()
            self._good_after = time.time() + self._lifetime_seconds

    def _drop(self, now: float) -> None:
        """Forget those whose tokens have all expired; they stand in the order in which they came."""
        while self._kept_until and next(iter(self._kept_until.values())) <= now:
            del self._kept_until[next(iter(self._kept_until))]

    async def _keep_looking(self) -> NoReturn:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._try_to_look()

    async def _try_to_look(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                await self.look()
            self._cannot_look = False
        except Exception as error:  # whatever it is, the next look comes in a second
            if not self._cannot_look:
                log.warning("ended sessions cannot be read: %s: %s", type(error).__name__, error)
            self._cannot_look = True

    async def _listen(self) -> None:
        async with self._bus.subscribe(CHANNEL) as messages:
            async for message in messages:
                if message is not GAP:  # what is missed here, the next look finds
                    self._apply(_understood(str(message)))

    async def _keep_telling(self) -> NoReturn:
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            ids, self._untold = sorted(self._untold), set()
            for start in range(0, len(ids), IDS_PER_MESSAGE_MAX):
                part = ids[start : start + IDS_PER_MESSAGE_MAX]
                await self._bus.publish(CHANNEL, ",".join(id.hex for id in part))


def _understood(message: str) -> list[UUID]:
    try:
        return [UUID(hex=part) for part in message.split(",")[:IDS_PER_MESSAGE_MAX]]
    except ValueError:
        log.warning("a message on %s is not ours", CHANNEL)
        return []
