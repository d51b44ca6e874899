"""The page on webhooks: its verifier verifies, its payload is what is sent, and every type is on it."""

import re
from typing import Any

import orjson

from database import Database
from models.announcements import AnnouncementKind
from tests.docs.pages import ROOT
from tests.receiving import added, receiving, told
from tests.world import hold, new_event, new_user, pay

PAGE = ROOT / "docs/webhooks.md"
VERIFIER_LINES_MAX = 10


def block(note: str) -> str:
    found = re.search(rf"<!-- {note} -->\n```\w+\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def shape(value: Any) -> Any:
    """What there is, without what it says."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) else type(value)


async def test_the_verifier_of_the_page_takes_what_we_send_and_nothing_else(database: Database) -> None:
    code = block("verifier")
    assert len([line for line in code.splitlines() if line.strip()]) <= VERIFIER_LINES_MAX
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    is_ours = names["is_ours"]
    async with receiving() as receiver:
        _, secret = await added(database, receiver.url, ("ticket.purchased",))
        _, other = await added(database, "http://127.0.0.1:1/")
        event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
        await pay(database, alice, await hold(database, alice, event, [0]))
        await told(database)
    ((headers, body),) = receiver.got
    assert is_ours(secret, headers, body)
    assert not is_ours(other, headers, body)
    assert not is_ours(secret, headers, body + b" ")
    assert not is_ours(secret, headers | {"webhook-id": "another"}, body)
    old = str(int(headers["webhook-timestamp"]) - 301)
    assert not is_ours(secret, headers | {"webhook-timestamp": old}, body)
    assert shape(orjson.loads(block("payload"))) == shape(receiver.said[0])


def test_every_type_is_on_the_page() -> None:
    assert re.findall(r"^\| `(\w+\.\w+)`", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == list(
        AnnouncementKind
    )
