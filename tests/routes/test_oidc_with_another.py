"""A provider of somebody else's making, in a process of its own: its logins and its tokens are good."""

import asyncio
import contextlib
import shutil
from asyncio.subprocess import DEVNULL, PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from database import Database
from settings import Settings
from tests.openid import CALLBACK, Browser, refused, trusting, viewer
from tests.provider import AUDIENCE, CLIENT_ID, CLIENT_SECRET
from tests.serving import Server, serving

FOLDER = Path(__file__).parent.parent / "openid_provider"
INSTALL_SECONDS_MAX = 120
START_SECONDS_MAX = 30
STEPS_MAX = 12


async def installed() -> None:
    """Have the provider here, or skip the test and say why."""
    npm = shutil.which("npm")
    if not (npm and shutil.which("node")):
        pytest.skip("npm is not here, so there is no oidc-provider to test with")
    if (FOLDER / "node_modules/.package-lock.json").exists():
        return
    process = await create_subprocess_exec(npm, "ci", "--silent", cwd=FOLDER, stdin=DEVNULL)
    try:
        async with asyncio.timeout(INSTALL_SECONDS_MAX):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        status = await process.wait()
    if status:
        pytest.skip("npm could not install oidc-provider")


@contextlib.asynccontextmanager
async def another_provider() -> AsyncIterator[str]:
    """Run oidc-provider until the block ends; it also ends with this process."""
    await installed()
    arguments = (CLIENT_ID, CLIENT_SECRET, CALLBACK, AUDIENCE)
    process = await create_subprocess_exec(
        "node", "provider.mjs", *arguments, cwd=FOLDER, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin
    assert process.stdout
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            line = (await process.stdout.readline()).decode()
        yield line.removeprefix("listening at ").strip()
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(START_SECONDS_MAX):
                await process.wait()
        except TimeoutError:
            process.kill()


async def through_its_pages(http: httpx2.AsyncClient, address: str) -> str:
    """Log in on the provider's own pages and consent; the path and query that it sends a browser to."""
    form: dict[str, str] | None = None
    for _ in range(STEPS_MAX):
        answer = await (http.post(address, data=form) if form else http.get(address))
        form = None
        if answer.is_redirect:
            address = urljoin(address, answer.headers["location"])
            if address.startswith(CALLBACK):
                return urlsplit(address)._replace(scheme="", netloc="").geturl()
        elif 'value="login"' in answer.text:
            form = {"prompt": "login", "login": "ada", "password": "anything"}
        else:
            assert 'value="consent"' in answer.text, answer.text
            form = {"prompt": "consent"}
    raise AssertionError("the provider does not come to an end")


async def test_its_logins_and_its_tokens_are_good_while_its_keys_are_rotated(
    database: Database, settings: Settings
) -> None:
    async with another_provider() as issuer, httpx2.AsyncClient() as http:
        login = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": CALLBACK}
        config: dict[str, Any] = {
            "name": "house",
            "issuer": issuer,
            "audiences": [AUDIENCE, CLIENT_ID],
            "roles": {"manager": "OPERATOR"},
            "trust_email": True,
            "login": login,
        }
        people = []
        for use in (by_browser, by_front_end):
            async with serving(trusting(settings, config)) as server:
                for _ in range(2):
                    people.append(await use(server, http, issuer))
                    await http.post(f"{issuer}/rotate")
    assert people == [people[0]] * 4
    assert (people[0]["email"], people[0]["roles"]) == ("ada@example.com", ["USER", "OPERATOR"])


async def by_browser(server: Server, http: httpx2.AsyncClient, issuer: str) -> dict[str, Any]:
    """Who is logged in by a browser."""
    browser = Browser(server)
    begun = await browser.get("/oidc/house/login")
    answer = await browser.get(await through_its_pages(http, begun.headers["location"]))
    assert answer.status_code == 200, answer.text
    return await viewer(server, answer.json()["accessToken"])


async def by_front_end(server: Server, http: httpx2.AsyncClient, issuer: str) -> dict[str, Any]:
    """Who comes with an access token of the provider's; its ID token is for the front end alone."""
    tokens = await tokens_of(http, issuer)
    assert await refused(server, tokens["id_token"]) == (401, "UNAUTHORIZED")
    return await viewer(server, tokens["access_token"])


async def tokens_of(http: httpx2.AsyncClient, issuer: str) -> dict[str, str]:
    """The tokens that a front end gets which talks to the provider itself."""
    verifier = "v" * 50
    challenge = create_s256_code_challenge(verifier)
    asked = httpx2.QueryParams(
        client_id=CLIENT_ID,
        redirect_uri=CALLBACK,
        response_type="code",
        scope="openid",
        code_challenge=challenge,
        code_challenge_method="S256",
    )
    back = await through_its_pages(http, f"{issuer}/auth?{asked}")
    form = {
        "grant_type": "authorization_code",
        "code": httpx2.URL(back).params["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }
    answer = await http.post(f"{issuer}/token", data=form, auth=(CLIENT_ID, CLIENT_SECRET))
    tokens: dict[str, str] = answer.json()
    assert "access_token" in tokens, tokens
    return tokens
