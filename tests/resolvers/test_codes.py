"""Codes from the outside: from the refusal that asks for one, over the mailbox, to the ticket."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from database import Database
from jobs.relay import number_changes_once
from live.bus import Bus
from models.catalogue import Event
from models.users import Role, User
from resolvers import sessions
from schema import ids
from settings import Settings
from tests.codes import code_in, flagged_user, other_than
from tests.people import logged_in
from tests.serving import Server, serving
from tests.world import everything, hold, letters, new_event, new_user

REFUSAL = "... on Refusal { code attemptsLeft retryAfterSeconds }"
OTP = f"{{ ... on OtpPayload {{ otp {{ verified sentTo expiresAt attemptsLeft }} }} {REFUSAL} }}"
REQUEST = f"mutation ($i: RequestOtpInput!) {{ requestOtp(input: $i) {OTP} }}"
VERIFY = f"mutation ($i: VerifyOtpInput!) {{ verifyOtp(input: $i) {OTP} }}"
PAY = f"""mutation ($o: ID!) {{ pay(input: {{orderId: $o}}) {{
    ... on OrderPayload {{ order {{ status }} }} {REFUSAL} }} }}"""
FORGOT = """mutation ($e: String!) { requestPasswordReset(input: {email: $e}) {
    ... on LogoutPayload { success } ... on Refusal { code } } }"""
RESET = """mutation ($t: String!, $p: String!) { resetPassword(input: {token: $t, newPassword: $p}) {
    ... on SessionPayload { session { accessToken user { email } } } ... on Refusal { code field } } }"""
LOGIN = """mutation ($e: String!, $p: String!) { login(input: {email: $e, password: $p}) {
    ... on SessionPayload { session { user { email } } } ... on Refusal { code } } }"""
UPDATE = """mutation ($e: String!) { updateUser(input: {email: $e}) {
    ... on UserPayload { user { id email } } ... on Refusal { code field } } }"""


@pytest.fixture
async def server(database: Database, busy: Settings) -> AsyncIterator[Server]:
    """A server that delivers what it writes."""
    async with serving(busy) as running:
        yield running


@pytest.fixture
async def alice(database: Database) -> User:
    user = await new_user(database, credits_minor=9_000, email="alice@example.com")
    return await flagged_user(database, user)


@pytest.fixture
async def event(database: Database) -> Event:
    return await new_event(database)


async def mail_to(server: Server, address: str, count: int = 1) -> dict[str, Any]:
    """The last of so many mails that came to an address."""
    async with asyncio.timeout(10):
        while len(mails := (await server.http.get("/mailbox", params={"to": address})).json()) < count:
            await asyncio.sleep(0.01)
    return mails[0]


async def until_settled(database: Database) -> None:
    """Until all that was to be sent is sent, and erased."""
    async with asyncio.timeout(10):
        while await database.rows("SELECT 1 FROM deliveries WHERE state <> 'SENT' OR sealed IS NOT NULL"):
            await asyncio.sleep(0.01)


async def test_a_flagged_buyer_pays_with_the_code_from_the_mailbox(
    database: Database,
    server: Server,
    alice: User,
    event: Event,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "rowlock")
    order = await hold(database, alice, event, [0])
    id = ids.order_id(event.id, order.id)
    about = {"context": "PURCHASE", "referenceId": id}
    assert (await server.ask(PAY, alice, o=id))["pay"]["code"] == "OTP_REQUIRED"
    otp = (await server.ask(REQUEST, alice, i=about))["requestOtp"]["otp"]
    assert (otp["verified"], otp["sentTo"], otp["attemptsLeft"]) == (False, "a***@example.com", 3)
    again = (await server.ask(REQUEST, alice, i=about))["requestOtp"]
    assert (again["code"], again["retryAfterSeconds"] in range(1, 31)) == ("BUSY", True)
    code = code_in((await mail_to(server, "alice@example.com"))["body"])
    wrong = (await server.ask(VERIFY, alice, i=about | {"code": other_than(code)}))["verifyOtp"]
    assert (wrong["code"], wrong["attemptsLeft"]) == ("OTP_INVALID", 2)
    assert (await server.ask(PAY, alice, o=id))["pay"]["code"] == "OTP_REQUIRED"
    right = (await server.ask(VERIFY, alice, i=about | {"code": code}))["verifyOtp"]["otp"]
    assert (right["verified"], right["attemptsLeft"]) == (True, 2)
    assert (await server.ask(PAY, alice, o=id))["pay"]["order"]["status"] == "CONFIRMED"
    assert re.search(rf"\b{code}\b", caplog.text) is None
    await until_settled(database)


async def test_thirty_aliases_are_thirty_tries(
    database: Database, server: Server, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0])
    id = ids.order_id(event.id, order.id)
    await server.ask(REQUEST, alice, i={"context": "PURCHASE", "referenceId": id})
    each = 'verifyOtp(input: {context: PURCHASE, referenceId: $o, code: "no"}) { ... on Refusal { code } }'
    aliases = " ".join(f"a{number}: {each}" for number in range(30))
    answers = await server.ask(f"mutation ($o: ID!) {{ {aliases} }}", alice, o=id)
    codes = [answer["code"] for answer in answers.values()]
    assert codes == ["OTP_INVALID"] * 2 + ["OTP_MAX_RETRIES"] * 28
    assert await letters(database, event) == "A" * 10


async def test_what_is_not_ones_own_and_what_is_no_id_is_refused(
    database: Database, server: Server, alice: User, event: Event
) -> None:
    order, bob = await hold(database, alice, event, [0]), await new_user(database)
    about = {"context": "PURCHASE", "referenceId": ids.order_id(event.id, order.id)}
    await number_changes_once(database, Bus(None), [event.id])  # which the server would do by itself
    before = await everything(database)
    assert (await server.ask(REQUEST, bob, i=about))["requestOtp"]["code"] == "ORDER_NOT_FOUND"
    given = about | {"code": "1"}
    assert (await server.ask(VERIFY, bob, i=given))["verifyOtp"]["code"] == "ORDER_NOT_FOUND"
    transfer = {"context": "TRANSFER", "referenceId": ids.transfer_id(event.id, order.id)}
    assert (await server.ask(REQUEST, bob, i=transfer))["requestOtp"]["code"] == "TRANSFER_NOT_FOUND"
    assert (await server.error(REQUEST, i=about))["extensions"]["code"] == "UNAUTHORIZED"
    wrong = about | {"context": "EMAIL"}
    assert (await server.error(REQUEST, alice, i=wrong))["extensions"]["code"] == "INVALID_ID"
    assert await everything(database) == before


async def test_a_forgotten_password_is_set_anew(database: Database, server: Server, alice: User) -> None:
    old = await logged_in(database, alice)
    token_before = server.app.state.house.tokens.make(alice.id, frozenset({Role.USER}), old.session_id)
    asked = await server.ask(FORGOT, e=" Alice@Example.com ")
    assert asked == {"requestPasswordReset": {"success": True}}
    token = code_in((await mail_to(server, "alice@example.com"))["body"])
    await until_settled(database)
    before = await everything(database)
    short = (await server.ask(RESET, t=token, p="short"))["resetPassword"]
    assert (short["code"], short["field"]) == ("VALIDATION_ERROR", "input.newPassword")
    assert (await server.ask(RESET, t="guessed", p="a better one"))["resetPassword"]["code"] == "OTP_INVALID"
    assert await everything(database) == before
    session = (await server.ask(RESET, t=token, p="a better one"))["resetPassword"]["session"]
    assert session["user"]["email"] == "alice@example.com"
    assert (await server.ask(LOGIN, e="alice@example.com", p="a better one"))["login"]["session"]
    body = {"query": "{ viewer { id } }"}
    answer = await server.http.post(
        "/graphql", json=body, headers={"Authorization": f"Bearer {token_before}"}
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHORIZED"
    assert (await server.ask(RESET, t=token, p="another one"))["resetPassword"]["code"] == "OTP_EXPIRED"


async def test_who_is_unknown_gets_the_same_answer_and_not_before_the_others(
    database: Database, server: Server, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "RESET_ANSWER_SECONDS", 0)
    await new_user(database, email="bob@example.com")
    before = await everything(database)
    unknown = await server.ask(FORGOT, e="nobody@example.com")
    assert await everything(database) == before
    assert unknown == await server.ask(FORGOT, e="alice@example.com")
    monkeypatch.setattr(sessions, "RESET_ANSWER_SECONDS", 600)
    asking = [asyncio.create_task(server.ask(FORGOT, e=e)) for e in ("x@example.com", "bob@example.com")]
    await mail_to(server, "bob@example.com")
    assert not any(task.done() for task in asking)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)


async def test_a_new_e_mail_address_takes_effect_with_its_code(
    database: Database, server: Server, alice: User
) -> None:
    given = (await server.ask(UPDATE, alice, e="new@example.com"))["updateUser"]["user"]
    assert given["email"] == "alice@example.com"
    code = code_in((await mail_to(server, "new@example.com"))["body"])
    about = {"context": "EMAIL", "referenceId": given["id"], "code": code}
    assert (await server.ask(VERIFY, alice, i=about))["verifyOtp"]["otp"]["sentTo"] == "n***@example.com"
    assert (await mail_to(server, "alice@example.com"))["subject"] == "Your e-mail address was changed"
    assert (await server.ask("{ viewer { email } }", alice))["viewer"]["email"] == "new@example.com"


async def test_an_admin_names_an_address_for_another_and_its_owner_confirms_it(
    database: Database, server: Server, alice: User
) -> None:
    admin = await new_user(database, Role.ADMIN)
    named = """mutation ($u: ID!) { updateUser(input: {userId: $u, email: "new@example.com"}) {
        ... on UserPayload { user { email } } ... on Refusal { code } } }"""
    await server.ask(named, admin, u=ids.user_id(alice.id))
    code = code_in((await mail_to(server, "new@example.com"))["body"])
    about = {"context": "EMAIL", "referenceId": ids.user_id(alice.id), "code": code}
    assert (await server.ask(VERIFY, admin, i=about))["verifyOtp"]["code"] == "USER_NOT_FOUND"
    assert (await server.ask(VERIFY, alice, i=about))["verifyOtp"]["otp"]["verified"]


async def test_a_worker_of_another_process_delivers_for_a_server_without_jobs(
    database: Database, settings: Settings, busy: Settings, alice: User, event: Event
) -> None:
    order = await hold(database, alice, event, [0])
    about = {"context": "PURCHASE", "referenceId": ids.order_id(event.id, order.id)}
    async with serving(settings) as idle:
        await idle.ask(REQUEST, alice, i=about)
        async with serving(busy):
            assert await mail_to(idle, "alice@example.com")
