"""The JavaScript of the guide: a client that applies the updates of a live seat map."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from database import Database
from models.catalogue import Event
from schema import ids
from tests.docs.pages import GUIDE, examples_of
from tests.serving import Server, receive, subscribe
from tests.world import hold, letters, new_event, new_user, pay

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")

FOLLOW = """
    subscription ($event: ID!, $after: Int) {
      seatStatus(eventId: $event, after: $after) {
        ... on SeatStatusSnapshot { revision statuses }
        ... on SeatStatusChanges { revision changes { index status } }
      }
    }"""
MAIN = """
    import { apply } from "./apply.mjs";
    import { readFileSync } from "node:fs";
    const house = {};
    for (const update of JSON.parse(readFileSync(0))) apply(house, update);
    console.log(house.revision, house.letters.join(""));"""


def script(note: str) -> str:
    (text,) = (e.text for e in examples_of(GUIDE) if (e.note, e.language) == (note, "js"))
    return text


async def run_node(*arguments: str | Path, said: object = None) -> str:
    assert NODE
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(NODE, *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(orjson.dumps(said))
    assert process.returncode == 0, err.decode()
    return out.decode().strip()


async def updates(server: Server, event: Event, until: int, **after: int) -> list[Any]:
    """What a client is told until it has this revision."""
    told: list[Any] = []
    async with server.socket() as socket:
        await subscribe(socket, FOLLOW, event=ids.event_id(event.id), **after)
        while not told or told[-1]["revision"] < until:
            told.append((await receive(socket))["payload"]["data"]["seatStatus"])
    return told


async def test_a_client_that_applies_updates_as_the_guide_says_has_the_true_map(
    database: Database, server: Server, tmp_path: Path
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=10_000)
    await hold(database, alice, event, [1, 2])
    told = await updates(server, event, until=2)
    await pay(database, alice, await hold(database, alice, event, [5]))
    told += await updates(server, event, until=4, after=2)
    assert "statuses" in told[0]
    assert "changes" in told[-1]
    (tmp_path / "apply.mjs").write_text(script("apply"), encoding="utf-8")
    (tmp_path / "main.mjs").write_text(MAIN, encoding="utf-8")
    assert await run_node(tmp_path / "main.mjs", said=told) == f"4 {await letters(database, event)}"
