"""The engine, transactions and reading sessions: the only owner of connections to PostgreSQL."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from asyncpg import Record
from sqlalchemy import Connection, PoolProxiedConnection, event, text
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.util.concurrency import greenlet_spawn
from sqlmodel.ext.asyncio.session import AsyncSession

from models.migrations import is_current, upgrade
from observing.metrics import SEATS_HELD, SEATS_SOLD
from observing.tracing import span
from settings import Settings

POOL_WAIT_SECONDS = 5
READING_POOL_SIZE_MAX = 10

GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    OSError,
)
"""How the driver says that the server has gone from a connection."""


class Pool(NamedTuple):
    """How many connections a pool may have and has lent out, and how many wait for one."""

    size: int
    in_use: int
    waiting: int


@dataclass
class Transaction:
    """One open transaction: statements for the hot path, and a session for everything else.

    `changed_events` are the events whose seats it changed; whoever commits wakes the relay for them.
    `ended_sessions` are the sessions that it ended; whoever commits knows them from then on.
    `touched` are the topics of single things that it changed; whoever commits wakes those who watch them.
    `seats_held` and `seats_sold` are how many it held and sold, for the metrics.
    `may_wait` says that a first try found rows in flight, so that this one had better wait for them.
    """

    driver: "asyncpg.Connection[Record]"
    _session_of: Callable[[], AsyncSession]
    changed_events: set[UUID] = field(default_factory=set)
    ended_sessions: set[UUID] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    seats_held: int = 0
    seats_sold: int = 0
    may_wait: bool = False

    @cached_property
    def session(self) -> AsyncSession:
        """The session of this transaction; what it still has to say is flushed before the commit."""
        return self._session_of()

    async def flush(self) -> None:
        if "session" in self.__dict__:
            await self.session.flush()

    async def rows(self, statement: str, *values: object) -> Sequence[Record]:
        """Run a statement on the driver and return what it returns."""
        rows: Sequence[Record] = await self.driver.fetch(statement, *values)
        return rows

    async def row(self, statement: str, *values: object) -> Record | None:
        """Run a statement on the driver and return its first row."""
        return await self.driver.fetchrow(statement, *values)

    async def value(self, statement: str, *values: object) -> Any:
        """Run a statement on the driver and return the first value of its first row."""
        return await self.driver.fetchval(statement, *values)


class Database:
    """Two bounded pools on one PostgreSQL: one that writes, and one that can only read.

    `on_commit` is called with the events whose seats a transaction changed, once it is committed;
    `on_sessions_ended` likewise with the sessions that it ended, `on_touched` with the topics it touched.
    """

    def __init__(self, settings: Settings) -> None:
        self.on_commit: Callable[[set[UUID]], None] = lambda _: None
        self.on_sessions_ended: Callable[[set[UUID]], None] = lambda _: None
        self.on_touched: Callable[[set[str]], None] = lambda _: None
        # A writer finds its rows by key. On tables that have just begun to fill, the planner knows nothing
        # yet and would rather read them whole, for every row again; and it would plan a statement with short
        # arrays anew each time, which takes longer than to run it.
        self.writing = _engine(
            settings, settings.database_pool_size, enable_seqscan="off", plan_cache_mode="force_generic_plan"
        )
        readers = min(settings.database_pool_size, READING_POOL_SIZE_MAX)
        self.readers = _engine(settings, readers, default_transaction_read_only="on")

    @asynccontextmanager
    async def transaction(self, *, lock_timeout_ms: int | None = None) -> AsyncIterator[Transaction]:
        """Open a transaction; leaving the block commits it, an exception rolls it back.

        It is begun and ended on the driver itself, with SQLAlchemy in autocommit: so raw statements and the
        session share it, and neither can end it. `lock_timeout_ms` is for one that waits less than others.
        """
        begin = "BEGIN"
        if lock_timeout_ms is not None:
            begin += f"; SET LOCAL lock_timeout = {lock_timeout_ms:d}"
        with span("transaction"):
            async with self._begun(begin) as transaction:
                driver = transaction.driver
                try:
                    yield transaction
                    await transaction.flush()
                except BaseException:
                    if not driver.is_closed():
                        await driver.execute("ROLLBACK")
                    raise
                await driver.execute("COMMIT")
        SEATS_HELD.inc(transaction.seats_held)
        SEATS_SOLD.inc(transaction.seats_sold)
        if transaction.changed_events:
            self.on_commit(transaction.changed_events)
        if transaction.ended_sessions:
            self.on_sessions_ended(transaction.ended_sessions)
        if transaction.touched:
            self.on_touched(transaction.touched)

    @asynccontextmanager
    async def _begun(self, begin: str) -> AsyncIterator[Transaction]:
        """Begin on a connection of the pool; when its server turns out to have gone meanwhile, on another."""
        for may_try_again in (True, False):
            async with _borrowed(self.writing) as borrowed:
                driver = _driver(borrowed)
                try:
                    await driver.execute(begin)
                except GONE:
                    if not may_try_again:
                        raise
                    await greenlet_spawn(borrowed.invalidate)
                else:
                    yield Transaction(driver, partial(_session, self.writing, borrowed))
                    return

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a short session that can only read; each statement sees what is committed when it starts."""
        async with AsyncSession(self.readers, expire_on_commit=False, autoflush=False) as session:
            yield session

    async def rows(self, statement: str, *values: object, kind: type[Record] = Record) -> Sequence[Record]:
        """Read rows with one raw statement, as records of this kind."""
        async with _borrowed(self.readers) as borrowed:
            found: Sequence[Record] = await _driver(borrowed).fetch(statement, *values, record_class=kind)
            return found

    async def migrate(self) -> None:
        """Bring the schema up to date, in one transaction."""
        async with self.writing.connect() as autocommitting:
            connection = await autocommitting.execution_options(isolation_level="READ COMMITTED")
            async with connection.begin():
                for limit in ("lock_timeout", "statement_timeout"):
                    await connection.execute(text(f"SET LOCAL {limit} = 0"))
                await connection.run_sync(upgrade)

    async def is_migrated(self) -> bool:
        """Say whether the schema is exactly the one of this release."""
        async with self.readers.connect() as connection:
            return await connection.run_sync(is_current)

    @property
    def pools(self) -> dict[str, Pool]:
        """How full each pool is now."""
        return {"writing": _pool(self.writing), "reading": _pool(self.readers)}

    async def close(self) -> None:
        await self.writing.dispose()
        await self.readers.dispose()


def _engine(settings: Settings, size: int, **server_settings: str) -> AsyncEngine:
    assert settings.database_url, "a server needs a database"
    limits = {
        "application_name": "rowlock",
        "timezone": "UTC",
        "jit": "off",
        "lock_timeout": str(settings.lock_timeout_ms),
        "statement_timeout": str(settings.statement_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
        **server_settings,
    }
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(asyncpg.connect, settings.database_url, server_settings=limits),
        isolation_level="AUTOCOMMIT",
        pool_size=size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,
    )
    event.listen(engine.sync_engine, "checkout", _replace_if_unfit)
    return engine


def _pool(engine: AsyncEngine) -> Pool:
    pool: Any = engine.pool
    waiting = getattr(pool._pool._queue, "_getters", ())  # nothing that is public says who waits
    return Pool(pool.size(), pool.checkedout(), len(waiting))


def _replace_if_unfit(connection: Any, *_: object) -> None:
    """Make the pool open another connection for one that the server closed, or that a task that was
    cancelled left in a transaction: its locks would stay, and the next COMMIT would keep its work."""
    driver = connection.driver_connection
    if driver.is_closed() or driver.is_in_transaction():
        raise DisconnectionError


@asynccontextmanager
async def _borrowed(engine: AsyncEngine) -> AsyncIterator[PoolProxiedConnection]:
    """A connection of the pool, without SQLAlchemy's own, which costs as much as a short statement."""
    borrowed = await engine.raw_connection()
    try:
        yield borrowed
    finally:
        await greenlet_spawn(borrowed.close)


def _driver(borrowed: PoolProxiedConnection) -> "asyncpg.Connection[Record]":
    assert borrowed.driver_connection is not None
    driver: asyncpg.Connection[Record] = borrowed.driver_connection
    return driver


def _session(engine: AsyncEngine, borrowed: PoolProxiedConnection) -> AsyncSession:
    connection = AsyncConnection(engine, Connection(engine.sync_engine, borrowed))
    return AsyncSession(connection, expire_on_commit=False, autoflush=False)
