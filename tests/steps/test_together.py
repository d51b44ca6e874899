"""Who arrives together is served together, and nobody's trouble is another's."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from database import Database, Transaction
from models.columns import new_id
from steps.idempotency import Key
from steps.refusals import InFlight, RefusalCode, Refused
from steps.together import LeftOut, Together
from steps.transact import Unavailable
from tests.world import refusal_of

EVENT = new_id()


@dataclass(frozen=True)
class Wish:
    needs: frozenset[str]
    key: Key | None = None
    order_id: UUID = field(default_factory=new_id)


def wish(*needs: str, key: Key | None = None) -> Wish:
    return Wish(frozenset(needs), key)


Served = Callable[[Transaction, Sequence[Wish]], Awaitable[None]]


class Counter:
    """A counter that serves wishes, remembers each batch, and opens when it is told to."""

    def __init__(self, database: Database, served: Served | None = None) -> None:
        self.batches: list[list[Wish]] = []
        self.open = asyncio.Event()
        self._served = served
        self.together: Together[Wish, UUID] = Together(database, self._step)

    async def _step(self, tx: Transaction, event_id: UUID, wishes: Sequence[Wish]) -> list[UUID]:
        self.batches.append(list(wishes))
        await self.open.wait()
        if self._served:
            await self._served(tx, wishes)
        return [wish.order_id for wish in wishes]

    def ask(self, wish: Wish) -> "asyncio.Task[UUID | None]":
        return asyncio.create_task(self.together.ask(EVENT, wish))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_who_arrives_at_once_shares_a_transaction_and_gets_an_answer_of_their_own(
    database: Database,
) -> None:
    counter, wishes = Counter(database), [wish("a"), wish("b"), wish("c")]
    counter.open.set()
    assert await asyncio.gather(*map(counter.ask, wishes)) == [wish.order_id for wish in wishes]
    assert counter.batches == [wishes]


async def test_who_needs_the_same_is_served_one_after_the_other_and_first_come_first_served(
    database: Database,
) -> None:
    counter = Counter(database)
    wishes = [wish("a", "b"), wish("b"), wish("c"), wish("b", "c"), wish("d")]
    asked = [counter.ask(each) for each in wishes]
    await until(lambda: len(counter.batches) == 1)
    assert counter.batches == [[wishes[0], wishes[2], wishes[4]]]
    counter.open.set()
    await asyncio.gather(*asked)
    assert counter.batches[1:] == [[wishes[1]], [wishes[3]]]


async def test_so_many_are_served_at_once_and_the_rest_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steps.together.BATCHES_MAX", 2)
    monkeypatch.setattr("steps.together.WISHES_PER_BATCH_MAX", 3)
    monkeypatch.setattr("steps.together.WISHES_WAITING_MAX", 4)
    counter = Counter(database)
    asked = [counter.ask(wish(str(number))) for number in range(4)]
    await until(lambda: len(counter.batches) == 2)
    asked += [counter.ask(wish(f"later {number}")) for number in range(5)]
    refused = await refusal_of(asked.pop())
    assert (refused.code, refused.retry_after_seconds) == (RefusalCode.BUSY, 1)
    assert sorted(map(len, counter.batches)) == [1, 3]
    counter.open.set()
    assert None not in await asyncio.gather(*asked)
    assert sorted(map(len, counter.batches)) == [1, 1, 3, 3]


@pytest.mark.parametrize("number", range(3))
async def test_who_is_left_out_leaves_nothing_and_does_not_trouble_the_others(
    database: Database, number: int
) -> None:
    wishes = [wish("a"), wish("b"), wish("c")]
    answers = [None, InFlight(RefusalCode.BUSY), Refused(RefusalCode.SEAT_UNAVAILABLE)]

    async def served(tx: Transaction, batch: Sequence[Wish]) -> None:
        await tx.rows("INSERT INTO buyers SELECT $1, unnest($2::uuid[])", EVENT, [w.order_id for w in batch])
        if wishes[number] in batch:
            raise LeftOut({wishes[number].order_id: answers[number]})

    counter = Counter(database, served)
    counter.open.set()
    found = await asyncio.gather(*map(counter.ask, wishes), return_exceptions=True)
    others = [each.order_id for each in wishes if each is not wishes[number]]
    expected = answers[number] if number == 2 else None
    assert found == [expected if each is wishes[number] else each.order_id for each in wishes]
    kept = await database.rows("SELECT user_id FROM buyers ORDER BY user_id")
    assert [row["user_id"] for row in kept] == sorted(others)


async def test_a_batch_that_fails_is_served_one_by_one(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def served(tx: Transaction, _: Sequence[Wish]) -> None:
        await tx.rows("SELECT 1 / 0")

    counter = Counter(database, served)
    counter.open.set()
    assert await asyncio.gather(*map(counter.ask, [wish("a"), wish("b")])) == [None, None]
    assert "2 wishes are served one by one" in caplog.text


async def test_a_lost_connection_may_only_be_tried_again_under_a_key(database: Database) -> None:
    async def served(tx: Transaction, _: Sequence[Wish]) -> None:
        await tx.rows("SELECT pg_terminate_backend(pg_backend_pid())")

    counter = Counter(database, served)
    counter.open.set()
    without, keyed = wish("a"), wish("b", key=Key.of(new_id(), "pay", "k", {}))
    # The first statement takes the key, so what fails here is after it.
    found = await asyncio.gather(counter.ask(without), counter.ask(keyed), return_exceptions=True)
    assert isinstance(found[0], Unavailable)
    assert found[1] is None


async def test_who_goes_away_does_not_trouble_the_others(database: Database) -> None:
    counter = Counter(database)
    gone, stays = counter.ask(wish("a")), counter.ask(wish("b"))
    await until(lambda: bool(counter.batches))
    gone.cancel()
    counter.open.set()
    assert await stays is not None
    assert gone.cancelled()


async def test_nobody_in_a_batch_waits_long_for_a_lock(database: Database) -> None:
    buyer = new_id()

    async def served(tx: Transaction, _: Sequence[Wish]) -> None:
        await tx.rows("INSERT INTO buyers VALUES ($1, $2) ON CONFLICT DO NOTHING", EVENT, buyer)

    counter = Counter(database, served)
    counter.open.set()
    async with database.transaction() as holder:
        await holder.rows("INSERT INTO buyers VALUES ($1, $2)", EVENT, buyer)
        assert await counter.ask(wish("a")) is None
        assert await holder.value("SHOW lock_timeout") != "20ms"


async def test_events_do_not_wait_for_each_other_and_nothing_is_kept_of_them(database: Database) -> None:
    counter, ids = Counter(database), [new_id() for _ in range(5)]
    asked = [asyncio.create_task(counter.together.ask(id, wish("a"))) for id in ids]
    await until(lambda: len(counter.batches) == len(ids))
    counter.open.set()
    await asyncio.gather(*asked)
    await until(lambda: not counter.together._lines and not counter.together._serving)
