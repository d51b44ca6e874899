"""Doors that guessers try are limited by account and by address, and everything by what it costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from auth.budgets import Budgets
from auth.passwords import hash_password
from auth.rate_limits import Door, RateLimited, RateLimits
from database import Database
from models.users import User
from schema import ids
from settings import Settings, SettingsError, read_settings
from tests.live.valkey import Valkey
from tests.resolvers.test_codes import FORGOT, REQUEST, RESET, UPDATE, VERIFY
from tests.resolvers.test_seats import WATCH
from tests.resolvers.test_sessions import CHANGE, LOGIN, PASSWORD, REFRESH, REGISTER
from tests.resolvers.test_transfers import CONFIRM, INITIATE
from tests.serving import Server, receive, serving, subscribe
from tests.world import everything, new_event, new_user

COST = "{ rateLimit { cost limit remaining resetAt } }"


@asynccontextmanager
async def limited(settings: Settings, **rates: object) -> AsyncIterator[Server]:
    """A server without Redis that has these rates."""
    async with serving(settings.model_copy(update={"redis_url": None, **rates})) as server:
        yield server


async def somebody(database: Database, email: str) -> User:
    """A person who can log in."""
    user = await new_user(database, email=email)
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE users SET password_hash = $2 WHERE id = $1", user.id, await hash_password(PASSWORD)
        )
    return user


async def log_in(server: Server, email: str, password: str) -> str:
    """How an attempt to log in ends: the code of its refusal or error, or "in"."""
    answer = (await server.post(LOGIN, e=email, p=password)).json()
    if "errors" in answer:
        (error,) = answer["errors"]
        assert 0 < error["extensions"]["retryAfterSeconds"] <= 300
        return error["extensions"]["code"]
    return answer["data"]["login"].get("code", "in")


async def test_an_account_is_guessed_at_so_many_times_from_anywhere(
    database: Database, settings: Settings
) -> None:
    await somebody(database, "ann@example.com")
    await somebody(database, "bob@example.com")
    async with limited(settings, login_rate_per_account="3/5 minutes") as server:
        tries = [await log_in(server, email, "a wrong one") for email in ["ann@example.com"] * 2]
        tries.append(await log_in(server, " ANN@example.com", "a wrong one"))
        assert tries == ["INVALID_CREDENTIALS"] * 3
        before = await everything(database)
        assert await log_in(server, "ann@example.com", PASSWORD) == "RATE_LIMITED"
        assert await everything(database) == before
        assert await log_in(server, "bob@example.com", PASSWORD) == "in"


async def test_who_comes_in_is_not_counted_against(database: Database, settings: Settings) -> None:
    await somebody(database, "ann@example.com")
    async with limited(settings, login_rate_per_account="2/5 minutes") as server:
        for _ in range(3):
            assert await log_in(server, "ann@example.com", "a wrong one") == "INVALID_CREDENTIALS"
            assert await log_in(server, "ann@example.com", PASSWORD) == "in"


async def test_a_request_with_many_tries_is_so_many_tries(database: Database, settings: Settings) -> None:
    await somebody(database, "ann@example.com")
    tries = " ".join(
        f'a{n}: login(input: {{email: "ann@example.com", password: "wrong {n}"}}) {{ __typename }}'
        for n in range(3)
    )
    async with limited(settings, login_rate_per_account="2/5 minutes") as server:
        error = await server.error(f"mutation {{ {tries} }}")
    assert (error["path"], error["extensions"]["code"]) == (["a2"], "RATE_LIMITED")


async def test_an_address_is_limited_and_shuts_nobody_else_out(settings: Settings) -> None:
    rates = {"login_rate_per_account": "3/minute", "login_rate_per_address": "2/minute"}
    limits = RateLimits(settings.model_copy(update={"redis_url": None, **rates}))
    for _ in range(2):
        await limits.count(Door.LOGIN, "192.0.2.1", "ann@example.com")
    with pytest.raises(RateLimited):
        await limits.count(Door.LOGIN, "192.0.2.1", "ann@example.com")
    await limits.count(Door.LOGIN, "192.0.2.2", "ann@example.com")  # what was too much did not count
    with pytest.raises(RateLimited):
        await limits.count(Door.LOGIN, "192.0.2.2", "ann@example.com")


async def test_every_other_door_is_limited_too(database: Database, settings: Settings) -> None:
    ann = await somebody(database, "ann@example.com")
    person = {"email": "new@example.com", "password": PASSWORD}
    about = {"context": "EMAIL", "referenceId": ids.user_id(ann.id)}
    nothing = uuid4()
    wish = {"seatId": ids.seat_id(nothing, 0), "price": "1.00"}
    guess = {"transferId": ids.transfer_id(nothing, nothing), "sellerOtp": "123456"}
    doors: list[tuple[dict[str, str], str, dict[str, Any]]] = [
        ({"code_rate_per_account": "1/hour"}, UPDATE, {"e": "elsewhere@example.com"}),
        ({"code_rate_per_account": "1/hour"}, REQUEST, {"i": about}),
        ({"code_rate_per_account": "1/hour"}, VERIFY, {"i": about | {"code": "123456"}}),
        ({"code_rate_per_account": "1/hour"}, FORGOT, {"e": "nobody@example.com"}),
        ({"code_rate_per_address": "1/hour"}, RESET, {"t": "pr_x", "p": "another one"}),
        ({"code_rate_per_account": "1/hour"}, INITIATE, {"i": wish}),
        ({"transfer_rate_per_account": "1/hour"}, INITIATE, {"i": wish}),
        ({"code_rate_per_account": "1/hour"}, CONFIRM, {"i": guess}),
        ({"register_rate_per_address": "1/hour"}, REGISTER, {"i": person}),
        ({"refresh_rate_per_address": "1/hour"}, REFRESH, {"t": "no token"}),
        ({"login_rate_per_account": "1/hour"}, CHANGE, {"c": "wrong", "n": "another one"}),
    ]
    for rates, query, variables in doors:
        async with limited(settings, **rates) as server:
            await server.ask(query, ann, **variables)
            before = await everything(database)
            assert (await server.error(query, ann, **variables))["extensions"]["code"] == "RATE_LIMITED"
            assert await everything(database) == before


async def test_a_session_is_refreshed_so_many_times(database: Database, settings: Settings) -> None:
    await somebody(database, "ann@example.com")
    async with limited(settings, refresh_rate_per_account="1/hour") as server:
        logged_in = await server.ask(LOGIN, e="ann@example.com", p=PASSWORD)
        token = logged_in["login"]["session"]["refreshToken"]
        assert (await server.ask(REFRESH, t=token))["refreshSession"]["session"]
        assert (await server.error(REFRESH, t=token))["extensions"]["code"] == "RATE_LIMITED"


async def test_a_client_asks_for_so_many_tokens(database: Database, settings: Settings) -> None:
    form = {"grant_type": "client_credentials", "client_id": "till", "client_secret": "wrong"}
    async with limited(settings, client_rate_per_account="1/hour") as server:
        answers = [await server.http.post("/oauth/token", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [401, 429]
    assert answers[1].json()["error"] == "temporarily_unavailable"


async def test_processes_count_together_and_each_by_itself_while_redis_is_away(
    settings: Settings, valkey: Valkey
) -> None:
    update = {"redis_url": valkey.url, "login_rate_per_account": "2/hour"}
    one, other = (RateLimits(settings.model_copy(update=update)) for _ in range(2))
    await one.count(Door.LOGIN, "", "ann")
    await other.count(Door.LOGIN, "", "ann")
    for limits in (one, other):
        with pytest.raises(RateLimited):
            await limits.count(Door.LOGIN, "", "ann")
    await other.forget(Door.LOGIN, "ann")
    await one.count(Door.LOGIN, "", "ann")
    await valkey.kill()
    for limits in (one, other):
        for _ in range(2):
            await limits.count(Door.LOGIN, "", "bob")
        with pytest.raises(RateLimited):
            await limits.count(Door.LOGIN, "", "bob")
        await limits.stop()


async def test_a_redis_that_does_not_answer_is_left_alone_for_a_while(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {"redis_url": "redis://127.0.0.1:1", "login_rate_per_account": "9/hour"}
    limits = RateLimits(settings.model_copy(update=nowhere))
    for _ in range(3):
        await limits.count(Door.LOGIN, "", "ann")
    assert len([r for r in caplog.records if "counted by each process" in r.message]) == 1
    monkeypatch.setattr("auth.rate_limits.REST_SECONDS", 0)
    limits._rests_until = 0
    for _ in range(2):
        await limits.count(Door.LOGIN, "", "ann")
    assert len([r for r in caplog.records if "counted by each process" in r.message]) == 3
    await limits.stop()


def test_no_more_spenders_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth.budgets.SPENDERS_MAX", 2)
    budgets = Budgets(10)
    for number in range(50):
        assert budgets.spend(str(number), 1)
        assert len(budgets._spent) <= 3


async def test_a_budget_is_told_and_kept(database: Database, settings: Settings) -> None:
    ann, bob = await new_user(database), await new_user(database)
    async with limited(settings, cost_per_minute_max=4) as server:
        told = (await server.ask(COST, ann))["rateLimit"]
        assert (told["cost"], told["limit"]) == (1, 4)
        assert told["remaining"] in (3, 4)  # a minute may just have begun
        assert datetime.fromisoformat(told["resetAt"]) > datetime.now(UTC)
        dear = "{ a: rateLimit { cost } b: rateLimit { cost } c: rateLimit { cost } d: rateLimit { cost } }"
        answers = [(await server.post(dear, ann)).json() for _ in range(3)]  # one more than two minutes have
        error = answers[-1]["errors"][0]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 0 < error["extensions"]["retryAfterSeconds"] <= 60
        assert "data" not in answers[-1]
        assert (await server.ask(COST, bob))["rateLimit"]["cost"] == 1


async def test_who_has_no_account_has_the_budget_of_the_address(
    database: Database, settings: Settings
) -> None:
    async with limited(settings, cost_per_minute_max=1) as server:
        answers = [(await server.post(COST)).json() for _ in range(3)]  # one more than two minutes have
        assert answers[-1]["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
        assert await server.ask(COST, await new_user(database))


async def test_watching_again_and_again_takes_from_the_budget_too(
    database: Database, settings: Settings
) -> None:
    event = await new_event(database)
    async with limited(settings, cost_per_minute_max=20) as server, server.socket() as socket:
        said = []
        for number in range(60):
            id = str(number)
            await subscribe(socket, WATCH, id, e=ids.event_id(event.id))
            said.append(await receive(socket))
            if said[-1]["type"] == "error":
                break
        assert said[0]["type"] == "next"
        assert said[-1]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


def test_a_rate_that_cannot_be_understood_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="LOGIN_RATE_PER_ACCOUNT: must be a rate, as in 10/minute"):
        read_settings(database_url="postgresql://x/y", login_rate_per_account="often")
