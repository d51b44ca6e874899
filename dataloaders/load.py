"""Batched reads: one statement for all the rows of one kind that an operation asks for in one moment.

Loaders batch and do not cache: what a subscription reads an hour after it began is an hour newer.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from asyncpg import Record
from sqlmodel import SQLModel
from strawberry.dataloader import DataLoader

from database import Database
from models.columns import record_of

BATCH_MAX = 1_000

Row = TypeVar("Row", bound=SQLModel)
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Source(Generic[Row]):
    """What is read: a table or a sub-select with a model's columns, but for those that nobody asks for."""

    model: type[Row]
    relation: str
    without: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in self.model.model_fields if name not in self.without)

    @cached_property
    def columns(self) -> str:
        return ", ".join(f"r.{name}" for name in self.names)

    async def rows(self, database: Database, statement: str, *values: object) -> Sequence[Row]:
        """Run a statement that selects `columns`, and return its records, which read as the model does."""
        kind = record_of(self.model, self.names)
        return cast(Sequence[Row], await database.rows(statement, *values, kind=kind))


def load_one(database: Database, source: Source[Row], **key: str) -> DataLoader[Key, Row | None]:
    """Load rows by a unique key; `key` names its columns with their SQL types. None where there is no row."""
    statement, key_of = _statement(source, key), _key_of(key)

    async def load(keys: list[Key]) -> list[Row | None]:
        found = {key_of(row): row for row in await source.rows(database, statement, *_columns(keys))}
        return [found.get(wanted) for wanted in keys]

    return _loader(load)


def load_many(
    database: Database, source: Source[Row], order_by: str, *, most: int | None = None, **key: str
) -> DataLoader[Key, list[Row]]:
    """Load the rows of each key, in an order: the first so many, or all of lists that are short by nature."""
    statement, key_of = f"{_statement(source, key)} ORDER BY {order_by}", _key_of(key)
    if most is not None:
        statement = _first_of_each(source, order_by, most, key)

    async def load(keys: list[Key]) -> list[list[Row]]:
        found: dict[Key, list[Row]] = defaultdict(list)
        for row in await source.rows(database, statement, *_columns(keys)):
            found[key_of(row)].append(row)
        return [found[wanted] for wanted in keys]

    return _loader(load)


def load_since(
    database: Database, source: Source[Row], owner: str, most: int
) -> DataLoader[tuple[UUID, UUID], list[Row]]:
    """Load an owner's rows from an id on, by both, in the order of their ids: the first so many."""
    statement = f"""SELECT found.* FROM unnest($1::uuid[], $2::uuid[]) AS wanted (owner, since)
        CROSS JOIN LATERAL (
            SELECT {source.columns} FROM {source.relation} AS r
            WHERE r.{owner} = wanted.owner AND r.id >= wanted.since ORDER BY r.id LIMIT {most}) AS found"""

    async def load(keys: list[tuple[UUID, UUID]]) -> list[list[Row]]:
        since: dict[UUID, UUID] = {}
        for owner_id, id in keys:
            since[owner_id] = min(id, since.get(owner_id, id))
        found: dict[UUID, list[Any]] = defaultdict(list)
        rows: Sequence[Any] = await source.rows(database, statement, list(since), list(since.values()))
        for row in rows:
            found[row[owner]].append(row)
        return [[row for row in found[owner_id] if row.id >= id] for owner_id, id in keys]

    return _loader(load)


def load_records(database: Database, statement: str) -> DataLoader[Any, list[Record]]:
    """Load the records of each key: $1 are the keys; the first column is the key that a record is of."""

    async def load(keys: list[Any]) -> list[list[Record]]:
        found: dict[Any, list[Record]] = defaultdict(list)
        for record in await database.rows(statement, list(dict.fromkeys(keys))):
            found[record[0]].append(record)
        return [found[wanted] for wanted in keys]

    return _loader(load)


def load_together(
    database: Database, read: Callable[..., Awaitable[Mapping[UUID, Any]]]
) -> DataLoader[UUID, Any]:
    """Load what a function makes of all keys, given what runs a statement and the keys."""

    async def load(keys: list[UUID]) -> list[Any]:
        found = await read(database.rows, list(dict.fromkeys(keys)))
        return [found[wanted] for wanted in keys]

    return _loader(load)


def load_value(database: Database, statement: str) -> DataLoader[Key, Any]:
    """Load one value that is the same for all who ask; its key is empty."""

    async def load(keys: list[Key]) -> list[Any]:
        rows = await database.rows(statement)
        return [rows[0][0]] * len(keys)

    return _loader(load)


def _statement(source: Source[Any], key: dict[str, str]) -> str:
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(key.values(), start=1))
    same = " AND ".join(f"r.{name} = wanted.{name}" for name in key)
    return f"""SELECT {source.columns} FROM {source.relation} AS r
               JOIN unnest({arrays}) AS wanted ({", ".join(key)}) ON {same}"""


def _first_of_each(source: Source[Any], order_by: str, most: int, key: dict[str, str]) -> str:
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(key.values(), start=1))
    same = " AND ".join(f"r.{name} = wanted.{name}" for name in key)
    return f"""SELECT found.* FROM unnest({arrays}) AS wanted ({", ".join(key)}) CROSS JOIN LATERAL (
                   SELECT {source.columns} FROM {source.relation} AS r
                   WHERE {same} ORDER BY {order_by} LIMIT {most}) AS found"""


def _key_of(columns: Iterable[str]) -> Callable[[Any], Key]:
    return lambda row: tuple(row[column] for column in columns)


def _columns(keys: list[Key]) -> list[tuple[Any, ...]]:
    """The distinct keys, turned from rows into columns."""
    return list(zip(*dict.fromkeys(keys), strict=True))


def _loader(load: Callable[[list[Any]], Awaitable[Sequence[Any]]]) -> DataLoader[Any, Any]:
    return DataLoader(load_fn=load, max_batch_size=BATCH_MAX, cache=False)
