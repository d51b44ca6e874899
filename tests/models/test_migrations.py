"""The migrations make exactly the tables that the models describe, and can be taken back."""

import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

from alembic import command
from asyncpg import connect
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import embedded
from models import migrations
from models.webhook_endpoints import BROKER_ID


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


async def test_what_was_there_before_the_broker_stays_and_goes_back_without_it(
    servers: embedded.Servers,
) -> None:
    def to(revision: str) -> Callable[[Connection], None]:
        return lambda connection: command.upgrade(migrations._config(connection), revision)

    def back(connection: Connection) -> None:
        command.downgrade(migrations._config(connection), "0013")

    async with empty_database(servers) as url:
        await run(url, to("0013"))
        connection = await connect(url)
        await connection.execute(
            """INSERT INTO users (id, email, username) VALUES (gen_random_uuid(), 'ann@example.com', 'ann');
            INSERT INTO webhook_endpoints (id, url, kinds, secret) VALUES
                (gen_random_uuid(), 'https://hook.example', '{order.expired}', 'sealed');
            INSERT INTO deliveries (owner_id, id, kind, recipient, sealed)
                SELECT id, id, 'WEBHOOK', id::text, 'sealed' FROM webhook_endpoints"""
        )
        theirs = (
            "SELECT e.*, d.* FROM webhook_endpoints e JOIN deliveries d ON d.owner_id = e.id ORDER BY e.id"
        )
        before = await connection.fetch(theirs)
        await run(url, to("head"))
        assert await connection.fetch(theirs) == before
        assert await connection.fetchval("SELECT language FROM users") == "en"
        await connection.execute(
            f"""INSERT INTO webhook_endpoints (id, url, kinds)
                VALUES ('{BROKER_ID}', 'amqp:', '{{order.expired}}');
            INSERT INTO deliveries (owner_id, id, kind, recipient, sealed)
                VALUES ('{BROKER_ID}', gen_random_uuid(), 'AMQP', '{BROKER_ID}', 'sealed')"""
        )
        await run(url, back)
        assert await connection.fetch(theirs) == before
        await connection.close()
