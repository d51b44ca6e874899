"""Tokens of a provider are good here when it signed them, for us, for now; and no others are."""

import asyncio
import base64
import hmac
import time
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from auth.issuers import ALGORITHMS
from database import Database
from models.users import Role
from settings import Settings
from tests.openid import asked, refused, trusting_server, viewer
from tests.provider import CLIENT_ID, PUBLISHED_SECRET, RSA_KEY, Provider, providing
from tests.serving import Server
from tests.world import everything, new_user

ROLES = {"manager": "OPERATOR", "door": "STAFF", "rowlock-api/admin": "ADMIN"}


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with providing() as running:
        yield running


@pytest.fixture
async def house(database: Database, settings: Settings, provider: Provider) -> AsyncIterator[Server]:
    """A server that trusts the provider, for tokens with `aud` and for Cognito's."""
    async with trusting_server(settings, provider, client_ids=["cognito-app"], roles=ROLES) as server:
        yield server


async def test_a_token_of_the_provider_is_good_here(house: Server, provider: Provider) -> None:
    for audience in ("rowlock-api", ["account", "rowlock-api"]):
        answer = await viewer(house, provider.token(aud=audience, name="Ada"))
        assert (answer["roles"], answer["fullName"]) == (["USER"], "Ada")


@pytest.mark.parametrize("kind", ["RSA", "EC", "OKP"])
async def test_all_kinds_of_keys_are_known(house: Server, provider: Provider, kind: str) -> None:
    provider.rotate(kind)
    assert await viewer(house, provider.token())


async def test_a_token_without_a_key_id_is_of_the_only_key(house: Server, provider: Provider) -> None:
    claims = base64.urlsafe_b64decode(provider.token().split(".")[1] + "==")
    token = jws.serialize_compact({"alg": "RS256"}, claims, provider.keys[0], algorithms=["RS256"])
    assert await viewer(house, token)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-api"},
        {"aud": ["another-api"]},
        {"aud": None},
        {"aud": 7},
        {"aud": CLIENT_ID},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\0b"},
        {"sub": "x" * 300},
        {"sub": 7},
        {"iat": 2**40},
        {"iat": -5},
        {"exp": "soon"},
        {"nbf": 2**40},
        {"typ": "ID"},
        {"typ": "Refresh"},
        {"token_use": "id"},
        {"scope": None},
        {"at_hash": "as ID tokens have it"},
        {"cnf": {"jkt": "bound to a key that the client has to prove"}},
        {"aud": None, "token_use": "access"},
        {"aud": None, "token_use": "access", "client_id": "another-app"},
        {"aud": None, "client_id": "cognito-app"},
        {"aud": "another-api", "token_use": "access", "client_id": "cognito-app"},
        {"aud": None, "token_use": "id", "client_id": "cognito-app"},
    ],
)
async def test_a_token_that_is_not_for_us_is_refused(
    database: Database, house: Server, provider: Provider, claims: dict[str, Any]
) -> None:
    before = await everything(database)
    assert await refused(house, provider.token(**claims)) == (401, "UNAUTHORIZED")
    assert await everything(database) == before


async def test_an_expired_token_is_told_apart(house: Server, provider: Provider) -> None:
    long_ago = provider.token(exp=1_700_000_000, iat=1_699_999_000)
    assert await refused(house, long_ago) == (401, "TOKEN_EXPIRED")


async def test_a_token_that_was_good_expires(house: Server, provider: Provider) -> None:
    # Clocks may differ by half a minute, but nobody is let in by a token whose time is over.
    assert await refused(house, provider.token(exp=int(time.time()) - 5)) == (401, "TOKEN_EXPIRED")


async def test_no_token_is_good_for_more_than_a_day(house: Server, provider: Provider) -> None:
    now = int(time.time())
    assert await refused(house, provider.token(iat=now - 90_000, exp=now + 90_000)) == (401, "TOKEN_EXPIRED")


async def test_a_key_that_is_for_one_algorithm_is_for_no_other(house: Server, provider: Provider) -> None:
    provider.keys = [RSAKey.generate_key(2048, {"alg": "PS256", "kid": "pss"})]
    claims = base64.urlsafe_b64decode(provider.token(key=RSA_KEY).split(".")[1] + "==")
    plain = RSAKey.import_key({**provider.keys[0].as_dict(private=True), "alg": "RS256"})
    for alg, key, status in (("RS256", plain, 401), ("PS256", provider.keys[0], 200)):
        token = jws.serialize_compact({"alg": alg, "kid": "pss"}, claims, key, algorithms=[alg])
        assert (await asked(house, token)).status_code == status


async def test_an_issuer_that_is_not_configured_is_refused(
    database: Database, house: Server, provider: Provider
) -> None:
    before = await everything(database)
    for issuer in ("https://evil.example", provider.issuer + "/", "rowlock", None, 7, [provider.issuer]):
        assert await refused(house, provider.token(iss=issuer)) == (401, "UNAUTHORIZED")
    assert provider.asked_for_keys == 0
    assert await everything(database) == before


async def test_no_signature_but_the_issuers_own_counts(
    database: Database, house: Server, provider: Provider
) -> None:
    before = await everything(database)
    good = provider.token()
    head, body, signature = good.split(".")
    assert isinstance(provider.keys[0], RSAKey)
    public = provider.keys[0].as_pem(private=False)
    by_hmac = _part(orjson.dumps({"alg": "HS256", "kid": provider.keys[0].kid}))
    confused = _part(hmac.digest(public, f"{by_hmac}.{body}".encode(), "sha256"))
    published_oct = OctKey.import_key(PUBLISHED_SECRET)
    forged = RSAKey.generate_key(2048, {"kid": provider.keys[0].kid})
    unsigned = _part(orjson.dumps({"alg": "none", "kid": provider.keys[0].kid}))
    own_key = {"jwk": forged.as_dict(private=False)}
    for token in (
        f"{unsigned}.{body}.",
        f"{unsigned}.{body}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        f"{by_hmac}.{body}.{confused}",
        provider.token({"alg": "HS256"}, published_oct),
        provider.token(key=forged),
        provider.token(own_key, key=forged),
    ):
        assert await refused(house, token) == (401, "UNAUTHORIZED")
    assert await everything(database) == before
    assert await viewer(house, good)
    assert not [name for name in ALGORITHMS if name.startswith(("HS", "none"))]


def _part(said: bytes) -> str:
    """A part of a token made by hand."""
    return base64.urlsafe_b64encode(said).rstrip(b"=").decode()


@pytest.mark.parametrize("token", ["x", "..", "a.b.c", "é.é.é", "." * 50, "x" * 20_000, "e30.e30.e30"])
async def test_garbage_is_refused(house: Server, token: str) -> None:
    answer = await house.http.post(
        "/graphql", json={"query": "{ __typename }"}, headers={"Authorization": f"Bearer {token}".encode()}
    )
    assert answer.status_code == 401


async def test_a_token_of_keycloak(house: Server, provider: Provider) -> None:
    shaped = {
        "typ": "Bearer",
        "azp": "rowlock-web",
        "aud": ["rowlock-api", "account"],
        "sid": "0b5a2c4e",
        "preferred_username": "ada",
        "realm_access": {"roles": ["offline_access", "manager", "unknown", 7]},
        "resource_access": {"rowlock-api": {"roles": ["admin"]}, "account": {"roles": ["door"]}},
    }
    assert (await viewer(house, provider.token(**shaped)))["roles"] == ["USER", "OPERATOR", "ADMIN"]
    found = await roles(house, provider.token(**shaped))
    assert found == {Role.USER, Role.OPERATOR, Role.ADMIN}


async def test_a_token_of_cognito(house: Server, provider: Provider) -> None:
    shaped = {
        "aud": None,
        "client_id": "cognito-app",
        "token_use": "access",
        "username": "7f3c",
        "cognito:groups": ["door", "others"],
        "scope": "aws.cognito.signin.user.admin",
    }
    assert await roles(house, provider.token(**shaped)) == {Role.USER, Role.STAFF}


@pytest.mark.parametrize(
    "claims",
    [
        {"realm_access": "manager"},
        {"realm_access": {"roles": "manager"}},
        {"resource_access": ["rowlock-api/admin"]},
        {"resource_access": {"rowlock-api": ["admin"], "another": {"roles": ["admin"]}}},
        {"cognito:groups": {"manager": True}},
        {"roles": ["ADMIN", "OPERATOR"]},
    ],
)
async def test_roles_that_are_not_mapped_or_of_another_form_give_nothing(
    house: Server, provider: Provider, claims: dict[str, Any]
) -> None:
    assert await roles(house, provider.token(**claims)) == {Role.USER}


async def roles(server: Server, token: str) -> set[Role]:
    """What a token's roles allow, as the house sees it."""
    visitors = server.app.state.house.visitors
    found = await visitors.viewer(visitors.issuers.of(token), token)
    return set(found.roles)


async def test_roles_are_those_of_the_token_that_is_sent(
    database: Database, house: Server, provider: Provider
) -> None:
    assert await roles(house, provider.token(realm_access={"roles": ["manager"]})) == {
        Role.USER,
        Role.OPERATOR,
    }
    assert await roles(house, provider.token(jti="the next one")) == {Role.USER}
    assert [row["roles"] for row in await database.rows("SELECT roles FROM users")] == [["USER"]]


async def test_keys_are_rotated_while_it_runs(house: Server, provider: Provider) -> None:
    old = provider.token()
    alice = await viewer(house, old)
    provider.rotate()
    assert await viewer(house, provider.token()) == alice
    assert provider.asked_for_keys == 2
    # What was verified is remembered for as long as a token of our own lives.
    assert await viewer(house, old) == alice


async def test_a_flood_of_unknown_keys_asks_the_provider_once(
    database: Database, house: Server, provider: Provider
) -> None:
    good = provider.token()
    await viewer(house, good)
    before = await everything(database)
    forged = RSAKey.generate_key(2048)
    flood = [refused(house, provider.token({"kid": f"unknown-{n}"}, forged)) for n in range(40)]
    assert set(await asyncio.gather(*flood)) == {(401, "UNAUTHORIZED")}
    assert provider.asked_for_keys == 2
    assert await everything(database) == before
    assert await viewer(house, good)


async def test_while_the_provider_is_away_known_keys_are_good_and_others_wait(
    database: Database, house: Server, provider: Provider
) -> None:
    await viewer(house, provider.token())
    provider.is_away = True
    assert await viewer(house, provider.token(jti="another"))
    provider.rotate()
    before = await everything(database)
    answer = await asked(house, provider.token())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert await everything(database) == before


@pytest.mark.parametrize(
    "published",
    [
        {"issuer": "https://another.example"},
        {"jwks_uri": None},
        {"jwks_uri": "ftp://127.0.0.1/keys"},
        {"jwks_uri": "http://127.0.0.1:1/keys"},
        {"token_endpoint": 7},
        {"much": "x" * 600_000},
    ],
)
async def test_a_provider_that_says_nonsense_is_as_one_that_is_away(
    house: Server, provider: Provider, published: dict[str, Any]
) -> None:
    provider.published = published
    assert await refused(house, provider.token()) == (503, "SERVICE_UNAVAILABLE")


async def test_our_own_tokens_cost_no_look_at_the_provider(
    database: Database, house: Server, provider: Provider
) -> None:
    provider.is_away = True
    alice = await new_user(database, Role.OPERATOR)
    assert (await house.ask("{ viewer { roles } }", alice))["viewer"]["roles"] == ["USER", "OPERATOR"]
    assert provider.asked_for_keys == 0
