"""Other systems get tokens for their secret, and errors in the words of RFC 6749."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from database import Database
from models.users import Role
from settings import Settings
from steps.refusals import RefusalCode
from steps.service_clients import make_service_client, revoke_service_client
from steps.transact import transact
from tests.serving import Server, serving
from tests.world import everything, new_user, refusal_of

GRANT = {"grant_type": "client_credentials"}


async def a_client(database: Database) -> tuple[UUID, str]:
    return await transact(database, make_service_client, name="the till")


async def ask(server: Server, form: dict[str, Any], **options: Any) -> httpx2.Response:
    answer = await server.http.post("/oauth/token", data=form, **options)
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def test_a_client_gets_a_token_with_the_role_service(database: Database, server: Server) -> None:
    client_id, secret = await a_client(database)
    credentials = {"client_id": str(client_id), "client_secret": secret}
    for answer in (
        await ask(server, GRANT | credentials),
        await ask(server, GRANT, auth=(str(client_id), secret)),
        await ask(server, GRANT | {"scope": "", "client_id": str(client_id)}, auth=(str(client_id), secret)),
    ):
        assert answer.status_code == 200
        body = answer.json()
        assert (body["token_type"], body["expires_in"]) == ("Bearer", 900)
        viewer = server.app.state.house.tokens.read(body["access_token"])
        assert (viewer.id, viewer.roles, viewer.is_service) == (client_id, {Role.SERVICE}, True)


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        (GRANT | {"client_secret": "wrong"}, 401, "invalid_client"),
        (GRANT | {"client_secret": ""}, 401, "invalid_client"),
        (GRANT | {"client_id": "nobody"}, 401, "invalid_client"),
        (GRANT | {"client_id": str(uuid4())}, 401, "invalid_client"),
        (GRANT | {"more": "x" * 9_000}, 413, "invalid_request"),
        (GRANT | {str(number): "x" for number in range(20)}, 400, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_said_as_the_protocol_does(
    database: Database, server: Server, form: dict[str, Any], status: int, error: str
) -> None:
    client_id, secret = await a_client(database)
    answer = await ask(server, {"client_id": str(client_id), "client_secret": secret} | form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_wrong_headers_are_refused(database: Database, server: Server) -> None:
    client_id, secret = await a_client(database)
    twice = GRANT | {"client_secret": secret}
    for form, options, status, error in (
        (twice, {"auth": (str(client_id), secret)}, 400, "invalid_request"),
        (GRANT, {"auth": (str(client_id), "é")}, 401, "invalid_client"),
        (GRANT, {"headers": {"authorization": "Basic !!!"}}, 401, "invalid_client"),
        (GRANT, {"headers": {"authorization": "Bearer x"}}, 401, "invalid_client"),
        (GRANT, {"headers": {"content-type": "application/json"}}, 400, "invalid_request"),
    ):
        answer = await ask(server, form, **options)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert (await server.http.get("/oauth/token")).status_code == 405


async def test_the_secret_is_kept_as_a_hash_only(database: Database) -> None:
    _, secret = await a_client(database)
    assert secret not in repr((await everything(database)).rows)


async def test_a_client_that_is_revoked_is_out_and_so_are_its_tokens(
    database: Database, server: Server
) -> None:
    client_id, secret = await a_client(database)
    credentials = GRANT | {"client_id": str(client_id), "client_secret": secret}
    token = (await ask(server, credentials)).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    body = {"query": "{ viewer { id } }"}
    answer = await server.http.post("/graphql", json=body, headers=headers)
    assert answer.json() == {"data": {"viewer": None}}
    # By another process, as `rowlock service-token revoke` is one.
    assert await transact(database, revoke_service_client, client_id=client_id) == "the till"
    assert (await ask(server, credentials)).json()["error"] == "invalid_client"
    async with asyncio.timeout(10):
        while (await server.http.post("/graphql", json=body, headers=headers)).status_code != 401:
            await asyncio.sleep(0.01)


async def test_who_is_not_there_cannot_be_revoked_and_a_name_is_needed(database: Database) -> None:
    client_id, _ = await a_client(database)
    await transact(database, revoke_service_client, client_id=client_id)
    before = await everything(database)
    for unknown in (client_id, uuid4()):
        refusal = await refusal_of(transact(database, revoke_service_client, client_id=unknown))
        assert refusal.code is RefusalCode.VALIDATION_ERROR
    for name in ("", "x" * 101):
        assert (await refusal_of(transact(database, make_service_client, name=name))).code
    assert await everything(database) == before


async def test_a_system_has_no_account_and_no_session_to_end(database: Database, server: Server) -> None:
    client_id, _ = await a_client(database)
    await new_user(database)
    token = server.app.state.house.tokens.make(client_id, frozenset({Role.SERVICE}), client_id)
    body = {"query": "mutation { logout { __typename } }"}
    answer = await server.http.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_without_a_database_there_are_no_tokens(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    async with serving(nowhere) as server:
        answer = await ask(server, GRANT | {"client_id": str(uuid4()), "client_secret": "x"})
        assert answer.status_code == 503
