"""Metrics of what is there now, looked at every few seconds and whenever somebody reads them."""

from auth.passwords import passwords_hashing
from database import Database
from jobs.loop import Job
from live.hub import Hub
from live.stream import Sent, Streams
from observing import metrics

LOOK_SECONDS = 5.0
WAITING_CHANGES_MAX = 10_000

WAITING_CHANGES = """
    SELECT count(*) AS waiting, coalesce(extract(epoch FROM
        statement_timestamp() - min(changed_at)), 0)::float8 AS seconds
    FROM (SELECT changed_at FROM seat_changes WHERE revision IS NULL LIMIT $1) w"""


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

    async def _once(self) -> int:
        self.look()
        return 0
