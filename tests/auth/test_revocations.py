"""Ended sessions are known to every process: at once to the one that ended them, soon to all others."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

import auth.revocations
from auth.revocations import CHANNEL, ENDED_LATELY, Revocations, SessionEnded
from auth.tokens import TokenExpired
from auth.viewer import Viewer
from database import Database
from live.bus import Bus
from models.sessions import SessionEnd
from settings import Settings
from steps.end_sessions import end_sessions
from steps.transact import transact
from tests.live.valkey import Valkey
from tests.people import logged_in
from tests.world import new_user

LIFETIME_SECONDS = 900


def viewer(session_id: UUID, expires_in: float = LIFETIME_SECONDS) -> Viewer:
    return Viewer(uuid4(), frozenset(), session_id, time.time() + expires_in)


def is_ended(process: Revocations, session_id: UUID) -> bool:
    try:
        process.refuse_ended(viewer(session_id))
    except SessionEnded:
        return True
    return False


async def until_ended(process: Revocations, session_id: UUID) -> None:
    async with asyncio.timeout(10):
        while not is_ended(process, session_id):
            await asyncio.sleep(0)


@asynccontextmanager
async def running(database: Database, redis_url: str | None = None) -> AsyncIterator[Revocations]:
    """A process of its own; without a Redis, nobody tells it anything."""
    bus = Bus(redis_url)
    await bus.start()
    process = Revocations(database, bus, LIFETIME_SECONDS)
    await process.start()
    yield process
    await process.stop()
    await bus.stop()


async def an_ended_session(database: Database) -> UUID:
    user = await new_user(database)
    session = await logged_in(database, user)
    await transact(database, end_sessions, user_id=user.id, by=SessionEnd.LOGOUT)
    return session.session_id


async def test_another_process_learns_from_the_database_alone(database: Database) -> None:
    async with running(database) as other:
        session_id = await an_ended_session(database)
        await until_ended(other, session_id)
        assert not is_ended(other, uuid4())


async def test_a_process_that_starts_knows_what_ended_before(database: Database) -> None:
    session_id = await an_ended_session(database)
    async with running(database) as late:
        assert is_ended(late, session_id)


async def test_what_ended_before_any_token_that_is_still_good_is_not_kept(database: Database) -> None:
    session_id = await an_ended_session(database)
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE sessions SET last_used_at = now() - interval '2 hours', "
            "ended_at = now() - interval '1 hour'"
        )
    async with running(database) as late:
        assert not is_ended(late, session_id)


async def test_a_session_whose_end_is_committed_late_is_found(database: Database) -> None:
    """`ended_at` is taken before the commit, so that a look between the two must not be the last word."""
    process, user = Revocations(database, Bus(None), LIFETIME_SECONDS), await new_user(database)
    session_id = (await logged_in(database, user)).session_id
    async with database.transaction() as tx:
        await end_sessions(tx, user.id, SessionEnd.LOGOUT)
        await process.look()
        assert not is_ended(process, session_id)
    await process.look()
    assert is_ended(process, session_id)


async def test_who_ends_a_session_knows_it_with_the_commit(database: Database) -> None:
    process, user = Revocations(database, Bus(None), LIFETIME_SECONDS), await new_user(database)
    await process.look()
    database.on_sessions_ended = process.tell
    session_id = (await logged_in(database, user)).session_id
    async with database.transaction() as tx:
        await end_sessions(tx, user.id, SessionEnd.LOGOUT)
        assert not is_ended(process, session_id)
    assert is_ended(process, session_id)


async def test_the_bus_tells_the_others_before_they_look(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth.revocations, "LOOK_SECONDS", 3_600)
    async with running(database, settings.redis_url) as one, running(database, settings.redis_url) as other:
        told: list[UUID] = []
        async with asyncio.timeout(10):
            while not told or not is_ended(other, told[-1]):  # until both listen
                told.append(uuid4())
                one.tell([told[-1]])
                await asyncio.sleep(0.01)
        await until_ended(other, told[-1])


async def test_a_redis_that_is_emptied_or_gone_lets_no_session_back(
    database: Database, valkey: Valkey
) -> None:
    async with running(database, valkey.url) as process:
        first = await an_ended_session(database)
        await until_ended(process, first)
        await valkey.ask("FLUSHALL")
        await process.look()
        assert is_ended(process, first)
        await valkey.kill()
        second = await an_ended_session(database)
        await until_ended(process, second)
        assert is_ended(process, first)


async def test_what_is_not_ours_on_the_bus_is_passed_over(database: Database, redis_url: str) -> None:
    bus, session_id = Bus(redis_url), uuid4()
    await bus.start()
    async with running(database, redis_url) as process, asyncio.timeout(10):
        while not is_ended(process, session_id):
            await bus.publish(CHANNEL, "nonsense")
            await bus.publish(CHANNEL, session_id.hex)
            await asyncio.sleep(0.01)
    await bus.stop()


async def test_no_token_is_good_before_the_first_look(database: Database) -> None:
    process = Revocations(database, Bus(None), LIFETIME_SECONDS)
    with pytest.raises(TokenExpired):
        process.refuse_ended(viewer(uuid4()))
    await process.look()
    process.refuse_ended(viewer(uuid4()))


async def test_an_ended_session_is_kept_a_while_longer_than_its_tokens_live(database: Database) -> None:
    """A refresh that was committed before the end can make its token a moment after it."""
    process, session_id = Revocations(database, Bus(None), 0), uuid4()
    await process.look()
    process.tell([session_id])
    await process.look()
    assert is_ended(process, session_id)


async def test_too_many_to_remember_make_every_token_of_until_now_expire(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth.revocations, "KEPT_MAX", 3)
    process, ended = Revocations(database, Bus(None), LIFETIME_SECONDS), [uuid4() for _ in range(4)]
    await process.look()
    process.tell(ended[:3])
    assert all(is_ended(process, session_id) for session_id in ended[:3])
    process.refuse_ended(viewer(uuid4()))
    before = viewer(ended[0])
    process.tell(ended)
    for one in (before, viewer(uuid4(), LIFETIME_SECONDS - 1)):
        with pytest.raises(TokenExpired):
            process.refuse_ended(one)
    process.refuse_ended(viewer(uuid4(), LIFETIME_SECONDS + 1))


async def test_what_watches_a_session_is_called_once_when_it_ends(database: Database) -> None:
    process, session_id = Revocations(database, Bus(None), LIFETIME_SECONDS), uuid4()
    called: list[str] = []

    def on_end() -> None:
        called.append("first")

    def never() -> None:
        called.append("never")

    process.watch(session_id, on_end)
    process.watch(session_id, never)
    process.watch(uuid4(), never)
    process.forget(session_id, never)
    process.tell([session_id])
    process.tell([session_id])
    assert called == ["first"]
    process.watch(session_id, on_end)  # who comes late is told too
    assert called == ["first", "first"]


async def test_the_look_reads_an_index(database: Database) -> None:
    async with database.transaction() as tx:  # the writer's connections would rather not scan
        plan = await tx.rows(f"EXPLAIN {ENDED_LATELY.replace('$1', '60')}")
    text = "\n".join(row[0] for row in plan)
    assert "sessions_ended" in text
    assert "service_clients_revoked" in text
