"""What an ADMIN says of people: who loses something is logged out, who is not there is refused."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from database import Database
from models.users import Role, User
from steps.permit import activate_user, deactivate_user, set_flagged, set_roles
from steps.refresh import refresh_session
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.people import TOKENS, logged_in, refreshed, session_row
from tests.world import everything, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, Role.STAFF)


async def is_in(database: Database, *people: User) -> list[bool]:
    """Whether each of these has an open session."""
    rows = await database.rows("SELECT DISTINCT user_id FROM sessions WHERE ended_at IS NULL")
    return [person.id in {row["user_id"] for row in rows} for person in people]


async def test_who_loses_a_role_is_logged_out_and_who_gains_one_is_not(
    database: Database, alice: User
) -> None:
    bob = await new_user(database)
    for person in (alice, bob):
        await logged_in(database, person)
    more = await transact(database, set_roles, user_id=alice.id, roles=[Role.OPERATOR, Role.STAFF, Role.USER])
    assert more.roles == ["USER", "STAFF", "OPERATOR"]
    assert await is_in(database, alice, bob) == [True, True]
    less = await transact(database, set_roles, user_id=alice.id, roles=[Role.USER])
    assert less.roles == ["USER"]
    assert await is_in(database, alice, bob) == [False, True]


@pytest.mark.parametrize("roles", [[], [Role.SERVICE], [Role.USER, Role.SERVICE]])
async def test_nobody_is_without_a_role_or_a_service(
    database: Database, alice: User, roles: list[Role]
) -> None:
    before = await everything(database)
    refusal = await refusal_of(transact(database, set_roles, user_id=alice.id, roles=roles))
    assert (refusal.code, refusal.problems[0].field) == (RefusalCode.VALIDATION_ERROR, "input.roles")
    assert await everything(database) == before


async def test_who_is_deactivated_is_logged_out_and_comes_back_only_by_activation(
    database: Database, alice: User
) -> None:
    session = await logged_in(database, alice)
    for _ in range(2):
        assert not (await transact(database, deactivate_user, user_id=alice.id)).active
    row = await session_row(database, session.session_id)
    assert row["ended_by"] == "DEACTIVATED"
    refusal = await refusal_of(refreshed(database, session.refresh_token))
    assert refusal.code is RefusalCode.SESSION_REVOKED
    assert (await refusal_of(logged_in(database, alice))).code is RefusalCode.USER_DEACTIVATED
    assert (await transact(database, activate_user, user_id=alice.id)).active
    await logged_in(database, alice)
    refusal = await refusal_of(refreshed(database, session.refresh_token))
    assert refusal.code is RefusalCode.SESSION_REVOKED


async def test_a_flag_is_set_and_taken_away(database: Database, alice: User) -> None:
    for flagged in (True, True, False):
        assert (await transact(database, set_flagged, user_id=alice.id, flagged=flagged)).flagged is flagged


@pytest.mark.parametrize(
    "step",
    [
        deactivate_user,
        activate_user,
        partial(set_flagged, flagged=True),
        partial(set_roles, roles=[Role.USER]),
    ],
)
async def test_who_is_not_there_is_refused(
    database: Database, alice: User, step: Callable[..., Awaitable[Any]]
) -> None:
    before = await everything(database)
    refusal = await refusal_of(transact(database, step, user_id=uuid4()))
    assert refusal.code is RefusalCode.USER_NOT_FOUND
    assert await everything(database) == before


async def test_a_login_at_the_same_moment_does_not_slip_through(database: Database, alice: User) -> None:
    async with database.transaction() as tx:
        await deactivate_user(tx, user_id=alice.id)
        login = asyncio.create_task(logged_in(database, alice))
        await until_somebody_waits(database)
    assert (await refusal_of(login)).code is RefusalCode.USER_DEACTIVATED
    assert await is_in(database, alice) == [False]


async def test_a_refresh_at_the_same_moment_does_not_keep_a_role(database: Database, alice: User) -> None:
    session = await logged_in(database, alice)
    told: set[object] = set()
    database.on_sessions_ended = told.update
    async with database.transaction() as tx:
        await refresh_session(tx, tokens=TOKENS, refresh_token=session.refresh_token)
        demotion = asyncio.create_task(transact(database, set_roles, user_id=alice.id, roles=[Role.USER]))
        await until_somebody_waits(database)
    await demotion
    assert told == {session.session_id}
    assert await is_in(database, alice) == [False]
