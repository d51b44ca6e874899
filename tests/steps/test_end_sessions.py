"""Logging out and ending sessions: for good, also when somebody refreshes at the same moment."""

import asyncio
from uuid import uuid4

import pytest

from database import Database
from models.sessions import SessionEnd
from models.users import User
from steps.end_sessions import end_session, end_sessions, log_out
from steps.log_in import LoggedIn
from steps.person_locks import lock_session
from steps.refresh import refresh_session
from steps.refusals import RefusalCode, Refused
from steps.transact import transact
from tests.people import TOKENS, logged_in, refreshed, session_row
from tests.world import everything, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database)


async def ended_by(database: Database, session: LoggedIn) -> str | None:
    return (await session_row(database, session.session_id))["ended_by"]


async def logged_out(
    database: Database, refresh_token: str | None = None, session: LoggedIn | None = None
) -> None:
    await transact(
        database,
        log_out,
        tokens=TOKENS,
        refresh_token=refresh_token,
        user_id=session.user.id if session else None,
        session_id=session.session_id if session else None,
    )


async def test_logging_out_ends_one_session(database: Database, alice: User) -> None:
    one, other = await logged_in(database, alice), await logged_in(database, alice)
    await logged_out(database, session=one)
    assert (await ended_by(database, one), await ended_by(database, other)) == ("LOGOUT", None)
    refusal = await refusal_of(refreshed(database, one.refresh_token))
    assert refusal.code is RefusalCode.SESSION_REVOKED
    await refreshed(database, other.refresh_token)


async def test_any_refresh_token_of_a_session_logs_out(database: Database, alice: User) -> None:
    one, other = await logged_in(database, alice), await logged_in(database, alice)
    for _ in range(2):
        last = await refreshed(database, one.refresh_token)
    await logged_out(database, one.refresh_token)
    assert await ended_by(database, one) == "LOGOUT"
    await logged_out(database, last.refresh_token)
    await logged_out(database, last.refresh_token, session=other)
    assert await ended_by(database, other) == "LOGOUT"


async def test_logging_out_again_changes_nothing(database: Database, alice: User) -> None:
    session = await logged_in(database, alice)
    await logged_out(database, session=session)
    before = await everything(database)
    told: list[object] = []
    database.on_sessions_ended = told.append
    await logged_out(database, session=session)
    await logged_out(database, session.refresh_token)
    assert (await everything(database), told) == (before, [])


async def test_a_token_that_is_not_ours_logs_nobody_out(database: Database, alice: User) -> None:
    session = await logged_in(database, alice)
    before = await everything(database)
    refusal = await refusal_of(logged_out(database, "rt_x", session=session))
    assert refusal.code is RefusalCode.SESSION_EXPIRED
    assert await everything(database) == before


async def test_an_ended_session_stays_ended_as_it_is(database: Database, alice: User) -> None:
    session = await logged_in(database, alice)
    await logged_out(database, session=session)
    before = await everything(database)
    await transact(database, end_sessions, user_id=alice.id, by=SessionEnd.DEACTIVATED)
    refusal = await refusal_of(refreshed(database, session.refresh_token))
    assert refusal.code is RefusalCode.SESSION_REVOKED
    assert await everything(database) == before


async def test_one_ends_ones_own_sessions_and_an_admin_anybodys(database: Database, alice: User) -> None:
    bob = await new_user(database)
    for caller, any_user, is_allowed in ((alice, False, True), (bob, False, False), (bob, True, True)):
        session = await logged_in(database, alice)
        ending = transact(
            database,
            end_session,
            caller_id=caller.id,
            any_user=any_user,
            user_id=alice.id,
            session_id=session.session_id,
        )
        if is_allowed:
            await ending
            assert await ended_by(database, session) == "ENDED"
        else:
            before = await everything(database)
            assert (await refusal_of(ending)).code is RefusalCode.SESSION_EXPIRED
            assert await everything(database) == before


async def test_a_session_that_is_not_there_cannot_be_ended(database: Database, alice: User) -> None:
    before = await everything(database)
    refusal = await refusal_of(
        transact(
            database, end_session, caller_id=alice.id, any_user=True, user_id=alice.id, session_id=uuid4()
        )
    )
    assert refusal.code is RefusalCode.SESSION_EXPIRED
    assert await everything(database) == before


async def test_a_logout_after_a_refresh_that_is_not_yet_committed_ends_the_session(
    database: Database, alice: User
) -> None:
    session = await logged_in(database, alice)
    async with database.transaction() as tx:
        next_one = await refresh_session(tx, tokens=TOKENS, refresh_token=session.refresh_token)
        assert isinstance(next_one, LoggedIn)
        logout = asyncio.create_task(logged_out(database, session=session))
        await until_somebody_waits(database)
    await logout
    row = await session_row(database, session.session_id)
    assert row["ended_by"] == "LOGOUT"
    assert row["ended_at"] >= row["last_used_at"]
    refusal = await refusal_of(refreshed(database, next_one.refresh_token))
    assert refusal.code is RefusalCode.SESSION_REVOKED


async def test_a_refresh_after_a_logout_that_is_not_yet_committed_is_refused(
    database: Database, alice: User
) -> None:
    session = await logged_in(database, alice)
    async with database.transaction() as tx:
        await log_out(tx, tokens=TOKENS, refresh_token=None, user_id=alice.id, session_id=session.session_id)
        refresh = asyncio.create_task(refreshed(database, session.refresh_token))
        await until_somebody_waits(database)
    with pytest.raises(Refused) as refused:
        await refresh
    assert refused.value.code is RefusalCode.SESSION_REVOKED
    assert (await session_row(database, session.session_id))["previous_hash"] is None


async def test_a_reuse_while_somebody_logs_out_leaves_the_logout(database: Database, alice: User) -> None:
    session = await logged_in(database, alice)
    for token in (session.refresh_token, session.refresh_token):
        last = await refreshed(database, token)
    async with database.transaction() as tx:
        await log_out(tx, tokens=TOKENS, refresh_token=last.refresh_token)
        reuse = asyncio.create_task(refreshed(database, session.refresh_token))
        await until_somebody_waits(database)
    with pytest.raises(Refused):
        await reuse
    assert await ended_by(database, session) == "LOGOUT"


async def test_a_logout_that_waits_for_a_later_refresh_ends_the_session_after_it(
    database: Database, alice: User
) -> None:
    """The logout's statement begins first and is through last: it must not end the session in the past."""
    session = await logged_in(database, alice)
    async with database.transaction() as tx:
        await lock_session(tx, alice.id, session.session_id)
        logout = asyncio.create_task(logged_out(database, session=session))
        await until_somebody_waits(database)
        await refresh_session(tx, tokens=TOKENS, refresh_token=session.refresh_token)
    await logout
    row = await session_row(database, session.session_id)
    assert (row["ended_by"], row["ended_at"]) == ("LOGOUT", row["last_used_at"])
