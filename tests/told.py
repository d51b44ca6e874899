"""What people are notified of, as it stands in their rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncpg import Record

from database import Database
from models.users import User


async def notices(database: Database) -> list[Record]:
    """All notifications, each person's in their order."""
    return list(await database.rows("SELECT * FROM notifications ORDER BY user_id, id"))


@asynccontextmanager
async def telling(database: Database) -> AsyncIterator[list[Record]]:
    """A list that has what was written within the block, once it has ended."""
    before, new = {row["id"] for row in await notices(database)}, list[Record]()
    yield new
    new += [row for row in await notices(database) if row["id"] not in before]


async def kinds_of(database: Database, user: User) -> list[str]:
    """What somebody was notified of, the oldest first."""
    return [row["kind"] for row in await notices(database) if row["user_id"] == user.id]
