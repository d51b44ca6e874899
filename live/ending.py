"""Ends tasks that would go on for ever."""

import asyncio
from collections.abc import Iterable
from typing import Any

ASK_AGAIN_SECONDS = 1.0


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel them all, and return when the last one has ended, however it did.

    A task that goes on is asked again: before Python 3.12 `asyncio.wait_for`, which the Redis client sends
    with, takes a cancellation for itself when it comes in the moment of its success.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_SECONDS)
        for task in done:
            if not task.cancelled():
                task.exception()
