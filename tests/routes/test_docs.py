"""The documentation at /docs: everything of the schema is in it, and all that it shows is true."""

import asyncio
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from graphql import build_schema, get_variable_values, parse, validate

from app import create_app
from database import Database
from demo.load import load_demo
from routes.docs.clients import ADDRESS, CLIENTS
from routes.docs.documentation import Documentation
from routes.docs.examples import Example, example_of
from routes.docs.guides import inline
from routes.docs.reference import roots_of
from schema.root import schema, sorted_sdl
from settings import Mode, Settings
from steps.refusals import RefusalCode
from tests.serving import Server, serving
from tests.world import new_user

ROOT = Path(__file__).parents[2]
SCHEMA = build_schema(sorted_sdl())
EXAMPLES = {
    name: example_of(SCHEMA, root.kind, name, field)
    for root in roots_of(SCHEMA)
    for name, field in root.type.fields.items()
}
SCRIPTED = ("Apollo", "urql", "Relay")
NODE, CURL = shutil.which("node"), shutil.which("curl")
TOO_MUCH = {"QUERY_TOO_COMPLEX", "VALIDATION_ERROR", "INTERNAL_ERROR"}


class Page(HTMLParser):
    """What stands on a page: its text, its places, where it leads, and what it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.ids, self.links, self.loaded = "", [""], list[str](), list[str]()
        self.tags = list[tuple[str, dict[str, str | None]]]()
        self.feed(str(html))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" else []
        self.loaded += [given[name] or "" for name in ("src", "href") if name in given and tag != "a"]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def files(settings: Settings) -> dict[str, bytes]:
    return Documentation(sorted_sdl(), create_app(settings).routes).files()


@pytest.fixture(scope="module")
def pages(files: dict[str, bytes]) -> dict[str, Page]:
    return {
        f"/docs/{name}".rstrip("/"): Page(body.decode()) for name, body in files.items() if "." not in name
    }


def test_every_field_at_a_root_is_shown_with_its_arguments_and_an_example(pages: dict[str, Page]) -> None:
    for root in roots_of(SCHEMA):
        page = pages[root.address]
        for name, field in root.type.fields.items():
            assert {name, *(f"{name}.{argument}" for argument in field.args)} <= set(page.ids)
            said = [field.description, *(argument.description for argument in field.args.values())]
            assert [text for text in said if Page(inline(text)).text not in page.text] == []
            assert EXAMPLES[name].document in page.text
            assert [
                client for client, write in CLIENTS.items() if write(EXAMPLES[name]) not in page.text
            ] == []


def test_every_type_is_shown_with_all_that_it_has(pages: dict[str, Page]) -> None:
    page, roots = pages["/docs/types"], {root.type.name for root in roots_of(SCHEMA)}
    for name, type in SCHEMA.type_map.items():
        if name.startswith("__") or name in roots:
            continue
        parts = getattr(type, "fields", getattr(type, "values", {}))
        assert {name, *(f"{name}.{part}" for part in parts)} <= set(page.ids)
        for thing in (type, *parts.values()):
            assert Page(inline(thing.description)).text in page.text


def test_nullability_and_defaults_and_deprecations_are_shown() -> None:
    at = 'at(list: [Int!] = [1, 2], name: String! = "a<b"): [Int]! @deprecated(reason: "Old.")'
    refusals = "enum RefusalCode { BUSY } type SeatPlan { width: Float! }"
    shown = Documentation(f'type Query {{ "Says <it>." {at} }} {refusals}', [])
    page = Page(shown.files()["queries"].decode())
    text = " ".join(page.text.split())
    assert "list: [Int!] = [1, 2]" in text
    assert 'name: String! = "a<b"' in text
    assert "Answers with [Int]!" in text
    assert "Says <it>." in text
    assert "Deprecated. Old." in text


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_valid_with_its_variables(name: str) -> None:
    example = EXAMPLES[name]
    document = parse(example.document)
    assert validate(schema.graphql_schema, document) == []
    (operation,) = document.definitions
    declared = operation.variable_definitions or ()  # type: ignore[attr-defined]
    values = get_variable_values(schema.graphql_schema, declared, example.variables)
    assert not isinstance(values, list), values


async def test_no_example_asks_for_too_much(database: Database, server: Server) -> None:
    for example in EXAMPLES.values():
        if example.kind == "query":
            answer = (await server.post(example.document, **example.variables)).json()
            assert not TOO_MUCH & {error["extensions"]["code"] for error in answer.get("errors", [])}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_every_example_in_python_compiles(example: Example) -> None:
    compile(CLIENTS["Python"](example), example.name, "exec")


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_every_example_in_javascript_can_be_read(tmp_path: Path) -> None:
    assert NODE
    written = [CLIENTS[client](example) for example in EXAMPLES.values() for client in SCRIPTED]
    bodies = [re.sub(r'^import .* from ".*";$', "", script, flags=re.MULTILINE) for script in written]
    everything = tmp_path / "everything.mjs"
    everything.write_text("\n".join(f"async () => {{ {body} }};" for body in bodies), encoding="utf-8")
    subprocess.run([NODE, "--check", everything], check=True, timeout=60)


@pytest.mark.skipif(CURL is None, reason="curl is not installed")
async def test_an_example_for_the_shell_runs(database: Database, server: Server) -> None:
    await load_demo(database, "EUR")
    script = CLIENTS["curl"](EXAMPLES["events"]).replace(ADDRESS, server.url)
    token = server.token(await new_user(database))
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", script, env={"TOKEN": token, "PATH": os.defpath}, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    assert len(orjson.loads(out)["data"]["events"]["nodes"]) == 2


def test_every_code_is_shown_with_what_it_means_and_what_to_do(files: dict[str, bytes]) -> None:
    rows = re.findall(r'(?s)<tr id="(error-)?([A-Z_]+)">(.*?)</tr>', files["codes"].decode())
    refused = {code for prefix, code, _ in rows if not prefix}
    assert refused == {code.value for code in RefusalCode}
    assert {"UNAUTHORIZED", "QUERY_TOO_COMPLEX", "INTERNAL_ERROR"} <= {code for _, code, _ in rows} - refused
    assert [code for _, code, row in rows if len(re.findall(r"<td>.+?</td>", row)) != 2] == []


def test_every_guide_is_shown_and_how_to_log_in_comes_first(pages: dict[str, Page]) -> None:
    for path in (ROOT / "docs").glob("*.md"):
        page = pages[f"/docs/guides/{path.stem}"]
        assert path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") in page.text
        assert "<!--" not in page.text
        assert "as nobody" not in page.text
    assert "who-you-are" in pages["/docs"].ids
    assert "Authorization: Bearer" in pages["/docs"].text


def test_every_link_leads_to_a_place_that_is_there(files: dict[str, bytes], pages: dict[str, Page]) -> None:
    for address, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), address
        for link in page.links:
            target, _, place = link.partition("#")
            if target.startswith("https://"):
                continue
            found = pages.get(target or address)
            assert found or target.removeprefix("/docs/") in files, (address, link)
            assert not place or (found and place in found.ids), (address, link)
    for entry in orjson.loads(files["search.json"]):
        target, _, place = entry["address"].partition("#")
        assert place in pages[target].ids, entry


def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(
    files: dict[str, bytes], pages: dict[str, Page]
) -> None:
    for page in pages.values():
        assert {path.removeprefix("/docs/") for path in page.loaded} == {"docs.css", "docs.js", "icon.svg"}
        for tag, given in page.tags:
            assert tag not in {"style", "iframe", "form"}
            assert tag != "script" or "src" in given
            assert not [name for name in given if name == "style" or name.startswith("on")]
    assert not re.findall(rb"\w+://|@import|url\(", files["docs.css"] + files["docs.js"])


def test_pages_can_be_used_by_ear_and_by_keys(pages: dict[str, Page]) -> None:
    for address, page in pages.items():
        tags = [tag for tag, _ in page.tags]
        assert [tags.count(tag) for tag in ("h1", "main", "header")] == [1, 1, 1], address
        levels = [int(tag[1]) for tag in tags[tags.index("main") :] if re.fullmatch("h[1-6]", tag)]
        assert all(level <= above + 1 for above, level in pairwise(levels)), address
        assert ("html", {"lang": "en"}) in page.tags
        links = [given for tag, given in page.tags if tag == "a"]
        assert links[0]["href"] == "#main"
        assert all("aria-label" in given for tag, given in page.tags if tag == "nav")
        assert ("label", {"for": "sought"}) in page.tags


async def test_pages_are_sent_with_a_policy_and_only_once(server: Server, files: dict[str, bytes]) -> None:
    for name in files:
        whole = await server.http.get(f"/docs/{name}")
        assert (whole.status_code, whole.content) == (200, files[name])
        assert whole.headers["cache-control"] == "no-cache"
        assert "script-src 'self'; style-src 'self';" in whole.headers["content-security-policy"]
        again = await server.http.get(f"/docs/{name}", headers={"if-none-match": whole.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == whole.headers["etag"]
    assert (await server.http.get("/docs")).content == files[""]
    assert (await server.http.get("/docs")).headers["content-type"] == "text/html; charset=utf-8"
    assert (await server.http.get("/docs/docs.js")).headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize(
    "name", ["layout.html", "nothing", "guides/nothing", "guides/..%2fcodes", "..%2f..%2fapp.py"]
)
async def test_nothing_else_is_shown(server: Server, name: str) -> None:
    assert (await server.http.get(f"/docs/{name}")).status_code == 404
    assert (await server.http.post("/docs")).status_code == 405


async def test_production_shows_them_unless_it_is_told_not_to(settings: Settings) -> None:
    production = settings.model_copy(update={"mode": Mode.PRODUCTION})
    async with serving(production) as server:
        assert (await server.http.get("/docs")).status_code == 200
        assert (await server.http.get("/docs/schema.graphql")).text == sorted_sdl()
    async with serving(production.model_copy(update={"docs": False})) as server:
        for name in ("", "/queries", "/docs.js", "/openapi.json", "/schema.graphql"):
            assert (await server.http.get(f"/docs{name}")).status_code == 404
