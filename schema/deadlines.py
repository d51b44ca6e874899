"""How long something may take; one timer watches over all that runs, since one for each would cost more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")


class Deadlines:
    """Ends what runs for longer than `seconds`, with the error that `too_late` makes."""

    def __init__(self, seconds: float, too_late: Callable[[], Exception]) -> None:
        self._seconds, self._too_late = seconds, too_late
        self._started: dict[asyncio.Task[Any], float] = {}
        """Since when each task has been running, the oldest first."""
        self._ended: dict[asyncio.Task[Any], int] = {}
        """Those that were ended here, and how often they had been asked to end before."""
        self._timer: asyncio.TimerHandle | None = None

    async def keep(self, work: Awaitable[Result]) -> Result:
        """Wait for some work of this task; end it when it takes too long, and raise the error for that."""
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
                raise self._too_late() from None
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
