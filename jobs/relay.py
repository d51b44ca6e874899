"""Numbers committed changes of seats, event by event and without gaps, and tells them on the bus."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from database import Database, Transaction
from jobs.loop import Job
from live.bus import Bus
from live.changes import CHANGES_PER_MESSAGE_MAX, Change, encode, seats_channel
from steps.stream_locks import LOCK_STREAM, LOCK_STREAM_IF_FREE

CHANGES_PER_BATCH_MAX = 1_000
BATCHES_PER_ROUND_MAX = 10
EVENTS_PER_SWEEP_MAX = 100
SWEEP_SECONDS = 0.5
PAUSE_SECONDS = 0.01
LOG_KEPT = timedelta(hours=24)

# Steps from event to event along the index, past all rows of an event that has many.
EVENTS_WITH_UNNUMBERED_CHANGES = """
    WITH RECURSIVE waiting (event_id) AS (
        (SELECT event_id FROM seat_changes WHERE revision IS NULL ORDER BY event_id LIMIT 1)
        UNION ALL
        SELECT (SELECT c.event_id FROM seat_changes c
                WHERE c.revision IS NULL AND c.event_id > w.event_id ORDER BY c.event_id LIMIT 1)
        FROM waiting w WHERE w.event_id IS NOT NULL
    )
    SELECT event_id FROM waiting WHERE event_id IS NOT NULL LIMIT $1"""

NUMBER_CHANGES = """
    WITH next AS MATERIALIZED (
        SELECT index, version FROM seat_changes WHERE event_id = $1 AND revision IS NULL
        ORDER BY version, index LIMIT $3
    ), numbered AS (
        SELECT index, version, $2::int + row_number() OVER (ORDER BY version, index) AS revision FROM next
    )
    UPDATE seat_changes c SET revision = n.revision FROM numbered n
    WHERE c.event_id = $1 AND c.index = n.index AND c.version = n.version
    RETURNING c.revision, c.index, c.version, c.status"""

ADVANCE_STREAM = "UPDATE streams SET revision = $2 WHERE event_id = $1"

EVENTS_WITH_OLD_CHANGES = """
    SELECT DISTINCT event_id FROM seat_changes
    WHERE revision IS NOT NULL AND changed_at < statement_timestamp() - $1::interval LIMIT $2"""

# Only the beginning of the log goes, so that what is left has no hole: a change that was committed late can
# be older than others with a lower revision.
TRIM_CHANGES = """
    WITH first AS MATERIALIZED (
        SELECT revision, changed_at FROM seat_changes
        WHERE event_id = $1 AND revision IS NOT NULL ORDER BY revision LIMIT $3
    ), old AS (
        SELECT revision,
               bool_and(changed_at < statement_timestamp() - $2::interval) OVER (ORDER BY revision) AS is_old
        FROM first
    )
    DELETE FROM seat_changes
    WHERE event_id = $1 AND revision <= (SELECT max(revision) FROM old WHERE is_old)
    RETURNING revision"""


async def number_changes_once(database: Database, bus: Bus, event_ids: Collection[UUID] | None = None) -> int:
    """Number what is committed, of these events or of all, tell it on the bus, and return how much it was.

    For given events it waits until another relay is done with them; a sweep over all passes these by.
    """
    if event_ids is None:
        return await _sweep(database, bus)
    return sum([await _number_event(database, bus, event_id, LOCK_STREAM) for event_id in sorted(event_ids)])


async def trim_changes_once(database: Database) -> int:
    """Delete changes that are older than the log is kept, a bounded batch of each event; return how many."""
    events = await database.rows(EVENTS_WITH_OLD_CHANGES, LOG_KEPT, EVENTS_PER_SWEEP_MAX)
    return sum([await _trim_event(database, row["event_id"]) for row in events])


class Relay:
    """Keeps numbering: at once what this process committed, and now and then whatever else is there."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._changed: set[UUID] = set()
        self._next_sweep_at = 0.0
        self.job = Job("relay", self._once, SWEEP_SECONDS, PAUSE_SECONDS)

    def wake(self, event_ids: Collection[UUID]) -> None:
        """Say that changes of these events are committed; many calls make one piece of work."""
        self._changed.update(event_ids)
        self.job.wake()

    async def _once(self) -> int:
        changed, self._changed = self._changed, set()
        numbered = await number_changes_once(self._database, self._bus, changed)
        now = asyncio.get_running_loop().time()
        if not numbered or now >= self._next_sweep_at:
            self._next_sweep_at = now + SWEEP_SECONDS
            numbered += await number_changes_once(self._database, self._bus)
        return numbered


async def _sweep(database: Database, bus: Bus) -> int:
    events = await database.rows(EVENTS_WITH_UNNUMBERED_CHANGES, EVENTS_PER_SWEEP_MAX)
    return sum([await _number_event(database, bus, row["event_id"], LOCK_STREAM_IF_FREE) for row in events])


async def _number_event(database: Database, bus: Bus, event_id: UUID, lock: str) -> int:
    """Number batch after batch of an event; what is left after many of them is for the next round.

    A batch that is not full took all there was: whoever commits a change after it has a relay to wake.
    """
    numbered = 0
    for _ in range(BATCHES_PER_ROUND_MAX):
        async with database.transaction() as tx:
            changes = await _number_batch(tx, event_id, lock)
        numbered += len(changes)
        await _tell(bus, event_id, changes)
        if len(changes) < CHANGES_PER_BATCH_MAX:
            break
    return numbered


async def _number_batch(tx: Transaction, event_id: UUID, lock: str) -> Sequence[Change]:
    """Give the next revisions to a batch. The lock is taken in a statement of its own: the next one then sees
    everything that the last holder of the lock has numbered."""
    stream = await tx.row(lock, event_id)
    if stream is None:
        return []
    rows = await tx.rows(NUMBER_CHANGES, event_id, stream["revision"], CHANGES_PER_BATCH_MAX)
    changes = sorted(Change(*row) for row in rows)
    if changes:
        await tx.rows(ADVANCE_STREAM, event_id, changes[-1].revision)
    return changes


async def _tell(bus: Bus, event_id: UUID, changes: Sequence[Change]) -> None:
    for start in range(0, len(changes), CHANGES_PER_MESSAGE_MAX):
        part = changes[start : start + CHANGES_PER_MESSAGE_MAX]
        await bus.publish(seats_channel(event_id), encode(event_id, part))


async def _trim_event(database: Database, event_id: UUID) -> int:
    async with database.transaction() as tx:
        if await tx.row(LOCK_STREAM_IF_FREE, event_id) is None:
            return 0
        return len(await tx.rows(TRIM_CHANGES, event_id, LOG_KEPT, CHANGES_PER_BATCH_MAX))
