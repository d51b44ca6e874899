"""What the operations of one account may cost in a minute; each process counts by itself, in its memory.

It bounds what one client takes of a process, and costs a request no round trip.
"""

import time
from dataclasses import dataclass

WINDOW_SECONDS = 60
SPENDERS_MAX = 100_000


@dataclass(frozen=True)
class Budget:
    """What is left of one minute: `reset_at` is a Unix time in seconds."""

    limit: int
    remaining: int
    reset_at: int

    @property
    def seconds_left(self) -> int:
        """How long until all of it is there again."""
        return max(1, self.reset_at - int(time.time()))


class Budgets:
    """Counts the cost of operations by who asks, in minutes of the clock."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._spent: dict[str, int] = {}
        self._window = 0

    def spend(self, spender: str, cost: int) -> bool:
        """Take this from a spender's budget; say False, and take nothing, when there is too little left."""
        window = int(time.time()) // WINDOW_SECONDS
        if window != self._window or len(self._spent) > SPENDERS_MAX:
            self._window, self._spent = window, {}
        spent = self._spent.get(spender, 0) + cost
        if spent > self.limit:
            return False
        self._spent[spender] = spent
        return True

    def of(self, spender: str) -> Budget:
        """What a spender has left."""
        window = int(time.time()) // WINDOW_SECONDS
        spent = self._spent.get(spender, 0) if window == self._window else 0
        return Budget(self.limit, self.limit - spent, (window + 1) * WINDOW_SECONDS)
