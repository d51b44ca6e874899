"""The loop of the jobs: flat out while there is work, asleep when there is none, and never at an end."""

import asyncio
import logging

import asyncpg
import pytest

from jobs.loop import Job, Jobs
from tests.seat_rows import until

FOR_EVER_SECONDS = 3_600


class Work:
    """Answers for a job: how much each call finds, or how it fails; afterwards it finds nothing."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def once(self) -> int:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_job_runs_flat_out_until_it_finds_nothing_and_then_sleeps() -> None:
    work = Work(3, 2, 1)
    jobs = Jobs([Job("count", work.once, FOR_EVER_SECONDS)])
    await jobs.start()
    await until(lambda: work.calls == 4)
    for _ in range(100):
        await asyncio.sleep(0)
    assert work.calls == 4
    await jobs.stop()


async def test_a_job_looks_again_after_its_sleep() -> None:
    work = Work()
    jobs = Jobs([Job("count", work.once, 0.001)])
    await jobs.start()
    await until(lambda: work.calls > 3)
    await jobs.stop()


async def test_waking_a_job_ends_its_sleep() -> None:
    work = Work()
    job = Job("count", work.once, FOR_EVER_SECONDS)
    jobs = Jobs([job])
    await jobs.start()
    await until(lambda: work.calls == 1)
    job.wake()
    await until(lambda: work.calls == 2)
    await jobs.stop()


async def test_a_job_that_is_woken_while_it_works_looks_once_more() -> None:
    calls = 0

    async def once() -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            job.wake()
            job.wake()
        return 0

    job = Job("count", once, FOR_EVER_SECONDS)
    jobs = Jobs([job])
    await jobs.start()
    await until(lambda: calls == 2)
    for _ in range(100):
        await asyncio.sleep(0)
    assert calls == 2
    await jobs.stop()


async def test_a_fault_that_passes_is_one_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    work = Work(asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), 1)
    jobs = Jobs([Job("count", work.once, FOR_EVER_SECONDS)])
    await jobs.start()
    await until(lambda: work.calls == 3)
    await jobs.stop()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.exc_info is None
    assert record.getMessage() == (
        "the job 'count' failed and will try again: "
        "LockNotAvailableError: canceling statement due to lock timeout"
    )


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        ConnectionRefusedError(111, "Connect call failed"),
    ],
)
async def test_a_database_that_is_busy_or_away_is_no_unforeseen_fault(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(fault)
    jobs = Jobs([Job("count", work.once, FOR_EVER_SECONDS)])
    await jobs.start()
    await until(lambda: work.calls == 2)
    await jobs.stop()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_an_unforeseen_fault_is_told_with_its_traceback_and_ends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = Work(KeyError("oh"), ZeroDivisionError("no"), 5)
    jobs = Jobs([Job("count", work.once, FOR_EVER_SECONDS)])
    await jobs.start()
    await until(lambda: work.calls == 4)
    await jobs.stop()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.ERROR]
    assert all(record.exc_info for record in caplog.records)


async def test_one_job_that_fails_does_not_hold_up_another() -> None:
    failing, working = Work(*[RuntimeError("no")] * 1_000), Work(*[1] * 50)
    jobs = Jobs([Job("fail", failing.once, 0.001), Job("work", working.once, 0.001)])
    await jobs.start()
    await until(lambda: working.calls > 50 and failing.calls > 1)
    await jobs.stop()


async def test_stopping_cancels_a_job_in_the_middle_and_waits_for_its_end() -> None:
    said: list[str] = []

    async def once() -> int:
        said.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            said.append("ended")
        return 0

    jobs = Jobs([Job("wait", once, FOR_EVER_SECONDS)])
    await jobs.start()
    await until(lambda: said)
    await jobs.stop()
    assert said == ["began", "ended"]
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "job wait"]
    await jobs.stop()
