"""Ending tasks: also those in which a library loses a cancellation."""

import asyncio
from contextlib import suppress

import pytest

import live.ending
from live.ending import end


async def test_a_task_that_lost_its_first_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live.ending, "ASK_AGAIN_SECONDS", 0.01)
    lost = asyncio.Event()

    async def deaf_once() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(deaf_once())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end([task])
    assert lost.is_set()
    assert task.cancelled()


async def test_a_task_that_fails_as_it_ends_has_ended() -> None:
    async def clumsy() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("while it was let go")

    task = asyncio.create_task(clumsy())
    await asyncio.sleep(0)
    await end([task])
    assert isinstance(task.exception(), ValueError)


async def test_nothing_to_end_is_ended_at_once() -> None:
    await end([])
