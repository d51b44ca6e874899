"""What arrives for a person while they watch: each notification once, also one that was committed late."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

from dataloaders.loads import NOTIFICATIONS_AT_ONCE_MAX
from models.columns import first_id_at
from models.notifications import Notification
from steps.faults import is_passing

LATE_SECONDS_MAX = 60.0
"""How long after its id was made a notification may be committed, with the clocks of all servers in it."""
REMEMBERED_MAX = NOTIFICATIONS_AT_ONCE_MAX // 2

Look = Callable[[tuple[UUID, UUID]], Awaitable[Sequence[Notification]]]


class Arrivals:
    """Remembers what it told of the last minute, since ids are not committed in their order."""

    def __init__(self) -> None:
        now = time.time()
        self._from = first_id_at(now)
        self._since = first_id_at(now - LATE_SECONDS_MAX)
        self._told: set[UUID] | None = None

    @property
    def remembered(self) -> int:
        """How many of those that it told it remembers."""
        return len(self._told or ())

    async def new(self, look: Look, user_id: UUID) -> list[Notification]:
        """What has arrived since it was asked last, or since it was made, in the order of the ids."""
        looked_at = time.time()
        seen = await look((user_id, self._since))
        if self._told is None:  # what was there before is no news
            self._told = {row.id for row in seen if row.id < self._from}
        new = [row for row in seen if row.id not in self._told]
        self._told.update(row.id for row in new)
        if len(seen) < NOTIFICATIONS_AT_ONCE_MAX:
            self._forget(first_id_at(looked_at - LATE_SECONDS_MAX))
        else:
            self._forget(self._since)
        return new

    def _forget(self, before: UUID) -> None:
        """Look from here on, and no further back than what is remembered."""
        newest = sorted(self._told or ())[-REMEMBERED_MAX:]
        has_more = len(newest) < len(self._told or ())
        self._since = max(self._since, before, newest[0]) if has_more else max(self._since, before)
        self._told = {id for id in newest if id >= self._since}


async def arriving(ticks: AsyncIterator[None], look: Look, user_id: UUID) -> AsyncIterator[Notification]:
    """Tell a person's notifications as they arrive, as often as a tick says that there may be one.

    A fault that passes only delays them.
    """
    arrivals = Arrivals()
    async for _ in ticks:
        try:
            new = await arrivals.new(look, user_id)
        except Exception as error:
            if not is_passing(error):
                raise
            continue
        for row in new:
            yield row
