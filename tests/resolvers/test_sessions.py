"""Getting an account, logging in, keeping a session going, and ending it."""

import asyncio
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher, extract_parameters

from auth import passwords
from database import Database
from models.users import Role, User
from settings import Settings
from tests.codes import waiting_messages
from tests.serving import Server, serving
from tests.world import everything, new_user

REGISTER = """mutation ($i: RegisterInput!) { register(input: $i) {
    ... on SessionPayload { session { accessToken refreshToken tokenType expiresIn
        user { id email phone username fullName roles active flagged creditBalance { amount } } } }
    ... on Refusal { code field problems { field } } } }"""
SESSION = """{ ... on SessionPayload { session { accessToken refreshToken user { id } } }
    ... on Refusal { code message field } }"""
LOGIN = f"mutation ($e: String!, $p: String!) {{ login(input: {{email: $e, password: $p}}) {SESSION} }}"
REFRESH = f"mutation ($t: String!) {{ refreshSession(input: {{refreshToken: $t}}) {SESSION} }}"
CHANGE = f"""mutation ($c: String!, $n: String!) {{
    changePassword(input: {{currentPassword: $c, newPassword: $n}}) {SESSION} }}"""
DONE = "{ ... on LogoutPayload { success } ... on Refusal { code } }"
LOGOUT = f"mutation {{ logout {DONE} }}"
LOGOUT_BY = f"mutation ($t: String) {{ logout(input: {{refreshToken: $t}}) {DONE} }}"
END = f"mutation ($s: ID!) {{ endSession(input: {{sessionId: $s}}) {DONE} }}"
SESSIONS = "{ viewer { sessions { id device current createdAt lastUsedAt } } }"

PASSWORD = "correct horse"


async def test_a_person_registers_and_logs_in(database: Database, server: Server) -> None:
    given = {
        "email": "Ann@Example.com",
        "password": PASSWORD,
        "phone": "+49 30 123456",
        "username": "ann",
        "fullName": "Ann Example",
    }
    session = (await server.ask(REGISTER, i=given))["register"]["session"]
    assert (session["tokenType"], session["expiresIn"]) == ("Bearer", 900)
    user = session["user"]
    assert (user["email"], user["phone"], user["roles"]) == ("Ann@example.com", "+4930123456", ["USER"])
    logged_in = await server.ask(LOGIN, e="ann@EXAMPLE.com ", p=PASSWORD)
    headers = {"Authorization": f"Bearer {logged_in['login']['session']['accessToken']}"}
    body = {"query": "{ viewer { id } }"}
    answer = await server.http.post("/graphql", json=body, headers=headers)
    assert answer.json()["data"]["viewer"] == {"id": user["id"]}


@pytest.mark.parametrize(
    ("accepted", "given", "language"),
    [("de-AT, en;q=0.5", None, "de"), ("de", "EN", "en"), ("fr", None, "en"), ("en", "DE", "de")],
)
async def test_who_registers_is_welcomed_in_their_language(
    database: Database, server: Server, accepted: str, given: str | None, language: str
) -> None:
    person = {"email": "ann@example.com", "password": PASSWORD, "fullName": "Ann", "language": given}
    body = {"query": REGISTER, "variables": {"i": person}}
    await server.http.post("/graphql", json=body, headers={"accept-language": accepted})
    ((id, kept),) = await database.rows("SELECT id, language FROM users")
    (letter,) = await waiting_messages(database, id)
    assert (letter.to.at, letter.template, letter.facts) == ("ann@example.com", "welcome", {"name": "Ann"})
    assert (kept, letter.language) == (language, language)


async def test_wrong_inputs_and_known_people_are_refused(database: Database, server: Server) -> None:
    good = {"email": "ann@example.com", "password": PASSWORD, "username": "ann"}
    await server.ask(REGISTER, i=good)
    before = await everything(database)
    for changes, code, fields in (
        ({"email": "nobody"}, "VALIDATION_ERROR", ["input.email"]),
        ({"password": "1234567"}, "VALIDATION_ERROR", ["input.password"]),
        ({"password": "x" * 129, "phone": "12"}, "VALIDATION_ERROR", ["input.phone", "input.password"]),
        ({"username": ""}, "VALIDATION_ERROR", ["input.username"]),
        ({"fullName": "x" * 201}, "VALIDATION_ERROR", ["input.fullName"]),
        ({"username": "other"}, "EMAIL_ALREADY_EXISTS", []),
        ({"email": "ben@example.com", "username": "ANN"}, "USERNAME_ALREADY_EXISTS", []),
    ):
        refused = (await server.ask(REGISTER, i=good | changes))["register"]
        assert (refused["code"], [p["field"] for p in refused["problems"]]) == (code, fields)
    assert await everything(database) == before


async def test_unknown_people_and_wrong_passwords_get_the_same_answer(
    database: Database, server: Server
) -> None:
    await server.ask(REGISTER, i={"email": "ann@example.com", "password": PASSWORD})
    wrong = await server.ask(LOGIN, e="ann@example.com", p="something else")
    unknown = await server.ask(LOGIN, e="ben@example.com", p="something else")
    assert wrong == unknown
    assert wrong["login"]["code"] == "INVALID_CREDENTIALS"
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET active = false")
    assert (await server.ask(LOGIN, e="ann@example.com", p="something else")) == wrong
    told = await server.ask(LOGIN, e="ann@example.com", p=PASSWORD)
    assert told["login"]["code"] == "USER_DEACTIVATED"


async def test_logging_in_does_not_change_who_asks_in_the_same_request(
    database: Database, server: Server
) -> None:
    await server.ask(REGISTER, i={"email": "ann@example.com", "password": PASSWORD})
    who = f'email: "ann@example.com", password: "{PASSWORD}"'
    query = f"""mutation {{ login(input: {{{who}}}) {{ __typename }}
        createVenue(input: {{name: "a", address: "b"}}) {{ __typename }} }}"""
    assert (await server.error(query))["extensions"]["code"] == "UNAUTHORIZED"


@dataclass(frozen=True)
class Client:
    """Somebody with tokens of a session."""

    server: Server
    access_token: str
    refresh_token: str

    async def post(self, query: str, agent: str = "a test", **variables: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.access_token}", "User-Agent": agent}
        body = {"query": query, "variables": variables}
        return await self.server.http.post("/graphql", json=body, headers=headers)

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        return (await self.post(query, **variables)).json()["data"]

    async def is_in(self) -> bool:
        answer = await self.post("{ viewer { id } }")
        assert answer.status_code in {200, 401}
        return answer.status_code == 200


async def client(server: Server, email: str = "ann@example.com", agent: str = "a test") -> Client:
    """Log somebody in, with an account if there is none."""
    body: dict[str, Any] = {"query": LOGIN, "variables": {"e": email, "p": PASSWORD}}
    answer = (await server.http.post("/graphql", json=body, headers={"User-Agent": agent})).json()["data"]
    if "code" in answer["login"]:
        await server.ask(REGISTER, i={"email": email, "password": PASSWORD})
        return await client(server, email, agent)
    return of(server, answer["login"])


def of(server: Server, answer: dict[str, Any]) -> Client:
    return Client(server, answer["session"]["accessToken"], answer["session"]["refreshToken"])


async def test_a_session_goes_on_by_its_refresh_token(database: Database, server: Server) -> None:
    ann = await client(server)
    next_ann = of(server, (await server.ask(REFRESH, t=ann.refresh_token))["refreshSession"])
    assert await next_ann.is_in()
    repeat = of(server, (await server.ask(REFRESH, t=ann.refresh_token))["refreshSession"])
    assert repeat.refresh_token == next_ann.refresh_token
    for token in (ann.refresh_token, next_ann.refresh_token):
        assert (await server.ask(REFRESH, t=token))["refreshSession"]["code"] == "SESSION_REVOKED"
    for one in (ann, next_ann, repeat):
        assert not await one.is_in()
    assert (await server.ask(REFRESH, t="rt_x"))["refreshSession"]["code"] == "SESSION_EXPIRED"


async def test_a_logout_works_at_once_and_leaves_other_sessions(database: Database, server: Server) -> None:
    phone, laptop = await client(server), await client(server)
    assert (await phone.ask(LOGOUT))["logout"] == {"success": True}
    assert [await phone.is_in(), await laptop.is_in()] == [False, True]
    answer = await phone.post("{ viewer { id } }")
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHORIZED"
    assert (await server.ask(LOGOUT_BY, t=laptop.refresh_token))["logout"] == {"success": True}
    assert not await laptop.is_in()
    assert (await server.ask(LOGOUT_BY, t=laptop.refresh_token))["logout"] == {"success": True}
    assert (await server.ask(LOGOUT_BY, t="x"))["logout"]["code"] == "SESSION_EXPIRED"
    assert (await server.error(LOGOUT))["extensions"]["code"] == "UNAUTHORIZED"


async def test_another_server_knows_of_a_logout_without_any_bus(
    database: Database, settings: Settings
) -> None:
    alone = settings.model_copy(update={"redis_url": None})
    async with serving(alone) as one, serving(alone) as other:
        ann = await client(one)
        elsewhere = Client(other, ann.access_token, ann.refresh_token)
        assert await elsewhere.is_in()
        await ann.ask(LOGOUT)
        assert not await ann.is_in()
        async with asyncio.timeout(10):
            while await elsewhere.is_in():
                await asyncio.sleep(0.01)


async def test_one_sees_where_one_is_logged_in_and_ends_it(database: Database, server: Server) -> None:
    phone, laptop = await client(server, agent="a phone"), await client(server, agent="a laptop")
    sessions = (await laptop.ask(SESSIONS))["viewer"]["sessions"]
    assert len(sessions) == 3  # the first of them since the account was made
    shown = [(session["device"], session["current"]) for session in sessions[:2]]
    assert shown == [("a laptop", True), ("a phone", False)]
    by_id = "query ($i: ID!) { node(id: $i) { id ... on Session { device } } }"
    phones = sessions[1]["id"]
    assert (await laptop.ask(by_id, i=phones))["node"] == {"id": phones, "device": "a phone"}
    bob = await client(server, "bob@example.com")
    assert (await bob.ask(by_id, i=phones))["node"] is None
    before = await everything(database)
    assert (await bob.ask(END, s=phones))["endSession"]["code"] == "SESSION_EXPIRED"
    assert await everything(database) == before
    assert await phone.is_in()
    assert (await laptop.ask(END, s=phones))["endSession"] == {"success": True}
    assert not await phone.is_in()
    assert (await laptop.ask(by_id, i=phones))["node"] is None
    assert len((await laptop.ask(SESSIONS))["viewer"]["sessions"]) == 2
    admin = await new_user(database, Role.ADMIN)
    assert (await server.ask(END, admin, s=sessions[0]["id"]))["endSession"] == {"success": True}
    assert not await laptop.is_in()


async def test_a_new_password_ends_the_other_sessions(database: Database, server: Server) -> None:
    phone, laptop = await client(server), await client(server)
    before = await everything(database)
    for current, new, code, field in (
        ("something else", "a better one", "INVALID_CREDENTIALS", None),
        (PASSWORD, "short", "VALIDATION_ERROR", "input.newPassword"),
    ):
        refused = (await laptop.ask(CHANGE, c=current, n=new))["changePassword"]
        assert (refused["code"], refused["field"]) == (code, field)
    assert await everything(database) == before
    changed = of(server, (await laptop.ask(CHANGE, c=PASSWORD, n="a better one"))["changePassword"])
    assert [await phone.is_in(), await laptop.is_in(), await changed.is_in()] == [False, True, True]
    assert (await server.ask(LOGIN, e="ann@example.com", p=PASSWORD))["login"]["code"]
    assert (await server.ask(LOGIN, e="ann@example.com", p="a better one"))["login"]["session"]
    assert (await server.ask(REFRESH, t=changed.refresh_token))["refreshSession"]["session"]
    assert (await server.error(CHANGE, c="x", n="a better one"))["extensions"]["code"] == "UNAUTHORIZED"


async def test_the_refresh_token_from_before_a_new_password_ends_the_session(
    database: Database, server: Server
) -> None:
    laptop = await client(server)
    changed = of(server, (await laptop.ask(CHANGE, c=PASSWORD, n="a better one"))["changePassword"])
    refused = await server.ask(REFRESH, t=laptop.refresh_token)
    assert refused["refreshSession"]["code"] == "SESSION_REVOKED"
    assert not await changed.is_in()


async def test_a_login_renews_a_hash_of_other_parameters(database: Database, server: Server) -> None:
    await client(server)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with database.transaction() as tx:
        await tx.rows("UPDATE users SET password_hash = $1", weak)
    await client(server)
    ((renewed,),) = await database.rows("SELECT password_hash FROM users")
    assert extract_parameters(renewed) != extract_parameters(weak)
    await client(server)
    assert await database.rows("SELECT 1 FROM users WHERE password_hash = $1", renewed)


async def test_who_would_wait_too_long_to_log_in_is_told_to_come_back(
    database: Database, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_places", BoundedSemaphore(1))
    assert passwords._places.acquire(blocking=False)
    busy = "{ ... on Refusal { code retryAfterSeconds } }"
    query = f'mutation {{ login(input: {{email: "ann@example.com", password: "x"}}) {busy} }}'
    assert (await server.ask(query))["login"] == {"code": "BUSY", "retryAfterSeconds": 1}


async def test_a_session_that_nobody_opened_changes_no_password(database: Database, server: Server) -> None:
    await client(server)
    (row,) = await database.rows("SELECT * FROM users")
    before = await everything(database)
    refused = await server.ask(CHANGE, User(**row), c=PASSWORD, n="a better one")
    assert refused["changePassword"]["code"] == "SESSION_REVOKED"
    assert await everything(database) == before
