"""The rules of the house, as a program."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType

from schema.root import schema, sorted_sdl
from settings import Settings
from settings.example import env_example

ROOT = Path(__file__).parent.parent
SKIPPED = {".venv", "node_modules", ".rowlock", "build", "versions"}
FILES = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.py")
    if not SKIPPED & set(path.relative_to(ROOT).parts) and not path.name.startswith(".")
)
SOURCES = [path for path in FILES if path.parts[0] not in {"tests", "bench"}]

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
FORBIDDEN_NAMES = {"utils", "helpers", "managers", "base", "common"}

# A file imports its own floor or a lower one; the first prefix that fits says which floor that is.
FLOORS = [
    ("schema.root", 8),
    ("schema.engine", 9),  # runs the whole schema, for the routes above it
    ("schema.watching", 9),
    ("settings", 0),
    ("models", 1),
    ("observing", 1),
    ("database", 2),
    ("live.bus", 2),
    ("live.ending", 2),
    ("auth", 2),
    ("messages", 2),
    ("payments", 2),
    ("steps", 3),
    ("dataloaders", 4),
    ("live.stream", 5),
    ("live", 4),
    ("schema", 6),
    ("resolvers", 7),
    ("jobs", 7),
    ("routes", 10),
    ("app", 11),
    ("cli", 11),
    ("commands", 11),
    ("console", 11),
    ("embedded", 11),
    ("demo", 11),
]
OURS = {name.partition(".")[0] for name, _ in FLOORS}

TRANSACTIONS_OPENED_BY = {
    Path("steps/transact.py"),
    Path("steps/together.py"),  # one for many wishes
    Path("messages/mailbox.py"),  # stands in for a provider
    Path("payments/simulated.py"),  # likewise
    Path("jobs/relay.py"),  # numbers what is committed, batch by batch
}
LOCKS_LIVE_IN = {
    Path("steps/locks.py"),
    Path("steps/stream_locks.py"),
    Path("steps/person_locks.py"),
    Path("steps/release.py"),  # the seats of many lapsed orders, passed over where somebody has them
    Path("steps/idempotency.py"),  # old keys, to be deleted
}


def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def floor_of(module: str) -> int:
    for prefix, floor in FLOORS:
        if module == prefix or module.startswith(prefix + "."):
            return floor
    raise AssertionError(f"{module} is on no floor")


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_imports_its_own_floor_or_a_lower_one(path: Path) -> None:
    floor = floor_of(module_of(path))
    ours = [name for name in imports_of(tree_of(path)) if name.partition(".")[0] in OURS]
    assert [name for name in ours if floor_of(name) > floor] == []


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_says_what_it_is_for_and_is_short(path: Path) -> None:
    tree = tree_of(path)
    assert ast.get_docstring(tree), "it opens with a sentence"
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= FILE_LINES_MAX
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < FUNCTION_LINES_MAX, node.name
    assert not FORBIDDEN_NAMES & {part.removesuffix(".py") for part in path.parts}


def test_no_top_level_module_hides_one_of_the_standard_library() -> None:
    assert not {path.parts[0].removesuffix(".py") for path in FILES} & set(sys.stdlib_module_names)


def test_one_file_knows_broadcaster_and_one_makes_engines() -> None:
    knows = {
        path for path in SOURCES if "broadcaster" in {n.partition(".")[0] for n in imports_of(tree_of(path))}
    }
    assert knows == {Path("live/bus.py")}
    makes = {path for path in SOURCES if "create_async_engine(" in (ROOT / path).read_text(encoding="utf-8")}
    assert makes == {Path("database.py")}


def test_transactions_are_opened_only_where_work_begins() -> None:
    opened = {path for path in SOURCES if ".transaction()" in (ROOT / path).read_text(encoding="utf-8")}
    assert opened <= TRANSACTIONS_OPENED_BY


def test_the_books_are_only_ever_added_to() -> None:
    for path in SOURCES:
        text = " ".join((ROOT / path).read_text(encoding="utf-8").split())
        assert not [verb for verb in ("UPDATE movements", "DELETE FROM movements") if verb in text], path


def test_row_locks_have_one_address() -> None:
    locking = {
        path
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if "\n" in node.value or node.value.isupper() or "SELECT" in node.value
        if "FOR NO KEY UPDATE" in node.value or "FOR UPDATE" in node.value
    }
    assert locking <= LOCKS_LIVE_IN


def test_nothing_is_left_unfinished() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" * 3, "Not" + "ImplementedError")
    for path in FILES:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert not [mark for mark in marks if mark in text], path


def test_everything_in_the_schema_is_described() -> None:
    missing = []
    for name, kind in schema.graphql_schema.type_map.items():
        if name.startswith("__"):
            continue
        if not kind.description:
            missing.append(name)
        if isinstance(kind, GraphQLEnumType):
            missing += [f"{name}.{value}" for value, d in kind.values.items() if not d.description]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for field, definition in kind.fields.items():
                arguments = getattr(definition, "args", {})
                described = [(f"{name}.{field}", definition)]
                described += [(f"{name}.{field}({a}:)", argument) for a, argument in arguments.items()]
                missing += [place for place, thing in described if not thing.description]
    assert missing == []


def test_what_is_generated_is_what_is_committed() -> None:
    assert (ROOT / "schema/schema.graphql").read_text(encoding="utf-8") == sorted_sdl()
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example(Settings)
