"""Every example of the docs, run in its order against a server with the demo."""

import asyncio
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from database import Database
from demo.load import load_demo
from models.users import User
from steps.refusals import RefusalCode
from tests.serving import Server, receive, subscribe

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"<!-- as (\w+)(, expects Refusal)? -->\n```graphql\n(.*?)```", re.DOTALL)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)
KINDS = {"ev": "event", "or": "order", "ti": "tier", "ve": "venue", "ha": "hall", "se": "seat"}


@dataclass
class Reader:
    """Somebody who pastes one example after the other, with the ids that the answers gave."""

    server: Server
    people: dict[str, User]
    seen: dict[str, str] = field(default_factory=dict)

    async def run(self, who: str, query: str, *, expects_refusal: bool) -> None:
        variables = {name: self.seen[name] for name in re.findall(r"\$(\w+):", query)}
        if query.startswith("subscription"):
            data = await self._first_update(query, variables)
        else:
            data = await self.server.ask(query, self.people.get(who), **variables)
        text = orjson.dumps(data).decode()
        codes = set(re.findall(r'"code":"(\w+)"', text)) & set(RefusalCode)
        assert bool(codes) == expects_refusal, text
        self._remember(data)

    async def _first_update(self, query: str, variables: dict[str, str]) -> dict[str, Any]:
        async with self.server.socket() as socket:
            await subscribe(socket, query, **variables)
            message = await receive(socket)
        assert message["type"] == "next", message
        data: dict[str, Any] = message["payload"]["data"]
        return data

    def _remember(self, value: Any) -> None:
        """Keep the last id of each kind; a draft is an event that is called so."""
        if isinstance(value, list):
            for item in value[:1]:
                self._remember(item)
        elif isinstance(value, dict):
            kind = KINDS.get(str(value.get("id", "")).partition("_")[0])
            if kind:
                self.seen["draft" if value.get("status") == "DRAFT" else kind] = value["id"]
            for item in value.values():
                self._remember(item)


@pytest.fixture
async def reader(database: Database, server: Server) -> Reader:
    await load_demo(database, "EUR")
    rows = await database.rows("SELECT * FROM users")
    reader = Reader(server, {row["email"].partition("@")[0]: User(**row) for row in rows})
    theatre = '{ events(filter: {search: "seagull"}) { nodes { id pricingTiers { id } } } }'
    reader._remember(await server.ask(theatre))
    return reader


@pytest.mark.parametrize("page", ["docs/quick-start.md", "docs/api.md"])
async def test_every_graphql_example_runs(reader: Reader, page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = BLOCK.findall(text)
    assert len(examples) == text.count("```graphql") >= 5
    theatre = reader.seen["event"]
    for who, refusal, query in examples:
        reader.seen["event"] = theatre
        await reader.run(who, query, expects_refusal=bool(refusal))


@pytest.mark.parametrize("page", ["README.md", "docs/quick-start.md"])
async def test_every_curl_example_runs(reader: Reader, page: str) -> None:
    for script in SHELL.findall((ROOT / page).read_text(encoding="utf-8")):
        here = re.sub(r"(http://127\.0\.0\.1|localhost):8000", reader.server.url, script)
        words = shlex.split(here.replace("\\\n", " "))
        assert words[0] == "curl"
        process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert len(orjson.loads(out)["data"]["events"]["nodes"]) == 3


def test_every_code_stands_in_the_guide() -> None:
    guide = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    assert [code.value for code in RefusalCode if f"`{code.value}`" not in guide] == []


def test_every_link_leads_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), (page, target)
