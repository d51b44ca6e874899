"""Who comes with a provider's token is in as long as token, session and account are good."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed

from auth.revocations import SessionEnded
from database import Database
from models.sessions import SessionEnd
from settings import Settings
from steps.delete_user import delete_user
from steps.end_sessions import end_sessions
from steps.permit import activate_user, deactivate_user
from steps.transact import transact
from steps.visitors import REMEMBERED_MAX, Visitors
from tests.counting import counted
from tests.openid import as_house, refused, trusting, trusting_server, viewer
from tests.provider import Provider, providing
from tests.routes.test_staying import closed_with
from tests.serving import Server, receive, serving, subscribe

LOGOUT = "mutation { logout { ... on LogoutPayload { success } } }"


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with providing() as running:
        yield running


@pytest.fixture
async def house(database: Database, settings: Settings, provider: Provider) -> AsyncIterator[Server]:
    async with trusting_server(settings, provider) as server:
        yield server


def bearer(token: str) -> dict[str, Any]:
    return {"Authorization": f"Bearer {token}"}


async def only_user(database: Database) -> UUID:
    (row,) = await database.rows("SELECT id FROM users")
    user_id: UUID = row["id"]
    return user_id


@pytest.mark.parametrize("step", [deactivate_user, delete_user])
async def test_who_is_shut_out_is_out_at_once_and_everywhere(
    database: Database, house: Server, provider: Provider, step: Any
) -> None:
    token = provider.token()
    async with house.socket(payload=bearer(token)) as socket:
        await subscribe(socket, "{ viewer { id } }")
        assert (await receive(socket))["payload"]["data"]["viewer"]
        await transact(house.app.state.house.database, step, user_id=await only_user(database))
        assert (await closed_with(socket))[0] == 4401
    assert await refused(house, token) == (401, "UNAUTHORIZED")
    assert await refused(house, provider.token(jti="the next")) == (401, "UNAUTHORIZED")
    with pytest.raises(ConnectionClosed) as closed:
        async with house.socket(payload=bearer(token)):
            pass
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 4401


async def test_another_process_knows_it_too(database: Database, house: Server, provider: Provider) -> None:
    async with house.socket(payload=bearer(provider.token())) as socket:
        await transact(database, deactivate_user, user_id=await only_user(database))
        assert (await closed_with(socket))[0] == 4401


async def test_a_logout_makes_the_tokens_of_until_then_void(
    database: Database, house: Server, provider: Provider
) -> None:
    old, twin = provider.token(), provider.token(jti="another")
    alice = await viewer(house, old)
    answer = await house.http.post("/graphql", json={"query": LOGOUT}, headers=bearer(old))
    assert answer.json() == {"data": {"logout": {"success": True}}}
    for token in (old, twin):
        assert await refused(house, token) == (401, "UNAUTHORIZED")
    assert await viewer(house, provider.token(iat=int(time.time()) + 5)) == alice
    for token in (old, twin):
        assert await refused(house, token) == (401, "UNAUTHORIZED")


async def test_who_is_activated_again_comes_in_with_a_new_token(
    database: Database, house: Server, provider: Provider
) -> None:
    old = provider.token()
    alice = await viewer(house, old)
    user_id = await only_user(database)
    for step in (deactivate_user, activate_user):
        await transact(house.app.state.house.database, step, user_id=user_id)
    assert await refused(house, old) == (401, "UNAUTHORIZED")
    assert await viewer(house, provider.token(iat=int(time.time()) + 5)) == alice


async def test_a_socket_ends_with_the_token(house: Server, provider: Provider) -> None:
    async with house.socket(payload=bearer(provider.token(exp=int(time.time()) + 2))) as socket:
        code, reason = await closed_with(socket)
        assert (code, "expired" in reason) == (4403, True)


async def test_a_socket_is_asked_to_come_back_while_the_provider_is_away(
    house: Server, provider: Provider
) -> None:
    provider.is_away = True
    with pytest.raises(ConnectionClosed) as closed:
        async with house.socket(payload=bearer(provider.token())):
            pass
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1013


async def test_a_token_is_looked_up_once(database: Database, house: Server, provider: Provider) -> None:
    first, second = provider.token(), provider.token(jti="another")
    await viewer(house, first)
    with counted(house.app.state.house.database) as statements:
        await viewer(house, first)
        own = len(statements)
        await viewer(house, second)
    assert len(statements) == 2 * own + 1
    (row,) = await database.rows("SELECT count(*) FROM sessions")
    assert row["count"] == 1


async def test_no_token_is_remembered_for_longer_than_one_of_ours_lives(
    database: Database, settings: Settings, provider: Provider
) -> None:
    brief = trusting(settings.model_copy(update={"access_token_seconds": 60}), as_house(provider))
    async with serving(brief) as server:
        visitors, token = server.app.state.house.visitors, provider.token()
        found = await visitors.viewer(visitors.issuers.of(token), token)
        assert found.expires_at <= time.time() + 60
        assert REMEMBERED_MAX >= len(visitors._remembered) == 1


async def test_the_memory_is_bounded(database: Database, house: Server, provider: Provider) -> None:
    visitors, token = house.app.state.house.visitors, provider.token()
    found = await visitors.viewer(visitors.issuers.of(token), token)
    for number in range(REMEMBERED_MAX + 10):
        visitors._remember(number.to_bytes(32), found)
    assert len(visitors._remembered) == REMEMBERED_MAX
    assert (REMEMBERED_MAX + 9).to_bytes(32) in visitors._remembered


async def test_a_memory_that_ran_out_learns_of_the_end(
    database: Database, house: Server, provider: Provider
) -> None:
    """As a process that forgot the ended session with its last tokens: the database still knows it."""
    token = provider.token()
    await viewer(house, token)
    await transact(database, end_sessions, user_id=await only_user(database), by=SessionEnd.LOGOUT)
    of_house = house.app.state.house
    fresh = Visitors(database, of_house.visitors.issuers, of_house.refresh_tokens, 900)
    with pytest.raises(SessionEnded):
        await fresh.viewer(fresh.issuers.of(token), token)


async def test_first_requests_at_once_make_one_person(
    database: Database, house: Server, provider: Provider
) -> None:
    tokens = [provider.token(jti=str(number)) for number in range(12)]
    found = await asyncio.gather(*(viewer(house, token) for token in tokens))
    assert len({person["id"] for person in found}) == 1
    for table in ("users", "identities", "sessions"):
        assert (await database.rows(f"SELECT count(*) FROM {table}"))[0]["count"] == 1


async def test_without_a_database_nobody_can_say_who_it_is(settings: Settings, provider: Provider) -> None:
    nowhere = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    async with trusting_server(nowhere, provider) as server:
        assert await refused(server, provider.token()) == (503, "SERVICE_UNAVAILABLE")


async def test_custom_id_and_addresses_count_only_where_they_are_trusted(
    database: Database, settings: Settings, house: Server, provider: Provider
) -> None:
    alice = await viewer(house, provider.token())
    alice_id = str(await only_user(database))
    claims = {"custom:id": alice_id, "email": "ada@example.com", "email_verified": True}
    untrusted = await viewer(house, provider.token(sub="ada", **claims))
    assert untrusted["id"] != alice["id"]
    assert untrusted["email"].endswith("@no-address.invalid")
    async with trusting_server(settings, provider, trust_email=True) as trusting_it:
        for verified, kept in ((False, False), (None, False), ("false", False), (True, True)):
            claims["email_verified"] = verified
            found = await viewer(trusting_it, provider.token(sub=f"{verified}", **claims))
            assert (found["email"] == "ada@example.com") is kept
    async with trusting_server(settings, provider, trust_custom_id=True) as trusting_it:
        assert (await viewer(trusting_it, provider.token(sub="new", **claims)))["id"] == alice["id"]
        assert (await viewer(trusting_it, provider.token(sub="ada", **claims)))["id"] == alice["id"]
        for nobody in ("us_x", "", 7, "00000000-0000-7000-8000-000000000000"):
            found = await viewer(trusting_it, provider.token(sub="other", **{"custom:id": nobody}))
            assert found["id"] != alice["id"]
