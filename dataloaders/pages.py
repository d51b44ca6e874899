"""Keyset pages: the rows after or before a cursor, of one list or of many lists at once, in one statement."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic, TypeVar
from uuid import UUID

import orjson
from sqlmodel import SQLModel
from strawberry.dataloader import DataLoader

from database import Database
from dataloaders.load import BATCH_MAX, Source

PAGE_MAX = 100
PAGE_DEFAULT = 20
CURSOR_CHARACTERS_MAX = 1_000

Row = TypeVar("Row", bound=SQLModel)


class PageError(ValueError):
    """The arguments of a page are wrong; the message says how."""


@dataclass(frozen=True)
class Sort:
    """A column that a list is sorted by: its SQL type, and how a cursor's value of it is read."""

    column: str
    kind: str
    read: Callable[[Any], Any]


BY_ID = Sort("id", "uuid", UUID)
BY_INDEX = Sort("index", "int", lambda value: _small_integer(value))


def by_text(column: str) -> Sort:
    return Sort(column, "text", str)


def by_moment(column: str) -> Sort:
    return Sort(column, "timestamptz", datetime.fromisoformat)


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """A list to page through: its rows, their order, and what they must fulfil.

    `parent` names the column by which the rows of one parent are found, with its SQL type; `where` are
    conditions on `r`, each with its value at the place of `{}`.
    """

    source: Source[Row]
    sort: tuple[Sort, ...]
    descending: bool = False
    parent: tuple[str, str] | None = None
    where: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class PageArguments:
    """`first` or `last` rows, after and before cursors; 1 to 100, and the first 20 when nothing is said."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    @property
    def backwards(self) -> bool:
        return self.last is not None

    @property
    def size(self) -> int:
        if self.first is not None and self.last is not None:
            raise PageError("Ask for `first` or for `last`, not for both.")
        size = self.last if self.last is not None else self.first
        if size is None:
            return PAGE_DEFAULT
        if not 1 <= size <= PAGE_MAX:
            raise PageError(f"A page has 1 to {PAGE_MAX} entries.")
        return size


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and whether there are more on either side."""

    rows: list[Row]
    has_next: bool
    has_previous: bool
    sort: tuple[Sort, ...]

    @cached_property
    def cursors(self) -> list[str]:
        """The rows' places in the list; made when somebody asks."""
        return [_cursor(self.sort, row) for row in self.rows]


PageKey = tuple[Listing[Any], PageArguments, Any]


class Pages:
    """Loads pages and counts; those that differ only in the parent share a statement."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pages: DataLoader[PageKey, Page[Any]] = DataLoader(
            self._load, max_batch_size=BATCH_MAX, cache=False
        )
        self._counts: DataLoader[PageKey, int] = DataLoader(
            self._count, max_batch_size=BATCH_MAX, cache=False
        )

    async def page(self, listing: Listing[Row], arguments: PageArguments, parent: Any = None) -> Page[Row]:
        """Load a page; raises `PageError` for arguments that are wrong."""
        _bounds(listing, arguments)
        assert arguments.size <= PAGE_MAX
        return await self._pages.load((listing, arguments, parent))

    async def count(self, listing: Listing[Row], parent: Any = None) -> int:
        """Count all the rows of a list."""
        return await self._counts.load((listing, PageArguments(), parent))

    async def _load(self, keys: list[PageKey]) -> list[Page[Any]]:
        found: dict[int, Page[Any]] = {}
        for (listing, arguments), places in _grouped(keys).items():
            parents = list(dict.fromkeys(keys[place][2] for place in places))
            statement, values = _page_statement(listing, arguments, parents)
            rows = _by_parent(listing, await listing.source.rows(self._database, statement, *values))
            pages = {parent: _page(listing, arguments, rows[parent]) for parent in parents}
            found |= {place: pages[keys[place][2]] for place in places}
        return [found[place] for place in range(len(keys))]

    async def _count(self, keys: list[PageKey]) -> list[int]:
        found: dict[int, int] = {}
        for (listing, _), places in _grouped(keys).items():
            parents = list(dict.fromkeys(keys[place][2] for place in places))
            statement, values = _count_statement(listing, parents)
            totals = dict(await self._database.rows(statement, *values))
            found |= {place: totals[keys[place][2] if listing.parent else 0] for place in places}
        return [found[place] for place in range(len(keys))]


def _grouped(keys: list[PageKey]) -> dict[tuple[Listing[Any], PageArguments], list[int]]:
    """The places of the keys that share a statement; each listing is looked at once, since it is large."""
    groups: dict[tuple[Listing[Any], PageArguments], list[int]] = defaultdict(list)
    for place, (listing, arguments, _) in enumerate(keys):
        groups[listing, arguments].append(place)
    return groups


def _by_parent(listing: Listing[Any], rows: Sequence[Any]) -> dict[Any, list[Any]]:
    """The rows of each list; those of a list without a parent are all there are."""
    if listing.parent is None:
        return {None: list(rows)}
    found: dict[Any, list[Any]] = defaultdict(list)
    for parent, own in groupby(rows, itemgetter(listing.source.names.index(listing.parent[0]))):
        found[parent] += own
    return found


def _parents(listing: Listing[Any], parents: list[Any]) -> tuple[str, list[Any]]:
    """The lists that are asked for, as a relation with one row each; a list without a parent is number 0."""
    kind = listing.parent[1] if listing.parent else "int"
    return f"unnest($1::{kind}[]) AS given (parent)", [parents if listing.parent else [0]]


def _conditions(listing: Listing[Any], values: list[Any]) -> list[str]:
    conditions = [f"r.{listing.parent[0]} = given.parent"] if listing.parent else []
    for condition, value in listing.where:
        values.append(list(value) if isinstance(value, tuple) else value)
        conditions.append(condition.format(f"${len(values)}"))
    return conditions


def _page_statement(
    listing: Listing[Any], arguments: PageArguments, parents: list[Any]
) -> tuple[str, list[Any]]:
    relation, values = _parents(listing, parents)
    conditions = _conditions(listing, values)
    columns = ", ".join(f"r.{sort.column}" for sort in listing.sort)
    for is_after, bound in _bounds(listing, arguments):
        marks = []
        for sort, value in zip(listing.sort, bound, strict=True):
            values.append(value)
            marks.append(f"${len(values)}::{sort.kind}")
        sign = ">" if is_after != listing.descending else "<"
        conditions.append(f"({columns}) {sign} ({', '.join(marks)})")
    direction = "DESC" if listing.descending != arguments.backwards else "ASC"
    order = ", ".join(f"r.{sort.column} {direction}" for sort in listing.sort)
    where = " AND ".join(conditions) or "true"
    return (
        f"""SELECT page.* FROM {relation} CROSS JOIN LATERAL (
                SELECT {listing.source.columns} FROM {listing.source.relation} AS r
                WHERE {where} ORDER BY {order} LIMIT {arguments.size + 1}) AS page""",
        values,
    )


def _count_statement(listing: Listing[Any], parents: list[Any]) -> tuple[str, list[Any]]:
    relation, values = _parents(listing, parents)
    where = " AND ".join(_conditions(listing, values)) or "true"
    return (
        f"""SELECT given.parent, counted.total FROM {relation} CROSS JOIN LATERAL (
                SELECT count(*)::int AS total FROM {listing.source.relation} AS r
                WHERE {where}) AS counted""",
        values,
    )


def _page(listing: Listing[Any], arguments: PageArguments, rows: list[Any]) -> Page[Any]:
    is_more = len(rows) > arguments.size
    rows = rows[: arguments.size]
    if arguments.backwards:
        rows.reverse()
    return Page(
        rows=rows,
        has_next=bool(arguments.before) if arguments.backwards else is_more,
        has_previous=is_more if arguments.backwards else bool(arguments.after),
        sort=listing.sort,
    )


def _cursor(sorts: tuple[Sort, ...], row: SQLModel) -> str:
    values = [getattr(row, sort.column) for sort in sorts]
    return base64.urlsafe_b64encode(orjson.dumps(values, default=str)).decode().rstrip("=")


def _bounds(listing: Listing[Any], arguments: PageArguments) -> list[tuple[bool, list[Any]]]:
    """The cursors that are given, read: whether the rows are to come after it, and its values."""
    return [
        (is_after, _read_cursor(listing, cursor))
        for is_after, cursor in ((True, arguments.after), (False, arguments.before))
        if cursor is not None
    ]


def _read_cursor(listing: Listing[Any], cursor: str) -> list[Any]:
    try:
        if len(cursor) > CURSOR_CHARACTERS_MAX:
            raise ValueError
        values = orjson.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
        if not isinstance(values, list):
            raise TypeError
        return [sort.read(value) for sort, value in zip(listing.sort, values, strict=True)]
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise PageError("The cursor is not one of this list.") from None


def _small_integer(value: Any) -> int:
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise ValueError
    return value
