"""A small schema of trees, trees with all kinds of odd values in them, and queries for them."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from graphql import DocumentNode, Undefined, parse
from hypothesis import strategies as st


@strawberry.enum
class Colour(Enum):
    RED = "r"
    BLUE = "b"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Twig(Named):
    count: int


@strawberry.type
class Leaf:
    name: str
    count: int
    maybe: int | None
    size: float
    id: strawberry.ID
    good: bool
    colour: Colour
    colours: list[Colour | None]
    born: datetime | None
    price: Decimal
    words: list[list[str]] | None

    @strawberry.field
    def resolved(self, times: int = 2) -> str:
        return "x" * times

    @strawberry.field
    def risky(self) -> str:
        return risk(self)

    @strawberry.field
    async def risky_later(self) -> str | None:
        await asyncio.sleep(0)
        return risk(self)


def risk(leaf: Leaf) -> str:
    if leaf.count < 0:
        raise RuntimeError("a secret")
    return leaf.name


@strawberry.type
class Branch(Named):
    leaf: Leaf | None
    sure: Leaf
    leaves: list[Leaf]
    rare: list[Leaf | None] | None
    twigs: list[Twig]

    @strawberry.field
    async def later(self) -> list[Leaf]:
        await asyncio.sleep(0)
        return self.leaves


@strawberry.type
class Tree:
    branches: list[Branch]
    named: list[Named]


@strawberry.type
class Query:
    tree: Tree | None
    forest: list[Tree | None]


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def trees(self) -> AsyncGenerator[Tree, None]:
        for _ in range(5):
            yield Tree(branches=[branch(leaf())], named=[])


SCHEMA = strawberry.Schema(Query, subscription=Subscription, types=[Twig, Branch])._schema


class WithProperty:
    """Not plain: reading its name runs code."""

    count, maybe, size, id, good, colour = 1, None, 1.0, "i", True, Colour.RED
    colours, born, price, words = [Colour.BLUE], None, Decimal(1), None

    def __init__(self, name: object) -> None:
        self._name = name

    @property
    def name(self) -> object:
        if isinstance(self._name, Exception):
            raise self._name
        return self._name


class WithGetattr:
    """Not plain either: it has whatever is asked for."""

    def __getattr__(self, name: str) -> str:
        return name


@dataclass(slots=True)
class Slotted:
    """Plain, though it is no type of the schema and has no dictionary."""

    name: str
    count: object = 7
    maybe: int | None = None
    size: float = 0.5
    id: str = "s"
    good: bool = False
    colour: Colour = Colour.BLUE
    colours: list[Colour] = field(default_factory=list)
    born: object = None
    price: object = Decimal("2.50")
    words: object = ((),)


class Promise:
    """Something to await that nobody has to await."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return self.value


MOMENT = datetime(2030, 1, 2, tzinfo=UTC)
NAMES = st.one_of(st.just("n"), st.text(max_size=3))
NUMBERS = [0, True, 2**31, -(2**31), 1.5, float("nan"), float("inf"), Decimal("0.1")]
OTHERS: list[object] = [
    None,
    Undefined,
    "",
    "RED",
    "r",
    b"b",
    Colour.RED,
    MOMENT,
    [],
    [None],
    {},
    ValueError("stored"),
]
ODD = st.sampled_from([*NUMBERS, *OTHERS, Promise("kept"), Promise(None)])


def _mostly(usual: st.SearchStrategy[Any], unusual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 30).flatmap(lambda n: unusual if n == 0 else usual)


def _list(entries: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(entries, max_size=3)
    return _mostly(lists, st.one_of(ODD, lists.map(tuple), lists.map(deque)))


COLOURS = st.sampled_from(Colour)
LEAVES = st.builds(
    Leaf,
    name=_mostly(NAMES, ODD),
    count=_mostly(st.integers(-5, 5), ODD),
    maybe=_mostly(st.none() | st.integers(0, 3), ODD),
    size=_mostly(st.floats(-1, 1), ODD),
    id=_mostly(NAMES, ODD),
    good=_mostly(st.booleans(), ODD),
    colour=_mostly(COLOURS, ODD),
    colours=_list(_mostly(COLOURS | st.none(), ODD)),
    born=_mostly(st.none() | st.just(MOMENT), ODD),
    price=_mostly(st.decimals(-1, 1, places=2), ODD),
    words=_list(_list(_mostly(NAMES, ODD))) | st.none(),
)
STRANGERS = st.one_of(
    ODD,
    st.builds(Slotted, NAMES),
    st.builds(WithProperty, st.sampled_from(["p", None, KeyError("read")])),
    st.builds(WithGetattr),
)
TWIGS = st.builds(Twig, name=_mostly(NAMES, ODD), count=_mostly(st.integers(-5, 5), ODD))
SOME_LEAVES = _mostly(LEAVES, STRANGERS)
BRANCHES = st.builds(
    Branch,
    name=_mostly(NAMES, ODD),
    leaf=SOME_LEAVES | st.none(),
    sure=SOME_LEAVES,
    leaves=_list(SOME_LEAVES),
    rare=_list(SOME_LEAVES | st.none()) | st.none(),
    twigs=_list(_mostly(TWIGS, STRANGERS)),
)
TREES = st.builds(
    Tree,
    branches=_list(_mostly(BRANCHES, STRANGERS)),
    named=_list(_mostly(TWIGS | BRANCHES, STRANGERS)),
)
ROOTS = st.builds(Query, tree=TREES, forest=_list(_mostly(TREES | st.none(), ODD)))

ALL = "__typename name count maybe size id good colour colours born price words"
CONDITIONS = ["", "", "", "@skip(if: $yes)", "@include(if: $yes)", "@skip(if: $no) @include(if: $yes)"]


@st.composite
def selections(draw: st.DrawFn, on: str, conditions: list[str], depth: int = 3) -> str:
    """A selection on a type: fields, aliases, conditions, inline and named fragments, and itself merged."""
    plain = st.sampled_from(ALL.split() if on == "Leaf" else ["__typename", "name"])
    nested = {"Branch": {"leaf", "sure", "leaves", "rare", "twigs", "later"}}.get(on, set())
    chosen = []
    for _ in range(draw(st.integers(1, 5))):
        condition = draw(st.sampled_from(conditions))
        what = draw(st.integers(0, 9))
        if what == 0 and depth:
            chosen.append(f"... {condition} {{ {draw(selections(on, conditions, depth - 1))} }}")
        elif what == 1 and depth:
            chosen.append(f"... on {draw(st.sampled_from([on, 'Named']))} {condition} {{ name __typename }}")
        elif what == 2:
            chosen.append(f"...Of{on} {condition}")
        elif what == 3 and on == "Leaf" and draw(st.booleans()):
            chosen.append(f"resolved(times: {draw(st.integers(0, 2))}) {condition}")
        elif what == 4 and on == "Leaf":
            chosen.append(f"{draw(st.sampled_from(['risky', 'riskyLater', 'also: risky']))} {condition}")
        elif nested and depth and what > 4:
            name = draw(st.sampled_from(sorted(nested)))
            alias = draw(st.sampled_from(["", f"other_{name}: "]))
            of = "Twig" if name == "twigs" else "Leaf"
            chosen.append(f"{alias}{name} {condition} {{ {draw(selections(of, conditions, depth - 1))} }}")
        else:
            name = draw(plain)
            chosen.append(f"{draw(st.sampled_from(['', f'a_{name}: ']))}{name} {condition}")
    return " ".join(chosen)


@st.composite
def documents(draw: st.DrawFn) -> DocumentNode:
    conditions = draw(st.sampled_from([CONDITIONS, [""]]))
    branch, twig = draw(selections("Branch", conditions)), draw(selections("Twig", conditions))
    condition = draw(st.sampled_from(["", "", "@experimental_disableErrorPropagation"]))
    return parse(f"""
        query ($yes: Boolean! = true, $no: Boolean = false) {condition} {{
            tree {{ branches {{ {branch} }} }}
            tree {{ branches {{ name }} named {{ __typename name ... on Twig {{ {twig} }} }} }}
            forest {{ named {{ name }} branches {{ {draw(selections("Branch", conditions))} }} }}
            unused: __typename
        }}
        fragment OfBranch on Branch {{ name leaves {{ count }} }}
        fragment OfTwig on Twig {{ count again: count name }}
        fragment OfLeaf on Leaf {{ colour renamed: id words }}""")


def leaf(**changes: Any) -> Leaf:
    given = {"count": 1, "maybe": None, "size": 0.5, "id": strawberry.ID("i"), "good": True}
    rest = {"colour": Colour.RED, "colours": [Colour.BLUE, None], "born": MOMENT, "price": Decimal("1.10")}
    return Leaf(**({"name": "leaf", "words": [["a"], []]} | given | rest | changes))


def branch(*leaves: Any) -> Branch:
    return Branch(
        name="branch",
        leaf=None,
        sure=leaf(),
        leaves=list(leaves),
        rare=[leaf(), None],
        twigs=[Twig(name="twig", count=1)],
    )
