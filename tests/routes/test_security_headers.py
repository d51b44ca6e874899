"""Each answer tells a browser to take it for no more than it is."""

import pytest
from pydantic import SecretStr

from database import Database
from settings import Mode, Settings
from tests.serving import Server, serving

PATHS = ["/graphql?query={__typename}", "/graphql", "/health", "/nowhere", "/events/x/plan", "/oauth/token"]


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_them(server: Server, path: str) -> None:
    answer = await server.http.get(path)
    said = answer.headers
    assert said["x-content-type-options"] == "nosniff"
    assert said["x-frame-options"] == "DENY"
    assert said["referrer-policy"] == "no-referrer"
    assert said["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert said["cache-control"] == "no-store"
    assert {"server", "strict-transport-security"}.isdisjoint(said)


async def test_an_answer_keeps_what_it_says_itself(server: Server) -> None:
    page = await server.http.get("/graphql", headers={"accept": "text/html"})
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers.get_list("referrer-policy") == ["no-referrer"]
    asset = await server.http.get("/graphql/assets/plain.js")
    assert asset.headers.get_list("cache-control") == ["no-cache"]


async def test_production_stays_with_https(settings: Settings, database: Database) -> None:
    secret = SecretStr("a secret of this house that is long enough")
    strict = settings.model_copy(update={"mode": Mode.PRODUCTION, "secret_key": secret})
    async with serving(strict) as server:
        proxied = await server.http.get("/health", headers={"x-forwarded-proto": "https"})
        assert proxied.headers["strict-transport-security"] == "max-age=31536000"
        assert "strict-transport-security" not in (await server.http.get("/health")).headers


async def test_other_pages_may_ask_only_if_they_are_named(settings: Settings, database: Database) -> None:
    named = "https://tickets.example.com"
    async with serving(settings.model_copy(update={"allowed_origins": [named]})) as server:
        for origin, expected in ((named, named), ("https://evil.example.com", None)):
            asked = {"origin": origin, "access-control-request-method": "POST"}
            asked["access-control-request-headers"] = "content-type"
            allowed = await server.http.options("/graphql", headers=asked)
            assert allowed.headers.get("access-control-allow-origin") == expected
            assert allowed.headers["x-content-type-options"] == "nosniff"
