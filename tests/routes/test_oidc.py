"""Browsers log in by a provider, and get a session of ours; what goes wrong is said, and leaves nothing."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from database import Database
from settings import Settings
from steps.permit import deactivate_user
from steps.transact import transact
from tests.openid import RETURN_URL, Browser, as_house, fragment, trusting, trusting_server, viewer
from tests.provider import CLIENT_ID, Provider, providing
from tests.serving import Server, serving
from tests.world import everything

ROLES = {"manager": "OPERATOR"}
MANAGER = {"realm_access": {"roles": ["manager"]}}
REFRESH = """mutation ($token: String!) { refreshSession(input: {refreshToken: $token}) {
    ... on SessionPayload { session { accessToken refreshToken } } ... on Refusal { code } } }"""


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with providing() as running:
        yield running


@pytest.fixture
async def house(database: Database, settings: Settings, provider: Provider) -> AsyncIterator[Server]:
    """A server whose answers to browsers are JSON."""
    async with trusting_server(settings, provider, roles=ROLES) as server:
        yield server


@pytest.fixture
async def shop(database: Database, settings: Settings, provider: Provider) -> AsyncIterator[Server]:
    """A server that sends browsers back to a page."""
    config = as_house(provider, RETURN_URL, "https://shop.example/other")
    async with serving(trusting(settings, config)) as server:
        yield server


async def test_the_way_to_the_provider_has_pkce_a_state_and_a_nonce(house: Server) -> None:
    first, second = [await house.http.get("/oidc/house/login") for _ in range(2)]
    assert (first.status_code, first.headers["cache-control"]) == (302, "no-store")
    queries = [parse_qs(urlsplit(answer.headers["location"]).query) for answer in (first, second)]
    for query in queries:
        assert query["client_id"] == [CLIENT_ID]
        assert query["response_type"] == ["code"]
        assert query["code_challenge_method"] == ["S256"]
        assert query["scope"] == ["openid profile email"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(queries[0][name][0]) >= 32
        assert queries[0][name] != queries[1][name]


async def test_a_login_opens_a_session_of_ours(house: Server, provider: Provider) -> None:
    provider.id_claims = {"name": "Ada"}
    provider.claims = MANAGER
    answer = await Browser(house).log_in()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    said = answer.json()
    assert (said["tokenType"], said["expiresIn"]) == ("Bearer", 900)
    ada = await viewer(house, said["accessToken"])
    assert (ada["fullName"], ada["roles"]) == ("Ada", ["USER", "OPERATOR"])
    # The provider's own token is for the same person.
    assert (await viewer(house, provider.token()))["id"] == ada["id"]
    refreshed = (await house.ask(REFRESH, token=said["refreshToken"]))["refreshSession"]["session"]
    assert (await viewer(house, refreshed["accessToken"]))["roles"] == ["USER", "OPERATOR"]
    again = (await Browser(house).log_in()).json()
    assert (await viewer(house, again["accessToken"]))["id"] == ada["id"]


async def test_roles_of_an_id_token_count_and_those_of_somebody_else_do_not(
    house: Server, provider: Provider
) -> None:
    provider.id_claims, provider.claims = MANAGER, {"aud": "for the provider itself"}
    said = (await Browser(house).log_in()).json()
    assert (await viewer(house, said["accessToken"]))["roles"] == ["USER", "OPERATOR"]
    provider.id_claims, provider.claims = {}, MANAGER | {"sub": "somebody else"}
    said = (await Browser(house).log_in()).json()
    assert (await viewer(house, said["accessToken"]))["roles"] == ["USER"]


async def test_a_page_gets_a_word_that_gets_the_tokens_once(shop: Server) -> None:
    browser = Browser(shop)
    answer = await browser.log_in(f"/oidc/house/login?{urlencode({'return_to': RETURN_URL, 'state': 's 1'})}")
    said = fragment(answer)
    assert said.keys() == {"refresh_token", "state"}
    assert said["state"] == "s 1"
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert browser.cookies == {}
    session = (await shop.ask(REFRESH, token=said["refresh_token"]))["refreshSession"]["session"]
    assert (await viewer(shop, session["accessToken"]))["roles"] == ["USER"]
    # Who comes with the word of long ago ends the session; here, after the one that came after it.
    await shop.ask(REFRESH, token=session["refreshToken"])
    again = (await shop.ask(REFRESH, token=said["refresh_token"]))["refreshSession"]
    assert again == {"code": "SESSION_REVOKED"}
    assert fragment(await Browser(shop).log_in()).keys() == {"refresh_token"}


@pytest.mark.parametrize(
    "query",
    [
        {"return_to": "https://evil.example"},
        {"return_to": RETURN_URL + "/../evil"},
        {"return_to": RETURN_URL + "?x"},
        {"return_to": ""},
        {"return_to": RETURN_URL, "state": "x" * 501},
    ],
)
async def test_nobody_is_sent_to_a_page_that_is_not_configured(shop: Server, query: dict[str, str]) -> None:
    answer = await shop.http.get(f"/oidc/house/login?{urlencode(query)}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "set-cookie" not in answer.headers


async def test_where_no_page_is_configured_none_is_taken(house: Server) -> None:
    answer = await house.http.get(f"/oidc/house/login?{urlencode({'return_to': RETURN_URL})}")
    assert answer.status_code == 400


async def test_a_login_is_finished_only_where_it_was_begun(
    database: Database, house: Server, provider: Provider
) -> None:
    browser, other = Browser(house), Browser(house)
    callback, others = await browser.to_callback(), await other.to_callback()
    before = await everything(database)
    path, _, query = callback.partition("?")
    code, state = dict(parse_qsl(query))["code"], dict(parse_qsl(query))["state"]
    ((name, kept),) = browser.cookies.items()
    forger = Browser(house)
    for attempt, cookies in (
        (callback, {}),
        (callback, other.cookies),
        (callback, {name: next(iter(other.cookies.values()))}),
        (callback, {name: kept[:-4] + "AAAA"}),
        (callback, {name: "AAAA" + kept[4:]}),
        (callback, {name: "not base64 at all"}),
        (others, browser.cookies),
        (f"{path}?code={code}", browser.cookies),
        (f"{path}?code={code}&state={state}x", browser.cookies),
        (path, browser.cookies),
    ):
        forger.cookies = dict(cookies)
        answer = await forger.get(attempt)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert await everything(database) == before
    assert (await browser.get(callback)).status_code == 200


async def test_a_callback_is_good_once(database: Database, house: Server) -> None:
    browser = Browser(house)
    callback = await browser.to_callback()
    kept = dict(browser.cookies)
    assert (await browser.get(callback)).status_code == 200
    before = await everything(database)
    assert (await browser.get(callback)).status_code == 400
    browser.cookies = kept
    answer = await browser.get(callback)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await everything(database) == before


async def test_a_code_of_another_login_is_refused_by_its_verifier(database: Database, house: Server) -> None:
    """As when somebody has got hold of another's code and puts it into a login of their own."""
    victim, thief = Browser(house), Browser(house)
    code = dict(parse_qsl(urlsplit(await victim.to_callback()).query))["code"]
    own = urlsplit(await thief.to_callback())
    state = dict(parse_qsl(own.query))["state"]
    before = await everything(database)
    answer = await thief.get(f"{own.path}?{urlencode({'code': code, 'state': state})}")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert await everything(database) == before


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "of another login"},
        {"aud": "another-client"},
        {"aud": [CLIENT_ID, "another-client"]},
        {"azp": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": 1_700_000_000},
        {"sub": ""},
        {"token_use": "access"},
        {"typ": "Bearer"},
    ],
)
async def test_an_id_token_that_is_not_for_this_login_is_refused(
    database: Database, house: Server, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.id_claims = claims
    before = await everything(database)
    answer = await Browser(house).log_in()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_token")
    assert await everything(database) == before


async def test_what_the_provider_says_no_to_is_passed_on(
    database: Database, house: Server, shop: Server, provider: Provider
) -> None:
    provider.denies = True
    before = await everything(database)
    answer = await Browser(house).log_in()
    assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")
    assert fragment(await Browser(shop).log_in())["error"] == "access_denied"
    assert await everything(database) == before


async def test_an_answer_of_another_provider_is_refused(database: Database, house: Server) -> None:
    browser = Browser(house)
    callback = await browser.to_callback()
    before = await everything(database)
    answer = await browser.get(f"{callback}&iss=https%3A%2F%2Fevil.example")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert await everything(database) == before


async def test_who_is_deactivated_is_not_logged_in(
    database: Database, house: Server, shop: Server, provider: Provider
) -> None:
    await Browser(house).log_in()
    (row,) = await database.rows("SELECT id FROM users")
    await transact(database, deactivate_user, user_id=row["id"])
    before = await everything(database)
    answer = await Browser(house).log_in()
    assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")
    assert fragment(await Browser(shop).log_in())["error"] == "access_denied"
    assert await everything(database) == before


async def test_a_provider_that_is_away_is_said_so(
    database: Database, house: Server, provider: Provider
) -> None:
    provider.is_away = True
    answer = await house.http.get("/oidc/house/login")
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")


async def test_a_provider_that_goes_away_in_the_middle_is_said_so(
    database: Database, house: Server, shop: Server, provider: Provider
) -> None:
    in_json, in_page = Browser(house), Browser(shop)
    callbacks = await in_json.to_callback(), await in_page.to_callback()
    provider.is_away = True
    before = await everything(database)
    answer = await in_json.get(callbacks[0])
    assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
    assert fragment(await in_page.get(callbacks[1]))["error"] == "temporarily_unavailable"
    assert await everything(database) == before


async def test_keys_that_are_rotated_during_a_login_do_no_harm(house: Server, provider: Provider) -> None:
    browser = Browser(house)
    await viewer(house, provider.token())
    callback = await browser.to_callback()
    provider.rotate("OKP")
    assert (await browser.get(callback)).status_code == 200


async def test_without_a_provider_there_are_no_such_routes(server: Server, provider: Provider) -> None:
    for path in ("/oidc/house/login", "/oidc/house/callback"):
        assert (await server.http.get(path)).status_code == 404
    answer = await server.http.post(
        "/graphql",
        json={"query": "{ __typename }"},
        headers={"Authorization": f"Bearer {provider.token()}"},
    )
    assert answer.status_code == 401


async def test_a_provider_without_a_login_has_tokens_only(
    database: Database, settings: Settings, provider: Provider
) -> None:
    async with trusting_server(settings, provider, login=None) as server:
        assert (await server.http.get("/oidc/house/login")).status_code == 404
        assert await viewer(server, provider.token())


async def test_the_secret_is_shown_to_nobody(house: Server, provider: Provider) -> None:
    answer: httpx2.Response = await house.http.get("/oidc/house/login")
    assert "the-secret-of-a-test" not in repr(answer.headers) + repr(house.app.state.house.settings)


async def test_coming_back_from_the_provider_is_tried_so_many_times(
    database: Database, settings: Settings, provider: Provider
) -> None:
    few = settings.model_copy(update={"redis_url": None, "login_rate_per_address": "1/hour"})
    async with trusting_server(few, provider, roles=ROLES) as server:
        assert (await Browser(server).log_in()).status_code == 200
        before = await everything(database)
        answer = await Browser(server).log_in()
        assert (answer.status_code, answer.json()["error"]) == (503, "temporarily_unavailable")
        assert await everything(database) == before
