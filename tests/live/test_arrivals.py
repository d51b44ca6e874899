"""What arrives while somebody watches: each once, also what was committed late, in bounded memory."""

import time
from collections.abc import AsyncIterator
from uuid import UUID

from asyncpg import PostgresConnectionError

from database import Database, Transaction
from dataloaders.loads import NOTIFICATIONS_AT_ONCE_MAX, Loads
from live.arrivals import LATE_SECONDS_MAX, REMEMBERED_MAX, Arrivals, arriving
from models.columns import first_id_at, new_id
from models.notifications import Notification, NotificationKind
from models.users import User
from steps.notify import Notice, notify
from tests.world import new_user

KIND = NotificationKind.TOP_UP_SUCCEEDED


async def write(tx: Transaction, user: User, many: int = 1) -> None:
    await notify(tx, *(Notice(user.id, KIND) for _ in range(many)))


async def written(database: Database, user: User, many: int = 1) -> None:
    async with database.transaction() as tx:
        await write(tx, user, many)


async def ids_in_order(database: Database) -> list[UUID]:
    return [row["id"] for row in await database.rows("SELECT id FROM notifications ORDER BY id")]


async def test_what_is_committed_late_arrives_late_and_once(database: Database) -> None:
    alice, look = await new_user(database), Loads(database).notifications_since.load
    told: list[UUID] = []
    async with database.transaction() as tx:
        await write(tx, alice)
        await tx.rows("UPDATE notifications SET id = $1", first_id_at(time.time() - 1))
    arrivals = Arrivals()
    async with database.transaction() as tx:
        await write(tx, alice)
        await written(database, alice)
        told += [row.id for row in await arrivals.new(look, alice.id)]
    for _ in range(2):
        told += [row.id for row in await arrivals.new(look, alice.id)]
    _, late, first = await ids_in_order(database)
    assert told == [first, late]


async def test_what_began_before_the_watch_and_ended_after_its_first_look_arrives(database: Database) -> None:
    alice, look = await new_user(database), Loads(database).notifications_since.load
    async with database.transaction() as tx:
        await write(tx, alice)
        await tx.rows("UPDATE notifications SET id = $1", first_id_at(time.time() - 1))
        arrivals = Arrivals()
        assert await arrivals.new(look, alice.id) == []
    assert [row.id for row in await arrivals.new(look, alice.id)] == await ids_in_order(database)


async def test_what_is_written_between_the_start_and_the_first_look_arrives(database: Database) -> None:
    alice, bob = await new_user(database), await new_user(database)
    arrivals = Arrivals()
    await written(database, alice)
    await written(database, bob)
    (row,) = await arrivals.new(Loads(database).notifications_since.load, alice.id)
    assert row.user_id == alice.id


async def test_of_very_many_each_arrives_once_and_few_are_remembered(database: Database) -> None:
    alice, look = await new_user(database), Loads(database).notifications_since.load
    told: list[UUID] = []
    arrivals = Arrivals()
    await written(database, alice, NOTIFICATIONS_AT_ONCE_MAX + 600)
    while new := await arrivals.new(look, alice.id):
        told += [row.id for row in new]
        assert arrivals.remembered <= REMEMBERED_MAX
    assert told == await ids_in_order(database)


async def test_a_fault_that_passes_only_delays_what_arrives() -> None:
    alice_id, id = new_id(), first_id_at(4_000_000_000)
    answers: list[list[Notification] | Exception] = [[], PostgresConnectionError(), [_row(alice_id, id)]]

    async def look(key: tuple[UUID, UUID]) -> list[Notification]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ticks() -> AsyncIterator[None]:
        for _ in range(3):
            yield None

    assert [row.id async for row in arriving(ticks(), look, alice_id)] == [id]


async def test_what_is_remembered_is_of_the_last_minute(database: Database) -> None:
    alice, look = await new_user(database), Loads(database).notifications_since.load
    arrivals = Arrivals()
    await written(database, alice)
    assert len(await arrivals.new(look, alice.id)) == 1
    async with database.transaction() as tx:
        await tx.rows("UPDATE notifications SET id = $1", first_id_at(time.time() - LATE_SECONDS_MAX - 1))
        await write(tx, alice)
    assert len(await arrivals.new(look, alice.id)) == 1


def _row(user_id: UUID, id: UUID) -> Notification:
    return Notification(user_id=user_id, id=id, kind=KIND)
