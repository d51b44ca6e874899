"""How long an operation may run; one timer watches over all that do, since one for each would cost more."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from schema.errors import RequestError

Result = TypeVar("Result")


class Deadlines:
    """Ends what runs for longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started: dict[asyncio.Task[Any], float] = {}
        """Since when each task has been running, the oldest first."""
        self._ended: dict[asyncio.Task[Any], int] = {}
        """Those that were ended here, and how often they had been asked to end before."""
        self._timer: asyncio.TimerHandle | None = None

    async def keep(self, work: Awaitable[Result]) -> Result:
        """Wait for some work of this task; raises SERVICE_UNAVAILABLE when it takes too long, and ends it."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        self._started[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._ended and task.uncancel() <= self._ended[task]:
                raise self._error() from None
            raise
        finally:
            self._started.pop(task, None)
            self._ended.pop(task, None)

    def _look(self) -> None:
        """End what is overdue, and look again when the oldest of the others is."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._started:
            task, started = next(iter(self._started.items()))
            if started + self._seconds > loop.time():
                self._timer = loop.call_at(started + self._seconds, self._look)
                return
            del self._started[task]
            self._ended[task] = task.cancelling()
            task.cancel()

    def _error(self) -> RequestError:
        return RequestError(
            "SERVICE_UNAVAILABLE",
            f"This took longer than {self._seconds:g} seconds and was given up. Ask for less, or try again; "
            "a mutation with the same idempotency key.",
            limit=self._seconds,
        )
