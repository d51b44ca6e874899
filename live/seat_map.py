"""The seats of one event as this process knows them: a letter each, at a revision of the log."""

from collections.abc import Iterable

from live.changes import Change
from live.updates import Changes, Snapshot

AVAILABLE = ord("A")


class SeatMap:
    """A letter for each seat, and how many are free; a snapshot of it is made once for all who ask."""

    def __init__(self, revision: int, statuses: str) -> None:
        self.revision = revision
        self._statuses = bytearray(statuses, "ascii")
        self.available = self._statuses.count(AVAILABLE)
        self._snapshot: Snapshot | None = None

    def has(self, changes: Iterable[Change]) -> bool:
        """Say whether the map has all the seats that these changes are about."""
        return all(0 <= change.index < len(self._statuses) for change in changes)

    def apply(self, changes: tuple[Change, ...]) -> Changes:
        """Take the next changes over, and return them as the update that tells of them."""
        for change in changes:
            letter = ord(change.status)
            self.available += (letter == AVAILABLE) - (self._statuses[change.index] == AVAILABLE)
            self._statuses[change.index] = letter
        self.revision = changes[-1].revision
        self._snapshot = None
        return Changes(self.revision, changes, self.available)

    def snapshot(self) -> Snapshot:
        """The whole map; the same object until the next change."""
        if self._snapshot is None:
            self._snapshot = Snapshot(self.revision, self._statuses.decode("ascii"), self.available)
        return self._snapshot
