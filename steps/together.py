"""Wishes for one event that arrive together share one transaction; each keeps an answer of its own."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from database import Database, Transaction
from observing.metrics import BATCHES
from observing.tracing import here, span
from steps.idempotency import Key, claim_all
from steps.refusals import InFlight, Refused, busy
from steps.transact import Unavailable, is_connection_lost

log = logging.getLogger("rowlock.together")

BATCHES_MAX = 4
WISHES_PER_BATCH_MAX = 32
WISHES_WAITING_MAX = 4_096
LOCK_TIMEOUT_MS = 20


class Wish(Protocol):
    """What somebody wants of an event's order, and what of the event it needs to itself."""

    @property
    def order_id(self) -> UUID: ...
    @property
    def key(self) -> Key | None: ...
    @property
    def needs(self) -> frozenset[Hashable]: ...


Made = TypeVar("Made")
Wished = TypeVar("Wished", bound=Wish)
Step = Callable[[Transaction, UUID, Sequence[Wished]], Awaitable[Sequence[Made]]]


class LeftOut(Exception):
    """The step cannot serve these wishes, by order, with the others; None means that one alone may do."""

    def __init__(self, answers: Mapping[UUID, Refused | None]) -> None:
        super().__init__()
        self.answers = answers


def leave_out_all_but(wishes: Sequence[Wish], served: Collection[UUID]) -> None:
    """Leave out whoever is not among these orders, to be served alone."""
    if len(served) < len(wishes):
        raise LeftOut({wish.order_id: None for wish in wishes if wish.order_id not in served})


async def claim_keys(tx: Transaction, wishes: Sequence[Wish]) -> None:
    """Take everybody's key; leave out whoever used theirs before."""
    keyed = [wish for wish in wishes if wish.key]
    leave_out_all_but(keyed, await claim_all(tx, [(wish.key, wish.order_id) for wish in keyed if wish.key]))


@dataclass(frozen=True)
class _Asked(Generic[Wished, Made]):
    """A wish, and its answer to come."""

    wish: Wished
    answer: "asyncio.Future[Made | None]"
    span: Any = field(default_factory=here)

    def reply(self, answer: Made | Exception | None) -> None:
        if self.answer.done():
            return
        if isinstance(answer, Exception) and not isinstance(answer, InFlight):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(None if isinstance(answer, InFlight) else answer)


@dataclass
class _Line(Generic[Wished, Made]):
    """Who waits at one event, and what those need who are being served."""

    waiting: deque[_Asked[Wished, Made]] = field(default_factory=deque)
    needed: set[Hashable] = field(default_factory=set)
    batches: int = 0

    def take(self) -> list[_Asked[Wished, Made]]:
        """Take the first of the line who share nothing with each other, nor with those being served."""
        batch: list[_Asked[Wished, Made]] = []
        passed: list[_Asked[Wished, Made]] = []
        needed = set(self.needed)
        while self.waiting and len(batch) < WISHES_PER_BATCH_MAX:
            asked = self.waiting.popleft()
            (batch if needed.isdisjoint(asked.wish.needs) else passed).append(asked)
            needed |= asked.wish.needs
        self.waiting.extendleft(reversed(passed))
        return batch


class Together(Generic[Wished, Made]):
    """Serves wishes with a step that takes many.

    Whoever comes while others are being served waits for the next transaction, a few milliseconds. In it
    nobody waits for a lock for long, and what cannot be served at once is answered with None.
    """

    def __init__(self, database: Database, step: Step[Wished, Made], called: str = "wishes") -> None:
        self._database = database
        self._called = called
        self._step = step
        self._lines: dict[UUID, _Line[Wished, Made]] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def ask(self, event_id: UUID, wish: Wished) -> Made | None:
        """Return what was made, committed, or None for a wish that must be served alone.

        Raises `Refused`, and `Unavailable` when the database went away and nobody can know what happened.
        """
        line = self._lines.setdefault(event_id, _Line())
        if len(line.waiting) >= WISHES_WAITING_MAX:
            raise busy()
        loop = asyncio.get_running_loop()
        asked: _Asked[Wished, Made] = _Asked(wish, loop.create_future())
        line.waiting.append(asked)
        loop.call_soon(self._serve_next, event_id)
        try:
            return await asked.answer
        finally:
            del asked  # a refusal holds this frame: with its own answer in it that would be a cycle

    def _serve_next(self, event_id: UUID) -> None:
        line = self._lines.get(event_id)
        while line and line.batches < BATCHES_MAX and (batch := line.take()):
            task = asyncio.create_task(self._serve(event_id, line, batch))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            line.batches += 1
            line.needed.update(*(asked.wish.needs for asked in batch))

    async def _serve(
        self, event_id: UUID, line: _Line[Wished, Made], batch: list[_Asked[Wished, Made]]
    ) -> None:
        BATCHES.labels(self._called).observe(len(batch))
        try:
            with span("batch", links=[asked.span for asked in batch], of=self._called, wishes=len(batch)):
                await self._answer(event_id, batch)
        except Exception as error:
            log.warning("%d wishes are served one by one: %r", len(batch), error)
            lost = is_connection_lost(error)
            for asked in batch:
                must_not_repeat = lost and asked.wish.key is None
                asked.reply(Unavailable() if must_not_repeat else None)
        finally:
            line.batches -= 1
            line.needed.difference_update(*(asked.wish.needs for asked in batch))
            if not line.waiting and not line.batches:
                self._lines.pop(event_id, None)
            self._serve_next(event_id)

    async def _answer(self, event_id: UUID, batch: list[_Asked[Wished, Made]]) -> None:
        """Serve all of them, or all but those whom the step leaves out; of a try that did nothing stays."""
        while batch:
            try:
                async with self._database.transaction(lock_timeout_ms=LOCK_TIMEOUT_MS) as tx:
                    made = await self._step(tx, event_id, [asked.wish for asked in batch])
            except LeftOut as out:
                for asked in batch:
                    if asked.wish.order_id in out.answers:
                        asked.reply(out.answers[asked.wish.order_id])
                batch = [asked for asked in batch if asked.wish.order_id not in out.answers]
            else:
                for asked, answer in zip(batch, made, strict=True):
                    asked.reply(answer)
                return
