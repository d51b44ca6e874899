"""Changing a password: only from an open session, against the password that was compared."""

import asyncio
from uuid import UUID

import pytest

from database import Database
from models.users import User
from steps.change_password import change_password
from steps.end_sessions import log_out
from steps.log_in import LoggedIn
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.people import PASSWORD_HASH, TOKENS, logged_in, refreshed, session_row
from tests.world import everything, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database)


async def changed(
    database: Database, user: User, session_id: UUID | None, proven_hash: str = PASSWORD_HASH
) -> LoggedIn:
    return await transact(
        database,
        change_password,
        user_id=user.id,
        session_id=session_id,
        proven_hash=proven_hash,
        new_hash="new",
        tokens=TOKENS,
    )


async def test_the_other_sessions_end_and_this_one_begins_anew(database: Database, alice: User) -> None:
    here, there = await logged_in(database, alice), await logged_in(database, alice)
    bobs = await logged_in(database, await new_user(database))
    again = await changed(database, alice, here.session_id)
    ends = [(await session_row(database, s.session_id))["ended_by"] for s in (here, there, bobs)]
    assert ends == [None, "PASSWORD", None]
    await refreshed(database, again.refresh_token)
    ((password_hash,),) = await database.rows("SELECT password_hash FROM users WHERE id = $1", alice.id)
    assert password_hash == "new"


@pytest.mark.parametrize("refreshes", [0, 1])
async def test_an_old_refresh_token_ends_the_session_also_soon_after(
    database: Database, alice: User, refreshes: int
) -> None:
    """Neither the last one nor the one before it, which could have come once more, is good any longer."""
    old = await logged_in(database, alice)
    for _ in range(refreshes):
        await refreshed(database, old.refresh_token)
    await changed(database, alice, old.session_id)
    assert (await refusal_of(refreshed(database, old.refresh_token))).code is RefusalCode.SESSION_REVOKED
    assert (await session_row(database, old.session_id))["ended_by"] == "REUSE"


async def test_from_no_session_or_with_another_password_nothing_changes(
    database: Database, alice: User
) -> None:
    session, ended = await logged_in(database, alice), await logged_in(database, alice)
    bobs = await logged_in(database, await new_user(database))
    await transact(
        database, log_out, tokens=TOKENS, refresh_token=None, user_id=alice.id, session_id=ended.session_id
    )
    before = await everything(database)
    for session_id, proven_hash, code in (
        (None, PASSWORD_HASH, RefusalCode.SESSION_REVOKED),
        (bobs.session_id, PASSWORD_HASH, RefusalCode.SESSION_REVOKED),
        (ended.session_id, PASSWORD_HASH, RefusalCode.SESSION_REVOKED),
        (session.session_id, "another", RefusalCode.BUSY),
    ):
        assert (await refusal_of(changed(database, alice, session_id, proven_hash))).code is code
    assert await everything(database) == before


async def test_of_two_new_passwords_at_once_one_is_taken(database: Database, alice: User) -> None:
    here, there = await logged_in(database, alice), await logged_in(database, alice)
    async with database.transaction() as tx:
        await change_password(
            tx,
            user_id=alice.id,
            session_id=here.session_id,
            proven_hash=PASSWORD_HASH,
            new_hash="first",
            tokens=TOKENS,
        )
        second = asyncio.create_task(changed(database, alice, there.session_id))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.SESSION_REVOKED
    ((password_hash,),) = await database.rows("SELECT password_hash FROM users")
    assert password_hash == "first"
