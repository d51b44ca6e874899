"""The pages that users read, and the examples in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
GUIDE = "docs/api.md"
PAGES = (
    "README.md",
    "docs/quick-start.md",
    "docs/sessions.md",
    "docs/codes.md",
    "docs/limits.md",
    "docs/money.md",
    "docs/door.md",
    "docs/transfers.md",
    "docs/notifications.md",
    GUIDE,
)


class Example(NamedTuple):
    """A fenced block, with the comment before it that says what it is."""

    note: str
    language: str
    text: str


def examples_of(page: str) -> list[Example]:
    """All fenced blocks of a page; each must have its note, so that none is passed over."""
    text = (ROOT / page).read_text(encoding="utf-8")
    noted = re.findall(r"<!-- ([^>]+) -->\n```(\w+)\n(.*?)```", text, re.DOTALL)
    assert len(noted) == len(re.findall(r"^```\w", text, re.MULTILINE)), page
    return [Example(*block) for block in noted]
