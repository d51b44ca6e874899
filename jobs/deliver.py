"""Sends what is due: taken in hand in one transaction, sent in none, settled in another."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence

from asyncpg import Record

from auth.seals import Unreadable
from database import Database
from live.ending import end
from messages.envelopes import Envelopes
from messages.message import NotTaken, Undeliverable
from messages.post import Post
from models.deliveries import DeliveryState
from steps.deliver import Outcome, claim_deliveries, settle_deliveries
from steps.transact import transact

log = logging.getLogger("rowlock.deliver")

SENDING_MAX = 200
LANE_MAX = 10
FAILING_LANE_MAX = 1
"""How many one process has in hand: in all, of a lane, and of a lane whose last attempt failed."""

ROUND_SECONDS_MAX = 0.05
SEND_SECONDS_MAX = 20  # well under the time for which a delivery is in hand
ATTEMPTS_MAX = 100  # about three days
PAUSE_SECONDS_MIN = 2
PAUSE_SECONDS_MAX = 3_600
WHY_CHARACTERS_MAX = 500


class Deliverer:
    """Has deliveries in hand, some for longer than others, and lets no slow receiver hold up another.

    A round ends when all in hand are tried, or after `round_seconds`; what takes longer goes on meanwhile.
    """

    def __init__(
        self,
        database: Database,
        envelopes: Envelopes,
        post: Post,
        round_seconds: float = ROUND_SECONDS_MAX,
    ) -> None:
        self._database = database
        self._envelopes = envelopes
        self._post = post
        self._round_seconds = round_seconds
        self._sending: dict[asyncio.Task[Outcome], str] = {}
        self._failing: set[str] = set()

    async def deliver_once(self) -> int:
        """Take in hand what is due, and settle what was tried; return how much of both there was."""
        claimed = await self._claim()
        for row in claimed:
            task = asyncio.create_task(self._try(row), name=f"delivery {row['id']}")
            self._sending[task] = row["lane"]
        tried = await self._tried()
        if tried:
            outcomes = [task.result() for task in tried]
            await transact(self._database, settle_deliveries, outcomes=outcomes)
            self._learn(outcomes)
            for task in tried:  # only now, so that one is settled again whose settling failed
                del self._sending[task]
        return len(claimed) + len(tried)

    async def stop(self) -> None:
        """Leave what is in hand to whoever finds it overdue."""
        sending, self._sending = list(self._sending), {}
        await end(sending)

    async def _claim(self) -> Sequence[Record]:
        room = SENDING_MAX - len(self._sending)
        if room <= 0:
            return []
        rooms = self._rooms()
        return await transact(
            self._database, claim_deliveries, deliveries_max=room, lane_max=LANE_MAX, rooms=rooms
        )

    def _rooms(self) -> dict[str, int]:
        """How many more may be taken of the lanes that are not empty, or not well."""
        busy = Counter(self._sending.values())
        most = {lane: FAILING_LANE_MAX if lane in self._failing else LANE_MAX for lane in busy}
        most |= dict.fromkeys(self._failing, FAILING_LANE_MAX)
        return {lane: max(0, most[lane] - busy[lane]) for lane in most}

    async def _tried(self) -> list[asyncio.Task[Outcome]]:
        if not self._sending:
            return []
        done, _ = await asyncio.wait(self._sending, timeout=self._round_seconds)
        return list(done)

    async def _try(self, row: Record) -> Outcome:
        try:
            async with asyncio.timeout(SEND_SECONDS_MAX):
                answer = await self._post.send(self._envelopes.open(row))
        except Exception as error:  # whatever a receiver does, the other deliveries go on
            return _failure(row, error)
        return Outcome(row, DeliveryState.SENT, answer)

    def _learn(self, outcomes: Sequence[Outcome]) -> None:
        self._failing |= {o.row["lane"] for o in outcomes if o.state is DeliveryState.PENDING}
        self._failing -= {o.row["lane"] for o in outcomes if o.state is DeliveryState.SENT}


def _failure(row: Record, error: Exception) -> Outcome:
    is_last = isinstance(error, Undeliverable | Unreadable) or row["attempts"] >= ATTEMPTS_MAX
    why = f"{type(error).__name__}: {error}"
    log.warning(
        "delivery %s by %s, attempt %d%s: %s",
        row["id"],
        row["kind"],
        row["attempts"],
        ", given up" if is_last else "",
        why,
    )
    answer = error.answer if isinstance(error, NotTaken) else None
    state = DeliveryState.DEAD if is_last else DeliveryState.PENDING
    pause = 0 if is_last else pause_seconds(row["attempts"])
    return Outcome(row, state, answer, why[:WHY_CHARACTERS_MAX].replace("\0", "\ufffd"), pause)


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many attempts: twice as long each time, up to an hour, and never in step."""
    longest = min(PAUSE_SECONDS_MIN * 2.0 ** (attempts - 1), PAUSE_SECONDS_MAX)
    return random.uniform(longest / 2, longest)  # noqa: S311
