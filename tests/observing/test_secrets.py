"""No password, token, code or secret is ever in the log, whichever door it came by and whatever broke."""

import base64
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from database import Database
from observing import logs
from schema import ids
from tests.observing.conftest import Log
from tests.observing.test_logs import until
from tests.resolvers.test_seats import WATCH
from tests.resolvers.test_sessions import CHANGE, LOGIN, LOGOUT_BY, REFRESH, REGISTER
from tests.routes.test_graphql_events import EVENTS
from tests.routes.test_oauth import GRANT, a_client
from tests.serving import Server, greeted, receive, subscribe
from tests.world import new_event, new_user

SECRET = "zebra"
"""Every secret of these tests has this in it, or was given by the server and is looked for as it is."""
PASSWORD, OTHER_PASSWORD = f"{SECRET} password one", f"{SECRET} password two"
BAD_TOKEN = f"{SECRET}.{SECRET}.{SECRET}"
PERSON = {
    "email": "ann@example.com",
    "password": PASSWORD,
    "phone": "+49 30 123456",
    "username": "ann",
    "fullName": "Ann Example",
}


async def sessions_of(server: Server) -> list[dict[str, Any]]:
    """Register, log in, change the password, refresh: every session that the server gives."""
    wrong = await server.post(LOGIN, e=PERSON["email"], p=OTHER_PASSWORD)
    answers = [wrong, await server.post(REGISTER, i=PERSON), await server.post(REGISTER, i=PERSON)]
    answers.append(await server.post(LOGIN, e=PERSON["email"], p=PASSWORD))
    session = answers[-1].json()["data"]["login"]["session"]
    bearer = {"Authorization": f"Bearer {session['accessToken']}"}
    change = {"query": CHANGE, "variables": {"c": PASSWORD, "n": OTHER_PASSWORD}}
    answers.append(await server.http.post("/graphql", json=change, headers=bearer))
    answers.append(await server.post(REFRESH, t=session["refreshToken"]))
    answers.append(await server.post(REFRESH, t=BAD_TOKEN))
    answers.append(await server.post(LOGOUT_BY, t=session["refreshToken"]))
    given = [(answer.json().get("data") or {}).values() for answer in answers]
    found = [payload["session"] for (payload,) in given if payload and "session" in payload]
    assert len(found) >= 3
    return found


async def by_every_http_door(server: Server) -> None:
    literal = (
        f'mutation {{ login(input: {{email: "x@example.com", password: "{PASSWORD}"}}) {{ __typename }} }}'
    )
    await server.post(literal)
    await server.post(literal.replace("}) {", f"}}) {{ {SECRET}"))
    await server.http.get("/graphql", params={"query": literal, "token": BAD_TOKEN})
    named = {"query": "{ __typename }", "operationName": BAD_TOKEN, "extensions": {"code": SECRET}}
    for headers in (
        {"Authorization": f"Bearer {BAD_TOKEN}"},
        {"Authorization": BAD_TOKEN},
        {"X-Correlation-Id": f"Bearer {SECRET}"},
        {"Cookie": BAD_TOKEN, "User-Agent": BAD_TOKEN, "Accept": SECRET},
        EVENTS,
    ):
        await server.http.post("/graphql", json=named, headers=headers)
        await server.http.post("/graphql", json={"query": literal}, headers=headers)
    await server.http.post("/graphql", content=SECRET, headers={"content-type": "application/json"})
    await server.http.get(f"/events/{SECRET}/plan?token={SECRET}")
    await server.http.get(f"/{SECRET}")
    await server.http.get("/metrics", headers={"Authorization": f"Bearer {SECRET}"})


async def by_oauth(server: Server, database: Database) -> str:
    client_id, secret = await a_client(database)
    good = {"client_id": str(client_id), "client_secret": secret}
    token: str = (await server.http.post("/oauth/token", data=GRANT | good)).json()["access_token"]
    await server.http.post("/oauth/token", data=GRANT | good | {"client_secret": SECRET})
    basic = base64.b64encode(f"{client_id}:{SECRET}".encode()).decode()
    await server.http.post("/oauth/token", data=GRANT, headers={"Authorization": f"Basic {basic}"})
    await server.http.post("/oauth/token?" + urlencode({"client_secret": SECRET}), content=SECRET)
    return f"{secret} {token} {basic}"


async def by_socket(server: Server, access_token: str, event_id: str) -> None:
    url = server.url.replace("http", "ws") + f"/graphql?token={SECRET}"
    async with greeted(url, payload={"Authorization": f"Bearer {access_token}", "other": SECRET}) as socket:
        await subscribe(socket, WATCH, e=event_id, secret=SECRET)
        await receive(socket)
        await subscribe(socket, LOGIN, id=SECRET, e="x@example.com", p=PASSWORD)
        await receive(socket)
        await socket.send(orjson.dumps({"type": SECRET}).decode())
        await socket.wait_closed()


async def broken(text: str, *_: object) -> None:
    """Fail with a secret in a variable."""
    raise ZeroDivisionError


@pytest.mark.parametrize("as_json", [True, False])
async def test_no_secret_is_in_the_log(
    database: Database,
    server: Server,
    kept_logging: None,
    monkeypatch: pytest.MonkeyPatch,
    as_json: bool,
) -> None:
    event = await new_event(database)
    log = Log()
    logs.set_up("INFO", as_json=as_json, stream=log)
    sessions = await sessions_of(server)
    with monkeypatch.context() as patched:
        for called in ("resolvers.sessions.is_password", "resolvers.sessions.hash_password"):
            patched.setattr(called, broken)
        await server.post(LOGIN, e=PERSON["email"], p=PASSWORD)
        await server.post(REGISTER, i=PERSON)
    assert "ZeroDivisionError" in log.text
    await by_every_http_door(server)
    secrets = await by_oauth(server, database)
    token = server.token(await new_user(database)) or ""
    await by_socket(server, token, ids.event_id(event.id))
    await until(lambda: "4400" in log.text)
    assert log.text.count("operation") > 20
    assert SECRET not in log.text
    secrets += f" {token}"
    for session in sessions:
        secrets += f" {session['accessToken']} {session['refreshToken']}"
    assert [secret for secret in secrets.split() if secret in log.text] == []
