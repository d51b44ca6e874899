"""A house that trusts one provider, and browsers that log in there."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from settings import Settings
from settings.providers import OidcIssuer
from tests.provider import AUDIENCE, CLIENT_ID, CLIENT_SECRET, Provider
from tests.serving import Server, serving

CALLBACK = "https://tickets.example/oidc/house/callback"
RETURN_URL = "https://shop.example/welcome"
WHO = "{ viewer { id roles fullName email } }"


def trusting(settings: Settings, *issuers: dict[str, Any]) -> Settings:
    """Settings with these issuers, as they would be read from the environment."""
    checked = [OidcIssuer.model_validate(issuer) for issuer in issuers]
    return settings.model_copy(update={"oidc_issuers": checked})


def as_house(provider: Provider, *return_urls: str, **changes: Any) -> dict[str, Any]:
    """The configuration of a provider, with logins by browser."""
    provider.client.redirect_uri = CALLBACK
    login = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": CALLBACK,
        "return_urls": return_urls,
    }
    given = {"name": "house", "issuer": provider.issuer, "audiences": [AUDIENCE], "login": login}
    return given | changes


@contextlib.asynccontextmanager
async def trusting_server(settings: Settings, provider: Provider, **changes: Any) -> AsyncIterator[Server]:
    """A real server that trusts this provider."""
    async with serving(trusting(settings, as_house(provider, **changes))) as server:
        yield server


async def asked(server: Server, token: str, query: str = WHO) -> httpx2.Response:
    """What a query is answered that comes with this token."""
    return await server.http.post(
        "/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"}
    )


async def viewer(server: Server, token: str) -> dict[str, Any]:
    """Who a token speaks for, as the API says."""
    answer = (await asked(server, token)).json()
    assert "errors" not in answer, answer
    return answer["data"]["viewer"]


async def refused(server: Server, token: str) -> tuple[int, str]:
    """The status and the code that a token is refused with."""
    answer = await asked(server, token)
    (error,) = answer.json()["errors"]
    return answer.status_code, error["extensions"]["code"]


class Browser:
    """Follows redirects between the house and the provider, keeping the house's cookies."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.cookies: dict[str, str] = {}

    async def get(self, path: str) -> httpx2.Response:
        """What the house answers, without following it."""
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self._server.http.get(path, headers={"cookie": sent})
        for line in answer.headers.get_list("set-cookie"):
            (name, _, value), attributes = line.partition(";")[0].partition("="), line.lower()
            assert {"httponly", "secure", "samesite=lax"} <= set(attributes.split("; "))
            self.cookies[name] = value.strip('"')
            if "max-age=0" in attributes:
                del self.cookies[name]
        return answer

    async def to_callback(self, login: str = "/oidc/house/login") -> str:
        """Log in at the provider; the address, without its host, that it sends the browser back to."""
        answer = await self.get(login)
        assert answer.status_code == 302, answer.text
        async with httpx2.AsyncClient() as http:
            back = await http.get(answer.headers["location"])
        assert back.status_code == 302, back.text
        location = urlsplit(back.headers["location"])
        assert location._replace(query="").geturl() == CALLBACK
        return f"{location.path}?{location.query}"

    async def log_in(self, login: str = "/oidc/house/login") -> httpx2.Response:
        """The whole way; what the house answers in the end."""
        return await self.get(await self.to_callback(login))


def fragment(answer: httpx2.Response) -> dict[str, str]:
    """What the page is told that a browser is sent to."""
    assert answer.status_code == 303, answer.text
    location = urlsplit(answer.headers["location"])
    assert location._replace(fragment="").geturl() == RETURN_URL
    return dict(parse_qsl(location.fragment))
