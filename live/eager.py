"""Runs a coroutine at once for as long as it does not wait, and in a task only from where it does.

Sending a message to a client that reads costs no task and no turn of the loop in this way.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any


def start_now(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None] | None":
    """Run `work`; return None when it has ended already, else the task that does the rest of it.

    What the work raises before it waits is raised here.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.create_task(_finish(work, waits_for))


async def _finish(work: Coroutine[Any, Any, None], waits_for: Any) -> None:
    try:
        await _Rest(work, waits_for)
    finally:
        work.close()


class _Rest:
    """What is left of a coroutine that has been started: first the future that it waits for."""

    def __init__(self, work: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, None, None]:
        waits_for = self._waits_for
        while True:
            yield waits_for
            try:
                waits_for = self._work.send(None)
            except StopIteration:
                return
