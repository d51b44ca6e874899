"""Work that happens by itself: each job goes on while it finds work, and sleeps when it found none."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import NoReturn

from live.ending import end
from steps.faults import tell_fault

log = logging.getLogger("rowlock.jobs")

FAULT_PAUSE_SECONDS_MIN = 0.1
FAULT_PAUSE_SECONDS_MAX = 2.0


class Job:
    """A thing to do again and again: `once` does a bounded amount of it and returns how much that was.

    After a round that found work it pauses for `pause_seconds`, so that the next one finds more.
    """

    def __init__(
        self,
        name: str,
        once: Callable[[], Awaitable[int]],
        idle_seconds: float,
        pause_seconds: float = 0,
    ) -> None:
        self.name = name
        self.once = once
        self.idle_seconds = idle_seconds
        self.pause_seconds = pause_seconds
        self._awake = asyncio.Event()
        self._well_at: float | None = None
        self._fault_pause_seconds = FAULT_PAUSE_SECONDS_MIN

    def wake(self) -> None:
        """End its sleep: there is work. Nobody ends the pause after a fault."""
        self._awake.set()

    def is_well(self, silence_seconds_max: float) -> bool:
        """Say whether its last round, or its start, was lately, and did not fail."""
        now = asyncio.get_running_loop().time()
        return self._well_at is not None and now - self._well_at <= silence_seconds_max

    async def run(self) -> NoReturn:
        """Go on until cancelled, whatever happens."""
        self._well_at = asyncio.get_running_loop().time()
        while True:
            self._awake.clear()
            try:
                found = await self.once()
            except Exception as error:
                await self._pause_after(error)
                continue
            self._fault_pause_seconds = FAULT_PAUSE_SECONDS_MIN
            self._well_at = asyncio.get_running_loop().time()
            await (asyncio.sleep(self.pause_seconds) if found else self._until_awake())

    async def _until_awake(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.idle_seconds):
                await self._awake.wait()

    async def _pause_after(self, error: Exception) -> None:
        self._well_at = None
        tell_fault(log, f"the job {self.name!r} failed and will try again", error)
        await asyncio.sleep(random.uniform(0, self._fault_pause_seconds))  # noqa: S311
        self._fault_pause_seconds = min(2 * self._fault_pause_seconds, FAULT_PAUSE_SECONDS_MAX)


class Jobs:
    """The jobs of a process, each in a task of its own."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.jobs = tuple(jobs)
        self._tasks: list[asyncio.Task[NoReturn]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(job.run(), name=f"job {job.name}") for job in self.jobs]

    async def stop(self) -> None:
        """Cancel them all, and return when the last one has ended."""
        tasks, self._tasks = self._tasks, []
        await end(tasks)
