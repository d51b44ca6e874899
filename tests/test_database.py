"""Transactions that are whole, readers that cannot write, and connections that are replaced."""

import asyncpg
import pytest

from database import Database
from models.catalogue import Venue
from settings import Settings


async def venues(database: Database) -> int:
    return len(await database.rows("SELECT 1 FROM venues"))


async def test_a_raw_statement_and_the_sessions_work_are_rolled_back_together(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            await tx.rows("INSERT INTO venues (id, name, address) VALUES (gen_random_uuid(), 'a', 'b')")
            tx.session.add(Venue(name="c", address="d"))
            await tx.session.flush()
            assert await tx.value("SELECT count(*) FROM venues") == 2
            raise ZeroDivisionError
    assert await venues(database) == 0


async def test_what_a_session_still_has_to_say_is_said_before_the_commit(database: Database) -> None:
    async with database.transaction() as tx:
        tx.session.add(Venue(name="c", address="d"))
    assert await venues(database) == 1


async def test_a_commit_tells_which_events_changed_and_a_rollback_tells_nothing(database: Database) -> None:
    told: list[set[object]] = []
    database.on_commit = told.append  # type: ignore[assignment]
    async with database.transaction() as tx:
        tx.changed_events.add("an event")  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as tx:
            tx.changed_events.add("another")  # type: ignore[arg-type]
            raise ZeroDivisionError
    async with database.transaction():
        pass
    assert told == [{"an event"}]


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await database.rows("INSERT INTO venues (id, name, address) VALUES (gen_random_uuid(), 'a', 'b')")


async def test_a_connection_that_the_server_closed_is_replaced(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"database_pool_size": 2}))
    async with database.transaction() as tx:
        pid = await tx.value("SELECT pg_backend_pid()")
    await database.rows("SELECT pg_terminate_backend($1)", pid)
    for _ in range(3):
        async with database.transaction() as tx:
            assert await tx.value("SELECT pg_backend_pid()") != pid
    await database.close()


async def test_limits_are_set_on_every_connection(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"lock_timeout_ms": 1234, "statement_timeout_ms": 4321}))
    async with database.transaction() as tx:
        shown = [
            await tx.value(f"SHOW {name}")
            for name in ("lock_timeout", "statement_timeout", "synchronous_commit", "timezone")
        ]
    assert shown == ["1234ms", "4321ms", "on", "UTC"]
    await database.close()


async def test_the_schema_is_known_to_be_of_this_release(database: Database) -> None:
    assert await database.is_migrated()
    await database.migrate()
    assert await database.is_migrated()
