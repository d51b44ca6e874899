"""Transactions that are whole, readers that cannot write, and connections that are replaced."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import sqlalchemy.exc
from sqlmodel import select

import embedded
from database import GONE, Database
from models.catalogue import Venue
from settings import Settings
from tests.world import until_somebody_waits


@pytest.fixture
async def small(settings: Settings, database: Database) -> AsyncIterator[Database]:
    """A database with few connections, on the tables that are emptied after the test."""
    few = Database(settings.model_copy(update={"database_pool_size": 2}))
    yield few
    await few.close()


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


async def test_a_reading_session_cannot_write_either(database: Database) -> None:
    async with database.reading() as session:
        session.add(Venue(name="c", address="d"))
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only transaction"):
            await session.flush()
    assert await venues(database) == 0


async def test_a_reading_session_sees_what_is_committed_while_it_is_open(database: Database) -> None:
    async with database.reading() as session:
        assert not (await session.exec(select(Venue))).all()
        async with database.transaction() as tx:
            tx.session.add(Venue(name="c", address="d"))
            await tx.session.flush()
            assert not (await session.exec(select(Venue))).all()
        assert len((await session.exec(select(Venue))).all()) == 1


async def test_a_statement_that_fails_takes_the_whole_transaction_with_it(database: Database) -> None:
    with pytest.raises(asyncpg.DivisionByZeroError):
        async with database.transaction() as tx:
            await tx.rows("INSERT INTO venues (id, name, address) VALUES (gen_random_uuid(), 'a', 'b')")
            await tx.rows("SELECT 1/0")
    left_open = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE '% in tr%'"
    assert not await database.rows(left_open)
    assert await venues(database) == 0


@pytest.mark.parametrize("attempt", range(5))
async def test_a_connection_that_the_server_closed_is_replaced(small: Database, attempt: int) -> None:
    async with small.transaction() as tx:
        pid = await tx.value("SELECT pg_backend_pid()")
    await small.rows("SELECT pg_terminate_backend($1)", pid)
    for _ in range(3):
        async with small.transaction() as tx:
            assert await tx.value("SELECT pg_backend_pid()") != pid


async def test_a_reading_connection_that_the_server_closed_is_replaced(small: Database) -> None:
    async with small.readers.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
    async with small.transaction() as tx:
        await tx.rows("SELECT pg_terminate_backend($1)", driver.get_server_pid())
    async with asyncio.timeout(10):
        while not driver.is_closed():
            await asyncio.sleep(0)
    assert await venues(small) == 0


async def test_a_transaction_that_the_server_ends_leaves_a_pool_that_works(small: Database) -> None:
    with pytest.raises(GONE):
        async with small.transaction() as tx:
            pid = await tx.value("SELECT pg_backend_pid()")
            await tx.rows("INSERT INTO venues (id, name, address) VALUES (gen_random_uuid(), 'a', 'b')")
            await small.rows("SELECT pg_terminate_backend($1)", pid)
            await tx.rows("SELECT 1")
    async with small.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM venues") == 0


async def test_a_connection_that_was_left_in_a_transaction_is_replaced_and_rolled_back(
    small: Database,
) -> None:
    async with small.writing.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("BEGIN")
        await driver.execute("INSERT INTO venues (id, name, address) VALUES (gen_random_uuid(), 'a', 'b')")
    async with small.transaction() as tx:
        assert await tx.value("SELECT count(*) FROM venues") == 0
    assert await venues(small) == 0


async def test_a_task_that_is_cancelled_in_a_transaction_leaves_nothing(small: Database) -> None:
    async def write_and_wait() -> None:
        async with small.transaction() as tx:
            await tx.rows("INSERT INTO venues (id, name, address) VALUES (gen_random_uuid(), 'a', 'b')")
            await tx.rows("SELECT pg_advisory_xact_lock(1)")

    async with small.transaction() as tx:
        await tx.rows("SELECT pg_advisory_xact_lock(1)")
        writing = asyncio.create_task(write_and_wait())
        await until_somebody_waits(small)
        writing.cancel()
        await asyncio.wait([writing])
    async with small.transaction() as first, small.transaction() as second:
        assert await first.value("SELECT count(*) FROM venues") == 0
        assert await second.value("SELECT count(*) FROM venues") == 0


async def test_two_apps_have_a_database_each(
    database: Database, settings: Settings, servers: embedded.Servers
) -> None:
    name = f"second_{uuid4().hex}"
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"CREATE DATABASE {name}")
    url = servers.database_url.rpartition("/")[0] + f"/{name}"
    second = Database(settings.model_copy(update={"database_url": url}))
    try:
        assert not await second.is_migrated()
        await second.migrate()
        async with database.transaction() as here, second.transaction() as there:
            here.session.add(Venue(name="here", address="b"))
            there.session.add(Venue(name="there", address="b"))
            there.session.add(Venue(name="there too", address="b"))
        assert (await venues(database), await venues(second)) == (1, 2)
    finally:
        await second.close()
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def test_limits_are_set_on_every_connection(settings: Settings) -> None:
    limits = {
        "lock_timeout_ms": 1234,
        "statement_timeout_ms": 4321,
        "idle_in_transaction_timeout_ms": 3456,
    }
    database = Database(settings.model_copy(update=limits))
    names = (
        "lock_timeout",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "synchronous_commit",
        "timezone",
        "transaction_isolation",
    )
    async with database.transaction() as tx:
        writing = [await tx.value(f"SHOW {name}") for name in names]
    reading = [(await database.rows(f"SHOW {name}"))[0][0] for name in names]
    assert writing == reading == ["1234ms", "4321ms", "3456ms", "on", "UTC", "read committed"]
    await database.close()


async def test_a_migration_may_take_longer_than_a_request(settings: Settings) -> None:
    hurried = Database(settings.model_copy(update={"lock_timeout_ms": 20, "statement_timeout_ms": 100}))
    patient = Database(settings)
    async with patient.transaction() as first:
        await first.rows("LOCK TABLE alembic_version")
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with hurried.transaction() as tx:
                await tx.rows("SELECT 1 FROM alembic_version")
        migrating = asyncio.create_task(hurried.migrate())
        await until_somebody_waits(patient)
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with hurried.transaction() as tx:
                await tx.rows("SELECT 1 FROM alembic_version")
        assert not migrating.done()
    await migrating
    await hurried.close()
    await patient.close()


async def test_the_schema_is_known_to_be_of_this_release(database: Database) -> None:
    assert await database.is_migrated()
    await database.migrate()
    assert await database.is_migrated()
