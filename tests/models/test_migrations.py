"""The migrations make exactly the tables that the models describe, and can be taken back."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from alembic import command
from asyncpg import connect
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import embedded
from models import migrations


@asynccontextmanager
async def empty_database(servers: embedded.Servers) -> AsyncIterator[str]:
    name = f"migrations_{uuid4().hex}"
    admin = await connect(servers.database_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield servers.database_url.rpartition("/")[0] + f"/{name}"
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def run(url: str, work: object) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(work)  # type: ignore[arg-type]
    await engine.dispose()


def dump(servers: embedded.Servers, url: str) -> list[str]:
    """The schema as SQL, without what differs by chance."""
    command_line = [servers.bin_dir / "pg_dump", "--schema-only", "--no-owner", "-T", "alembic_version", url]
    text = subprocess.run(command_line, check=True, capture_output=True, text=True).stdout
    return [line for line in text.splitlines() if not line.startswith(("--", "\\")) and line]


async def test_the_migrations_equal_the_models(servers: embedded.Servers) -> None:
    async with empty_database(servers) as migrated, empty_database(servers) as created:
        await run(migrated, migrations.upgrade)
        await run(created, SQLModel.metadata.create_all)
        assert dump(servers, migrated) == dump(servers, created)


async def test_migrating_twice_changes_nothing_and_back_leaves_nothing(
    servers: embedded.Servers,
) -> None:
    def back(connection: Connection) -> None:
        assert migrations.is_current(connection)
        command.downgrade(migrations._config(connection), "base")
        assert not migrations.is_current(connection)

    async with empty_database(servers) as url:
        await run(url, migrations.upgrade)
        await run(url, migrations.upgrade)
        await run(url, back)
        assert not [line for line in dump(servers, url) if line.startswith("CREATE ")]
