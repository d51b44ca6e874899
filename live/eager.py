"""Runs a coroutine at once for as long as it does not wait, and in a task only from where it does.

Sending a message to a client that reads costs no task and no turn of the loop in this way.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any


def start_now(work: Coroutine[Any, Any, None], done: Callable[[BaseException | None], None]) -> bool:
    """Run `work`; return True when it has ended already, else call `done` when it ends.

    `done` gets the exception that ended the work, or None. What the work raises at once is raised here.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return True
    task = asyncio.ensure_future(_finish(work, waits_for))
    task.add_done_callback(lambda task: done(_outcome(task)))
    return False


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


def _outcome(task: "asyncio.Future[None]") -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
