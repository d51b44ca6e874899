"""Reads the truth about an event's seats: the seats, the log of their changes, the last revisions."""

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

from asyncpg import Record

from database import Database
from live.changes import Change

READS_AT_ONCE_MAX = 4
MISSING_CHANGES_MAX = 2_000
HISTORY_CHANGES_MAX = 1_000

_REVISIONS = "SELECT event_id, revision FROM streams WHERE event_id = ANY($1::uuid[])"
_STATUSES = "SELECT string_agg(status, '' ORDER BY index) AS statuses FROM seats WHERE event_id = $1"
_CHANGES = """
    SELECT revision, index, version, status FROM seat_changes
    WHERE event_id = $1 AND revision > $2 AND revision <= $3 ORDER BY revision"""


class UnknownEvent(LookupError):
    """There is no such event, or it has no seats to watch."""


class Log:
    """Short reads, a few at once, so that many events that ask together leave connections to others."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reading = asyncio.Semaphore(READS_AT_ONCE_MAX)

    async def revisions(self, event_ids: Collection[UUID]) -> dict[UUID, int]:
        """The last revision of each of these events that there are."""
        rows = await self._rows(_REVISIONS, list(event_ids))
        return {row["event_id"]: row["revision"] for row in rows}

    async def statuses(self, event_id: UUID) -> str:
        """The letters of all seats of an event, in the order of their index."""
        rows = await self._rows(_STATUSES, event_id)
        return rows[0]["statuses"] or ""

    async def since(self, event_id: UUID, revision: int) -> tuple[int, tuple[Change, ...]]:
        """The last revision, and the changes after this one: the first of them when there are many."""
        last = await self.last_revision(event_id)
        upper = min(last, revision + MISSING_CHANGES_MAX)
        return last, await self._changes(event_id, revision, upper) if revision < upper else ()

    async def until(self, event_id: UUID, revision: int) -> tuple[Change, ...]:
        """The last changes up to this revision that the log still has without a hole."""
        changes = await self._changes(event_id, revision - HISTORY_CHANGES_MAX, revision)
        unbroken = 0
        for change in reversed(changes):
            if change.revision != revision - unbroken:
                break
            unbroken += 1
        return changes[len(changes) - unbroken :]

    async def last_revision(self, event_id: UUID) -> int:
        """How far the event's log is numbered. Raises `UnknownEvent`."""
        revisions = await self.revisions([event_id])
        if event_id not in revisions:
            raise UnknownEvent(f"there is no event {event_id}")
        return revisions[event_id]

    async def _changes(self, event_id: UUID, after: int, until: int) -> tuple[Change, ...]:
        rows = await self._rows(_CHANGES, event_id, after, until)
        return tuple(Change(*row) for row in rows)

    async def _rows(self, statement: str, *values: object) -> Sequence[Record]:
        async with self._reading:
            return await self._database.rows(statement, *values)
