"""The kinds of column that the tables are made of, each defined once."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from operator import itemgetter
from types import FunctionType
from typing import Any, TypeVar, cast
from uuid import UUID

from asyncpg import Record
from sqlalchemy import CheckConstraint, Column, DateTime, Text, Uuid, func
from uuid_utils.compat import uuid7

Row = TypeVar("Row")

_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 8
_REFERENCES = len(_REFERENCE_ALPHABET) ** _REFERENCE_LENGTH


def new_id() -> UUID:
    """Make the id of a new row: a UUIDv7, so that rows lie in the order of their birth."""
    return uuid7()


def first_id_at(seconds: float) -> UUID:
    """Make the least id that `new_id` can make at a moment of the clock, in seconds since 1970."""
    return UUID(int=int(seconds * 1_000) << 80)


def new_reference() -> str:
    """Make a reference to be said aloud at a counter: eight letters and digits that nobody mishears."""
    number, letters = secrets.randbelow(_REFERENCES), ""
    for _ in range(_REFERENCE_LENGTH):
        number, letter = divmod(number, len(_REFERENCE_ALPHABET))
        letters += _REFERENCE_ALPHABET[letter]
    return letters


def plain_row(model: type[Row], values: Mapping[str, Any]) -> Row:
    """A row that was read, with the model's attributes and methods and none of the ORM's bookkeeping.

    It belongs to no session and is never written back; making it costs a tenth of making an ORM instance.
    """
    row = _plain(cast(Any, model))()
    row.__dict__.update(values)
    return cast(Row, row)


@cache
def record_of(model: type[Any], columns: tuple[str, ...]) -> type[Record]:
    """The kind of record that reads as the model does: the driver makes it, and nothing is copied."""
    read = {name: property(itemgetter(place)) for place, name in enumerate(columns)}
    return type(f"{model.__name__}Record", (Record,), {"__slots__": (), **_own(model), **read})


@cache
def _plain(model: type[Any]) -> type[Any]:
    return type(f"Plain{model.__name__}", (), _own(model))


def _own(model: type[Any]) -> dict[str, Any]:
    """What was defined on the model by hand: its properties and methods."""
    kinds = (property, FunctionType)
    return {k: v for k, v in vars(model).items() if isinstance(v, kinds) and not k.startswith("_")}


def ids(**options: Any) -> Column[UUID]:
    return Column(Uuid(), nullable=options.pop("nullable", False), **options)


def texts(**options: Any) -> Column[str]:
    return Column(Text(), nullable=options.pop("nullable", False), **options)


def moments(**options: Any) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=options.pop("nullable", False), **options)


def born() -> Column[datetime]:
    """The moment of the statement that wrote the row, by the database's clock."""
    return moments(server_default=func.statement_timestamp())


def one_of(column: str, kinds: type[StrEnum], name: str) -> CheckConstraint:
    """Let the column hold only what the enum has; kept as text, so that a new kind is one new constraint."""
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=name)
