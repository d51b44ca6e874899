"""The tables of docs/access.md, as walks through the schema find them."""

from collections.abc import Iterable, Mapping
from itertools import groupby

from tests.alice import READERS
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/access.md"
SHORT = {
    READERS: "everybody",
    READERS[1:]: "whoever has a token",
    (READERS[0], *READERS[2:]): "everybody but SERVICE",
    READERS[2:]: "every person",
    (): "nobody",
}


def assert_told(table: str) -> None:
    """The page has this table, to the letter."""
    assert f"\n\n{table}\n" in PAGE.read_text(encoding="utf-8"), f"{PAGE} has to say:\n\n{table}"


def read_table(readers: Mapping[str, set[str]]) -> str:
    """A line for the fields of a type that the same may read; `readers` are by `Type.field`."""
    rows = []
    for kind, fields in groupby(sorted(readers), lambda field: field.partition(".")[0]):
        by_reader: dict[str, list[str]] = {}
        for field in fields:
            by_reader.setdefault(_who(readers[field]), []).append(field.partition(".")[2])
        rows += [(kind, ", ".join(names), reader) for reader, names in sorted(by_reader.items())]
    return _table(("of", "what", "is read by"), rows)


def done_table(callers: Mapping[str, tuple[set[str], set[str]]]) -> str:
    """A line for the mutations that the same may use, and that find what is hidden for the same."""
    by_caller: dict[tuple[str, str], list[str]] = {}
    for mutation, (may, reach) in callers.items():
        by_caller.setdefault((_who(may), _who(reach)), []).append(mutation)
    rows = [(", ".join(names), *may) for may, names in by_caller.items()]
    return _table(("mutation", "is open to", "finds a person's things and drafts for"), rows)


def _who(readers: Iterable[str]) -> str:
    found = tuple(reader for reader in READERS if reader in set(readers))
    return SHORT.get(found, ", ".join(found))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
