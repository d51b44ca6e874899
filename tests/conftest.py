"""Real servers for the whole run, one database for each process of it, emptied after each test."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from asyncpg import connect
from sqlmodel import SQLModel

import embedded
import live.news
import models  # noqa: F401  (fills the metadata)
from database import Database
from settings import Settings, read_settings
from settings.rates import RATES
from tests import rabbitmq
from tests.broker import named
from tests.live.valkey import Valkey
from tests.serving import Server, serving
from tests.shell import Shell, shell_in

FILLED = " UNION ALL ".join(
    f"(SELECT '{name}' WHERE EXISTS (SELECT FROM {name}))" for name in SQLModel.metadata.tables
)


@pytest.fixture(scope="session")
def servers() -> Iterator[embedded.Servers]:
    """Throw-away servers, or those that DATABASE_URL and REDIS_URL name."""
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        bin_dir = embedded._site() / embedded.POSTGRES / "bin"
        yield embedded.Servers(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], bin_dir)
    else:
        with embedded.throwaway() as started:
            yield started


@pytest.fixture(scope="session")
async def settings(servers: embedded.Servers, worker_id: str) -> AsyncIterator[Settings]:
    """Settings of a migrated database of this process's own."""
    name = f"rowlock_test_{worker_id}_{os.getpid()}"
    admin = await connect(servers.database_url)
    await admin.execute(f'CREATE DATABASE "{name}"')
    url = servers.database_url.rpartition("/")[0] + f"/{name}"
    settings = read_settings(
        database_url=url,
        redis_url=servers.redis_url,
        mode="development",
        cost_per_minute_max=2**31 - 1,
        jobs_in_server=False,  # what a job does meanwhile is no part of a test that did not ask for it
        **dict.fromkeys(RATES, ""),  # the tests are one guesser of many passwords
    )
    database = Database(settings)
    await database.migrate()
    await database.close()
    yield settings
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()


@pytest.fixture(scope="session")
def busy(settings: Settings) -> Settings:
    """Settings of a server that does the jobs beside its requests, as servers do unless told otherwise."""
    return settings.model_copy(update={"jobs_in_server": True})


@pytest.fixture(scope="session")
def redis_url(servers: embedded.Servers) -> str:
    return servers.redis_url


@pytest.fixture(scope="session")
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings)
    yield database
    await database.close()


@pytest.fixture
async def database(_database: Database) -> AsyncIterator[Database]:
    """A database with nothing in it; what a test commits is gone after it."""
    yield _database
    _database.on_commit = lambda _: None
    _database.on_sessions_ended = lambda _: None
    _database.on_touched = lambda _: None
    async with _database.transaction() as tx:
        filled = {row[0] for row in await tx.rows(FILLED)}
        for table in reversed(SQLModel.metadata.sorted_tables):
            if table.name in filled:  # a TRUNCATE of all the tables takes longer than most tests
                await tx.rows(f"DELETE FROM {table.name}")


@pytest.fixture
def never_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who watches a single thing looks again only when they are told to."""
    monkeypatch.setattr(live.news, "LOOK_SECONDS", 3_600)


@pytest.fixture
async def server(database: Database, settings: Settings) -> AsyncIterator[Server]:
    """A real server on the database of the test."""
    async with serving(settings) as running:
        yield running


@pytest.fixture(scope="session")
def rabbitmq_url(testrun_uid: str) -> Iterator[str]:
    """The RabbitMQ of this run; without one on this machine the test is skipped, and says so."""
    if not rabbitmq.is_installed():
        pytest.skip(rabbitmq.NOT_HERE)
    with rabbitmq.running(testrun_uid) as url:
        yield url


@pytest.fixture
def with_broker(settings: Settings, rabbitmq_url: str) -> Settings:
    """Settings with that broker, and an exchange of the test's own."""
    return named(settings, rabbitmq_url)


@pytest.fixture
async def valkey() -> AsyncIterator[Valkey]:
    """A Valkey of the test's own, to be killed in the middle of it."""
    server = Valkey()
    await server.start()
    yield server
    await server.kill()


@pytest.fixture
async def shell(
    servers: embedded.Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shell]:
    """A folder and a database to run commands in."""
    monkeypatch.chdir(tmp_path)
    async with shell_in(servers, tmp_path) as shell:
        yield shell
