"""Refreshing: a token works once; who brings an old one ends the session; two tabs are no thieves."""

import asyncio

import pytest

from auth.refresh_tokens import RefreshTokens
from database import Database
from models.users import User
from settings import read_settings
from steps.log_in import LoggedIn
from steps.refresh import refresh_session
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.people import TOKENS, logged_in, refreshed, session_row
from tests.world import everything, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database)


@pytest.fixture
async def session(database: Database, alice: User) -> LoggedIn:
    return await logged_in(database, alice, "a phone")


async def let_time_pass(database: Database, interval: str) -> None:
    """Let the last use of every session be so much longer ago."""
    async with database.transaction() as tx:
        await tx.rows(
            """UPDATE sessions SET last_used_at = last_used_at - $1::text::interval,
                   expires_at = expires_at - $1::text::interval""",
            interval,
        )


async def refused_as(database: Database, refresh_token: str, tokens: RefreshTokens = TOKENS) -> RefusalCode:
    return (await refusal_of(refreshed(database, refresh_token, tokens))).code


async def test_each_token_gets_the_next_one(database: Database, alice: User, session: LoggedIn) -> None:
    seen, token = {session.refresh_token}, session.refresh_token
    for _ in range(5):
        before = await session_row(database, session.session_id)
        next_one = await refreshed(database, token)
        after = await session_row(database, session.session_id)
        assert (next_one.user.id, next_one.session_id) == (alice.id, session.session_id)
        assert after["last_used_at"] > before["last_used_at"]
        assert after["expires_at"] > before["expires_at"]
        token = next_one.refresh_token
        assert token not in seen
        seen.add(token)


async def test_no_token_stands_in_the_database(database: Database, session: LoggedIn) -> None:
    tokens = [session.refresh_token]
    for _ in range(2):
        tokens.append((await refreshed(database, tokens[-1])).refresh_token)
    kept = repr((await everything(database)).rows)
    for token in tokens:
        read = TOKENS.read(token)
        assert read
        assert token not in kept
        assert read.secret.hex() not in kept


async def test_a_repeat_soon_after_gets_the_same_successor_once(
    database: Database, session: LoggedIn
) -> None:
    first = await refreshed(database, session.refresh_token)
    again = await refreshed(database, session.refresh_token)
    assert again.refresh_token == first.refresh_token
    assert await refused_as(database, session.refresh_token) is RefusalCode.SESSION_REVOKED
    assert await refused_as(database, first.refresh_token) is RefusalCode.SESSION_REVOKED


async def test_a_repeat_later_ends_the_session(database: Database, session: LoggedIn) -> None:
    first = await refreshed(database, session.refresh_token)
    await let_time_pass(database, "11 seconds")
    assert await refused_as(database, session.refresh_token) is RefusalCode.SESSION_REVOKED
    row = await session_row(database, session.session_id)
    assert (row["ended_by"], row["ended_at"] is not None) == ("REUSE", True)
    assert await refused_as(database, first.refresh_token) is RefusalCode.SESSION_REVOKED


async def test_the_time_for_a_repeat_is_a_setting(database: Database, session: LoggedIn) -> None:
    strict = RefreshTokens(read_settings(refresh_repeat_seconds=0))
    await refreshed(database, session.refresh_token, strict)
    assert await refused_as(database, session.refresh_token, strict) is RefusalCode.SESSION_REVOKED


async def test_a_token_older_than_the_last_ends_the_session_at_once(
    database: Database, session: LoggedIn
) -> None:
    second = await refreshed(database, session.refresh_token)
    third = await refreshed(database, second.refresh_token)
    other = await logged_in(database, second.user)
    assert await refused_as(database, session.refresh_token) is RefusalCode.SESSION_REVOKED
    assert await refused_as(database, third.refresh_token) is RefusalCode.SESSION_REVOKED
    assert (await refreshed(database, other.refresh_token)).session_id == other.session_id


async def test_whoever_ends_a_session_by_reuse_tells_it(database: Database, session: LoggedIn) -> None:
    told: list[object] = []
    database.on_sessions_ended = told.append
    await refreshed(database, session.refresh_token)
    assert told == []
    await let_time_pass(database, "1 minute")
    await refused_as(database, session.refresh_token)
    assert told == [{session.session_id}]


async def test_tokens_that_are_not_ours_or_too_old_are_refused_and_change_nothing(
    database: Database, alice: User, session: LoggedIn
) -> None:
    unknown = TOKENS.write(TOKENS.first(alice.id, alice.id))
    elsewhere = RefreshTokens(read_settings(secret_key="another secret of another house, as long"))
    await let_time_pass(database, "31 days")
    before = await everything(database)
    for token in (
        "",
        "rt_x",
        unknown,
        session.refresh_token,
        elsewhere.write(elsewhere.first(alice.id, alice.id)),
    ):
        assert await refused_as(database, token) is RefusalCode.SESSION_EXPIRED
    assert await everything(database) == before


async def test_a_forged_token_of_a_session_does_not_end_it(database: Database, session: LoggedIn) -> None:
    forged = session.refresh_token[:60] + "AAAA" + session.refresh_token[64:]
    assert forged != session.refresh_token
    assert await refused_as(database, forged) is RefusalCode.SESSION_EXPIRED
    assert (await session_row(database, session.session_id))["ended_at"] is None


async def test_a_person_who_is_deactivated_or_gone_gets_nothing(
    database: Database, alice: User, session: LoggedIn
) -> None:
    for change in ("UPDATE users SET active = false", "DELETE FROM users"):
        async with database.transaction() as tx:
            await tx.rows(change)
        before = await everything(database)
        assert await refused_as(database, session.refresh_token) is RefusalCode.SESSION_REVOKED
        assert await everything(database) == before


async def test_two_at_once_get_the_same_successor(database: Database, session: LoggedIn) -> None:
    """The second comes while the first has the session in hand."""
    async with database.transaction() as tx:
        first = await refresh_session(tx, tokens=TOKENS, refresh_token=session.refresh_token)
        second = asyncio.create_task(refreshed(database, session.refresh_token))
        await until_somebody_waits(database)
    assert isinstance(first, LoggedIn)
    assert (await second).refresh_token == first.refresh_token


async def test_of_three_at_once_the_third_is_one_too_many(database: Database, session: LoggedIn) -> None:
    attempts = [refreshed(database, session.refresh_token) for _ in range(3)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    given = [outcome.refresh_token for outcome in outcomes if isinstance(outcome, LoggedIn)]
    assert (len(given), len(set(given))) == (2, 1)
    assert await refused_as(database, given[0]) is RefusalCode.SESSION_REVOKED


async def test_a_repeat_over_a_change_of_keys_gets_the_same_successor(
    database: Database, alice: User
) -> None:
    old, new = "an old secret of the house, long enough", "a new secret of the house, long enough"
    before = RefreshTokens(read_settings(secret_key=old))
    during = RefreshTokens(read_settings(secret_key=new, other_secret_keys=[old]))
    opened = await logged_in(database, alice)
    token = TOKENS.read(opened.refresh_token)
    assert token
    first = await refreshed(database, before.write(token), before)
    again = await refreshed(database, before.write(token), during)
    read_first, read_again = during.read(first.refresh_token), during.read(again.refresh_token)
    assert read_first == read_again
    assert (await refreshed(database, again.refresh_token, during)).session_id == opened.session_id


async def test_a_refusal_that_a_step_returns_keeps_what_it_wrote(
    database: Database, session: LoggedIn
) -> None:
    await refreshed(database, session.refresh_token)
    await let_time_pass(database, "1 minute")
    refusal = await refusal_of(
        transact(database, refresh_session, tokens=TOKENS, refresh_token=session.refresh_token)
    )
    assert refusal.code is RefusalCode.SESSION_REVOKED
    assert (await session_row(database, session.session_id))["ended_by"] == "REUSE"
