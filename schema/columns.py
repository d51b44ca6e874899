"""Completes many values of one type at once, exactly as graphql-core completes each, or raises.

A column is what one field is in all the objects of a list. Whatever is unusual in it raises, so that the
standard way can say what it is: a null in the wrong place, a value that does not fit, something to await.
Nothing runs code by being read: a class that has a property for a field is not plain.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from inspect import getattr_static
from itertools import chain, islice
from math import isfinite
from operator import attrgetter
from types import GeneratorType, MemberDescriptorType, NoneType
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import UndefinedType
from graphql.type import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

PLAIN_CLASSES_KEPT_MAX = 1_024
SELECTIONS_KEPT_MAX = 1_024

Values = list[Any]
Column = Callable[[Values], Values]
Field = tuple[str | None, Column]
"""The attribute that a field is, and how its values are completed; `__typename` has no attribute."""
IsTypeOf = Callable[[Any, Any], Any] | None


class Unusual(Exception):
    """The standard way has to say what this is; never seen outside of the executor."""


def constant(value: str, values: Values) -> Values:
    return [value] * len(values)


def all_present(column: Column, values: Values) -> Values:
    """Complete values of a type that is not null."""
    if isinstance(column, Leaves) and column.are_kept(values):
        return values
    if NoneType in set(map(type, values)):
        raise Unusual
    return column(values)


def some_present(column: Column, values: Values) -> Values:
    """Complete values of a type that may be null."""
    if NoneType not in set(map(type, values)):
        return column(values)
    completed = iter(column([value for value in values if value is not None]))
    return [None if value is None else next(completed) for value in values]


def lists(column: Column, values: Values) -> Values:
    """Complete the entries of all lists at once."""
    if not {list, tuple}.issuperset(map(type, values)):
        raise Unusual
    completed = iter(column(list(chain.from_iterable(values))))
    return [list(islice(completed, len(value))) for value in values]


class Objects:
    """Completes objects field by field; `is_type_of` must be Strawberry's own, which looks at no info."""

    def __init__(self, is_type_of: IsTypeOf, fields: dict[str, Field]) -> None:
        self._is_type_of = is_type_of
        self._attributes = tuple(attribute for attribute, _ in fields.values() if attribute)
        self._columns = [
            (attrgetter(attribute) if attribute else None, column) for attribute, column in fields.values()
        ]
        self._write = _written(tuple(fields)) if fields else None

    def __call__(self, values: Values) -> Values:
        kinds = dict(zip(map(type, values), values, strict=True))
        for kind in kinds:
            if not _is_plain(kind, self._attributes):
                raise Unusual
        is_type_of = self._is_type_of
        if is_type_of is not None and not (
            _are_uncast(values) and all(is_type_of(one, None) for one in kinds.values())
        ):
            raise Unusual
        if self._write is None:
            return [{} for _ in values]
        columns = [column(list(map(read, values)) if read else values) for read, column in self._columns]
        return self._write(zip(*columns, strict=True))


@lru_cache(SELECTIONS_KEPT_MAX)
def _written(names: tuple[str, ...]) -> Callable[[Iterable[tuple[Any, ...]]], Values]:
    """Compile what makes objects with these names of rows of values: a display is the fastest way there is.

    The names are a document's, so they are identifiers; anything else is never compiled.
    """
    if not all(map(str.isidentifier, names)):
        raise Unusual
    places = [f"value_{place}" for place in range(len(names))]
    display = ", ".join(f"{name!r}: {place}" for name, place in zip(names, places, strict=True))
    made: Callable[[Iterable[tuple[Any, ...]]], Values]
    made = eval(f"lambda rows: [{{{display}}} for {', '.join(places)}, in rows]")  # noqa: S307
    return made


def _are_uncast(values: Values) -> bool:
    """Say whether nothing was given out as another type than its class is."""
    return {getattr(value, TYPE_CAST_ATTRIBUTE, None) for value in values} <= {None}


@lru_cache(PLAIN_CLASSES_KEPT_MAX)
def _is_plain(kind: type, attributes: tuple[str, ...]) -> bool:
    """Say whether objects of a class are data, and reading these attributes of them runs no code."""
    if issubclass(kind, (Exception, GeneratorType, UndefinedType)) or hasattr(kind, "__await__"):
        return False
    if hasattr(kind, "__getattr__") or kind.__getattribute__ is not object.__getattribute__:
        return False
    found = (getattr_static(kind, attribute, None) for attribute in attributes)
    return all(isinstance(it, MemberDescriptorType) or not hasattr(type(it), "__get__") for it in found)


@dataclass(frozen=True)
class Leaves:
    """Keeps what a scalar writes as it is; serializes the rest, the same object once."""

    kind: GraphQLLeafType

    def are_kept(self, values: Values) -> bool:
        """Say whether all of them are written as they are; null is not."""
        is_kept = _KEPT.get(self.kind)
        return is_kept is not None and is_kept(values)

    def __call__(self, values: Values) -> Values:
        if self.are_kept(values):
            return values
        if len(values) == 1:
            return [_leaf(self.kind, values[0])]
        distinct = dict(zip(map(id, values), values, strict=True))
        written = {key: _leaf(self.kind, value) for key, value in distinct.items()}
        return [written[key] for key in map(id, values)]


def _leaf(kind: GraphQLLeafType, value: Any) -> Any:
    if value is Undefined or isinstance(value, Exception) or optimized_is_awaitable(value):
        raise Unusual
    written = kind.coerce_output_value(value)
    if written is None or written is Undefined or optimized_is_awaitable(written):
        raise Unusual
    return written


def _are(kind: type, values: Values) -> bool:
    return {kind}.issuperset(map(type, values))


def _are_small_integers(values: Values) -> bool:
    if not _are(int, values):
        return False
    return min(values, default=0) >= GRAPHQL_MIN_INT and max(values, default=0) <= GRAPHQL_MAX_INT


def _are_finite_floats(values: Values) -> bool:
    return _are(float, values) and all(map(isfinite, values))


_KEPT: dict[GraphQLLeafType, Callable[[Values], bool]] = {
    GraphQLString: partial(_are, str),
    GraphQLID: partial(_are, str),
    GraphQLBoolean: partial(_are, bool),
    GraphQLFloat: _are_finite_floats,
    GraphQLInt: _are_small_integers,
}
