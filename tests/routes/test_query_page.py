"""The query page: GraphiQL from installed files, a plain page without them, and nothing from outside."""

import re
from pathlib import Path

import graphql
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from routes.query_page import OWN_FILES, PACKAGED_FILES, PAGES, query_page, query_page_routes

SCHEMA = Path(__file__).parents[2] / "schema/schema.graphql"
NAMESPACE = "http://www.w3.org/2000/svg"
LINK = re.compile(r'(?:src|href)="([^"]+)"')


def browser(packages: Path, path: str = "/graphql") -> httpx2.AsyncClient:
    async def page(request: Request) -> Response:
        return await query_page(request, packages)

    app = Starlette(routes=[*query_page_routes(path, packages), Route(path, page)])
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://rowlock.test")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    for file in PACKAGED_FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"/* {file} */")
    (tmp_path / "react/package.json").write_text("{}")
    return tmp_path


@pytest.fixture
def with_graphiql(installed: Path) -> httpx2.AsyncClient:
    return browser(installed)


@pytest.fixture
def without_graphiql(tmp_path: Path) -> httpx2.AsyncClient:
    return browser(tmp_path / "never_installed")


@pytest.fixture(params=["with_graphiql", "without_graphiql"])
def either(request: pytest.FixtureRequest) -> httpx2.AsyncClient:
    client: httpx2.AsyncClient = request.getfixturevalue(request.param)
    return client


async def links_of(client: httpx2.AsyncClient, path: str = "/graphql") -> list[str]:
    return LINK.findall((await client.get(path)).text)


async def test_installed_files_make_the_page_graphiql(with_graphiql: httpx2.AsyncClient) -> None:
    page = await with_graphiql.get("/graphql")

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "/graphql/assets/graphiql.min.js" in page.text
    assert "query UpcomingEvents" in page.text


async def test_without_installed_files_the_page_is_our_own(without_graphiql: httpx2.AsyncClient) -> None:
    page = await without_graphiql.get("/graphql")

    assert page.status_code == 200
    assert "/graphql/assets/plain.js" in page.text
    assert "query UpcomingEvents" in page.text
    assert "graphiql.min.js" not in page.text


@pytest.mark.parametrize("missing", PACKAGED_FILES)
async def test_one_missing_file_is_enough_for_the_plain_page(installed: Path, missing: str) -> None:
    async with browser(installed) as client:
        (installed / missing).unlink()
        page = await client.get("/graphql")
        asset = await client.get(f"/graphql/assets/{Path(missing).name}")

    assert "plain.js" in page.text
    assert asset.status_code == 404


async def test_graphiql_appears_without_a_restart_once_it_is_installed(tmp_path: Path) -> None:
    packages = tmp_path / "later"
    async with browser(packages) as client:
        assert "plain.js" in (await client.get("/graphql")).text
        for file in PACKAGED_FILES:
            (packages / file).parent.mkdir(parents=True, exist_ok=True)
            (packages / file).write_text("")
        assert "graphiql.min.js" in (await client.get("/graphql")).text
        assert (await client.get("/graphql/assets/graphiql.min.js")).status_code == 200


async def test_every_link_of_graphiql_leads_to_a_file_of_ours(with_graphiql: httpx2.AsyncClient) -> None:
    links = await links_of(with_graphiql)

    assert len(links) == 7
    for link in links:
        answer = await with_graphiql.get(link)
        assert (link, answer.status_code) == (link, 200)


async def test_every_link_of_the_plain_page_leads_to_a_file_of_ours(
    without_graphiql: httpx2.AsyncClient,
) -> None:
    links = await links_of(without_graphiql)

    assert set(links) == {f"/graphql/assets/{file}" for file in ("icon.svg", "plain.css", "plain.js")}
    for link in links:
        answer = await without_graphiql.get(link)
        assert (link, answer.status_code) == (link, 200)


async def test_the_page_finds_its_files_at_another_address(installed: Path) -> None:
    async with browser(installed, "/api/query") as client:
        links = await links_of(client, "/api/query")
        statuses = {(await client.get(link)).status_code for link in links}

    assert all(link.startswith("/api/query/assets/") for link in links)
    assert statuses == {200}


async def test_neither_page_names_another_host(either: httpx2.AsyncClient) -> None:
    page = await either.get("/graphql")

    assert "//" not in page.text


@pytest.mark.parametrize("file", OWN_FILES)
def test_no_file_of_ours_names_another_host(file: str) -> None:
    text = (PAGES / file).read_text(encoding="utf-8").replace(NAMESPACE, "")

    assert re.findall(r"\w+://|@import|url\(", text) == []


@pytest.mark.parametrize("file", ["package.json", "package-lock.json", ".npmrc"])
def test_the_package_files_name_no_registry(file: str) -> None:
    text = (PAGES / file).read_text(encoding="utf-8")

    assert re.findall(r'"resolved"|://registry\.', text) == []


async def test_the_policy_lets_only_our_own_files_run(either: httpx2.AsyncClient) -> None:
    page = await either.get("/graphql")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["vary"] == "Accept"
    assert re.findall(r"<script(?![^>]* src=)|\son\w+=|<style|\sstyle=", page.text) == []


async def test_the_plain_page_needs_no_inline_style(without_graphiql: httpx2.AsyncClient) -> None:
    page = await without_graphiql.get("/graphql")

    assert "unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name",
    [
        "package.json",
        "plain.html",
        "example.graphql",
        "react",
        "react/package.json",
        "react%2Fpackage.json",
        "..%2Fquery_page.py",
        "%2e%2e/%2e%2e/query_page.py",
        "..%5Cquery_page.py",
        "%2Fetc%2Fpasswd",
        "plain.js%00",
        "",
    ],
)
async def test_no_other_file_is_served(with_graphiql: httpx2.AsyncClient, name: str) -> None:
    assert (await with_graphiql.get(f"/graphql/assets/{name}")).status_code == 404


async def test_a_file_is_asked_for_again_and_sent_once(with_graphiql: httpx2.AsyncClient) -> None:
    first = await with_graphiql.get("/graphql/assets/graphiql.min.js")
    again = await with_graphiql.get(
        "/graphql/assets/graphiql.min.js", headers={"If-None-Match": first.headers["etag"]}
    )

    assert first.headers["cache-control"] == "no-cache"
    assert "javascript" in first.headers["content-type"]
    assert (again.status_code, again.content) == (304, b"")


async def test_a_file_takes_no_post(with_graphiql: httpx2.AsyncClient) -> None:
    assert (await with_graphiql.post("/graphql/assets/plain.js")).status_code == 405


async def test_a_strange_address_cannot_write_into_the_page(tmp_path: Path) -> None:
    async def page(request: Request) -> Response:
        return await query_page(request, tmp_path)

    app = Starlette(routes=[Route("/{anything:path}", page)])
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://rowlock.test"
    ) as client:
        answer = await client.get('/%22%3E%3Cb%3E"><script>')

    assert "<b>" not in answer.text
    assert "<script>" not in answer.text


@pytest.mark.skipif(not SCHEMA.exists(), reason="the SDL has not been generated yet")
def test_the_example_fits_the_schema() -> None:
    example = graphql.parse((PAGES / "example.graphql").read_text(encoding="utf-8"))
    schema = graphql.build_schema(SCHEMA.read_text(encoding="utf-8"))

    assert graphql.validate(schema, example) == []
