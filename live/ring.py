"""The last updates of one event, kept once for all its watchers, who remember only a number."""

from collections import deque
from itertools import chain, islice

from live.changes import Change
from live.updates import Changes

RING_CHANGES_MAX = 2_000


class Ring:
    """Updates in a row, each with a number; the oldest go when there are too many changes in them.

    `first` and `end` are the numbers of the oldest update and of the next one to come.
    """

    def __init__(self, revision: int = 0) -> None:
        self.first = 0
        self._base = revision
        self._updates: deque[Changes] = deque()
        self._changes_kept = 0

    @property
    def end(self) -> int:
        return self.first + len(self._updates)

    def add(self, update: Changes) -> None:
        """Keep an update that begins where the last one ended."""
        self._updates.append(update)
        self._changes_kept += len(update.changes)
        while self._changes_kept > RING_CHANGES_MAX and len(self._updates) > 1:
            oldest = self._updates.popleft()
            self.first += 1
            self._base = oldest.revision
            self._changes_kept -= len(oldest.changes)

    def begin_again(self, history: Changes) -> None:
        """Keep only what a newly read log says; every number given out before is behind from now on."""
        self.first = self.end + 1
        self._updates.clear()
        self._changes_kept = 0
        self._base = history.revision - len(history.changes)
        self.add(history)

    def at(self, number: int) -> Changes:
        return self._updates[number - self.first]

    def since(self, revision: int) -> tuple[Change, ...] | None:
        """Every change after a revision; None when these are not all here, or are still to come."""
        last = self._updates[-1].revision if self._updates else self._base
        if not self._base <= revision <= last:
            return None
        every = chain.from_iterable(update.changes for update in self._updates)
        return tuple(islice(every, revision - self._base, None))
