"""Metrics of what is there now, looked at every few seconds and whenever somebody reads them."""

from auth.passwords import passwords_hashing
from database import Database
from jobs.loop import Job
from live.hub import Hub
from live.stream import Sent, Streams
from models.deliveries import DeliveryKind
from observing import metrics
from steps.person_locks import IS_FIRST_IN_QUEUE, LANES

LOOK_SECONDS = 5.0
WAITING_CHANGES_MAX = 10_000
DELIVERIES_COUNTED_MAX = 10_000
OVERDUE_SECONDS_MAX = 300.0

WAITING_CHANGES = """
    SELECT count(*) AS waiting, coalesce(extract(epoch FROM
        statement_timestamp() - min(changed_at)), 0)::float8 AS seconds
    FROM (SELECT changed_at FROM seat_changes WHERE revision IS NULL LIMIT $1) w"""


WAITING_DELIVERIES = """
    SELECT kind, state, count(*) FROM (
        (SELECT kind, state FROM deliveries WHERE state = 'PENDING' LIMIT $1) UNION ALL
        (SELECT kind, state FROM deliveries WHERE state = 'DEAD' LIMIT $1)) d GROUP BY kind, state"""

OVERDUE_SECONDS = f"""
    SELECT coalesce(max(extract(epoch FROM statement_timestamp() - since)), 0)::float8 AS seconds FROM (
        SELECT due.since FROM ({LANES}) l CROSS JOIN LATERAL (
            SELECT next_attempt_at AS since, owner_id FROM deliveries d
            WHERE lane = l.lane AND state = 'PENDING' AND next_attempt_at <= statement_timestamp()
                AND {IS_FIRST_IN_QUEUE}
            ORDER BY next_attempt_at LIMIT 1) due
        WHERE NOT EXISTS (SELECT FROM webhook_endpoints e
            WHERE e.id = due.owner_id AND (e.failing_since IS NOT NULL OR e.disabled_at IS NOT NULL))
        UNION ALL
        (SELECT created_at FROM announcements WHERE told_at IS NULL ORDER BY created_at, id LIMIT 1)
        UNION ALL
        (SELECT created_at FROM notifications WHERE told_at IS NULL ORDER BY created_at, id LIMIT 1)) w"""
"""How long what could be sent has waited, but for what waits because its receiver fails."""


class Gauges:
    """Sets the gauges of one process, and counts on what its streams have counted for themselves."""

    def __init__(self, database: Database, hub: Hub, streams: Streams) -> None:
        self._database = database
        self._hub = hub
        self._streams = streams
        self._counted = Sent()
        self.job = Job("gauges", self._once, LOOK_SECONDS)

    def look(self) -> None:
        """Set what this process knows by itself."""
        for name, pool in self._database.pools.items():
            metrics.POOL_SIZE.labels(name).set(pool.size)
            metrics.POOL_IN_USE.labels(name).set(pool.in_use)
            metrics.POOL_WAITING.labels(name).set(pool.waiting)
        metrics.PASSWORDS.set(passwords_hashing())
        metrics.WATCHED_EVENTS.set(self._hub.watched_events)
        metrics.STREAMS.set(len(self._streams))
        sent, before = self._streams.sent, self._counted
        metrics.FRAMES.inc(sent.frames - before.frames)
        metrics.FRAMES_SKIPPED.inc(sent.skipped - before.skipped)
        self._counted = Sent(sent.frames, sent.skipped)

    async def look_at_relay(self) -> bool:
        """Set how far the relay is behind, all processes' changes together; counts to a bound."""
        (row,) = await self._database.rows(WAITING_CHANGES, WAITING_CHANGES_MAX)
        metrics.RELAY_WAITING.set(row["waiting"])
        metrics.RELAY_AGE.set(row["seconds"])
        return True

    async def look_at_deliveries(self) -> bool:
        """Set what waits to be sent and what was given up; say whether what could be sent is being sent."""
        rows = await self._database.rows(WAITING_DELIVERIES, DELIVERIES_COUNTED_MAX)
        counts = {(row["kind"], row["state"]): row["count"] for row in rows}
        for kind in DeliveryKind:
            metrics.DELIVERIES_WAITING.labels(kind).set(counts.get((kind, "PENDING"), 0))
            metrics.DELIVERIES_DEAD.labels(kind).set(counts.get((kind, "DEAD"), 0))
        ((seconds,),) = await self._database.rows(OVERDUE_SECONDS)
        metrics.DELIVERIES_OVERDUE.set(seconds)
        return bool(seconds <= OVERDUE_SECONDS_MAX)

    async def _once(self) -> int:
        self.look()
        return 0
