"""Every example of the docs, run in its order against a server with the demo."""

import asyncio
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from database import Database
from demo.load import load_demo
from models.users import User
from steps.refusals import RefusalCode
from tests.docs.pages import GUIDE, PAGES, ROOT, Example, examples_of
from tests.serving import Server, receive, subscribe

SECONDS_MAX = 20
KINDS = {
    "ev": "event",
    "or": "order",
    "ti": "tier",
    "ve": "venue",
    "ha": "hall",
    "se": "seat",
    "tk": "ticket",
    "tr": "transfer",
    "ss": "session",
    "us": "person",
    "tx": "transaction",
    "ci": "item",
    "no": "notification",
}


@dataclass
class Reader:
    """Somebody who pastes one example after the other, with the ids that the answers gave."""

    server: Server
    people: dict[str, User]
    theatre: str = ""
    seen: dict[str, Any] = field(default_factory=dict)
    answer: Any = None

    async def read(self, example: Example, following: Example | None) -> None:
        """Do what an example's note says; an example that nobody would run fails."""
        match example.note.split(", expects "):
            case ["plan"]:
                self.seen["plan"] = example.text
            case ["answers"]:
                assert_agrees(orjson.loads(example.text), self.answer)
            case ["run"]:
                await self.run_shell(example.text)
            case [who, *expected] if example.language == "graphql":
                shown = following.text if following and following.note == "variables" else None
                await self.run(who.removeprefix("as "), example.text, shown, expected)
            case [note, *_]:
                assert note in {"variables", "apply"}, example

    async def run(self, who: str, query: str, shown: str | None, expected: list[str]) -> None:
        self.seen["event"] = self.theatre
        names = re.findall(r"\$(\w+):", query)
        assert shown is None or set(orjson.loads(shown)) == set(names)
        variables = {name: self.seen[name] for name in names}
        body = await self._ask(query, None if who == "nobody" else self.people[who], variables)
        codes = [error["extensions"]["code"] for error in body.get("errors", [])]
        codes += [code for code in values_of("code", body.get("data")) if code in set(RefusalCode)]
        assert codes == expected, body
        self.answer = body.get("data")
        self._remember(self.answer)

    async def _ask(self, query: str, user: User | None, variables: dict[str, Any]) -> Any:
        if not query.startswith("subscription"):
            return (await self.server.post(query, user, **variables)).json()
        async with self.server.socket(user) as socket:
            await subscribe(socket, query, **variables)
            return (await receive(socket))["payload"]

    async def run_shell(self, script: str) -> None:
        """Run curl at our address; of a stream, up to its first event."""
        here = re.sub(r"(http://127\.0\.0\.1|localhost):8000", self.server.url, script)
        words = shlex.split(here.replace("\\\n", " ").replace("ev_…", self.theatre))
        assert words[0] == "curl"
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        assert process.stdout
        async with asyncio.timeout(SECONDS_MAX):
            if "-sN" in words:
                while not (line := await process.stdout.readline()).startswith(b"data:"):
                    assert line
                process.terminate()
                line = line.removeprefix(b"data:")
            else:
                line = await process.stdout.read()
            await process.wait()
        assert "errors" not in orjson.loads(line)

    def _remember(self, value: Any) -> None:
        """Keep the first of each list by its kind and the last word of its name, and what leads on."""
        if isinstance(value, list):
            for item in value[:1]:
                self._remember(item)
        elif isinstance(value, dict):
            id = value.get("id", "")
            if kind := KINDS.get(id.partition("_")[0]):
                self.seen["draft" if value.get("status") == "DRAFT" else kind] = id
                self.seen[value.get("name", kind).split()[-1].lower()] = id
            for name in ("endCursor", "refreshToken", "payload"):
                if value.get(name):
                    self.seen[name] = value[name]
            for item in value.values():
                self._remember(item)


def values_of(key: str, value: Any) -> Iterator[Any]:
    """Every value that stands under this key, at any depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        if name == key:
            yield item
        yield from values_of(key, item)


def assert_agrees(shown: Any, given: Any) -> None:
    """What a page shows is what was answered; `…` stands for any text."""
    if isinstance(shown, dict):
        assert shown.keys() == given.keys(), given
        for key in shown:
            assert_agrees(shown[key], given[key])
    elif isinstance(shown, list):
        assert len(shown) == len(given), given
        for each_shown, each_given in zip(shown, given, strict=True):
            assert_agrees(each_shown, each_given)
    elif isinstance(shown, str) and "…" in shown:
        assert re.fullmatch(".*".join(map(re.escape, shown.split("…"))), given), (shown, given)
    else:
        assert shown == given


@pytest.fixture
async def reader(database: Database, server: Server) -> Reader:
    await load_demo(database, "EUR")
    rows = await database.rows("SELECT * FROM users")
    reader = Reader(server, {row["email"].partition("@")[0]: User(**row) for row in rows})
    answer = await server.ask('{ events(filter: {search: "seagull"}) { nodes { id } } }')
    reader.theatre = answer["events"]["nodes"][0]["id"]
    return reader


@pytest.mark.parametrize("page", PAGES)
async def test_every_example_runs_and_answers_as_shown(reader: Reader, page: str) -> None:
    examples = examples_of(page)
    assert sum(example.language == "graphql" for example in examples) >= 2
    for example, following in zip(examples, [*examples[1:], None], strict=True):
        await reader.read(example, following)


def test_the_guide_names_every_code_and_no_other() -> None:
    guide = (ROOT / GUIDE).read_text(encoding="utf-8").partition("## Every code")[2]
    of_errors, of_refusals = (set(re.findall(r"`([A-Z_]+)`", table)) for table in guide.split("\n\n| `code`"))
    assert of_refusals == {code.value for code in RefusalCode}
    sources = [*(ROOT / "schema").glob("*.py"), *(ROOT / "routes").glob("*.py")]
    known = "UNAUTHORIZED|TOKEN_EXPIRED|FORBIDDEN|NOT_FOUND|[A-Z]+_ERROR|INVALID_ID|[A-Z]+_UNAVAILABLE"
    known += "|QUERY_TOO_COMPLEX|RATE_LIMITED|PERSISTED_[A-Z_]+"
    made = {code for path in sources for code in re.findall(f'"({known})"', path.read_text(encoding="utf-8"))}
    assert of_errors == made


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text(encoding="utf-8")
        places = {
            re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
            for title in re.findall("^#+ (.+)", text, re.M)
        }
        for target in re.findall(r"\]\(([^)]+)\)", text):
            file, _, place = target.partition("#")
            assert file.startswith("https://") or (page.parent / file).exists(), (page, target)
            assert file or place in places, (page, target)
