"""Completes lists of plain objects a column at a time, and everything else as graphql-core does.

A selection is plain when all its fields are attributes without a resolver, down to its leaves. A list of such
objects is read column by column, without a path, an info and a resolver for each field. Whatever is unusual, a
null in the wrong place, a value that does not fit, leaves the whole list to graphql-core, so that data and
errors are the same. Nothing is read here that runs code: what has a property is not plain.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from inspect import getattr_static, iscoroutinefunction
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
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
    Undefined,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails
from graphql.pyutils import UndefinedType
from graphql.type import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter

PLAIN_CLASSES_KEPT_MAX = 1_024

Values = list[Any]
Column = Callable[[Values], Values]
Field = tuple[str | None, Column]
"""The attribute that a field is, and how its values are completed; `__typename` has none."""
Details = list[FieldDetails]


class Unusual(Exception):
    """The standard way has to say what this is; never seen outside."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor, with a shorter way for lists of plain objects."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._columns: dict[tuple[Any, int], tuple[Details, Column | None]] = {}

    def complete_list_value(
        self, return_type: Any, field_details_list: Details, info: Any, path: Any, result: Any, context: Any
    ) -> Any:
        column = self._column_of_list(return_type, field_details_list) if context is None else None
        if column is not None:
            with suppress(Exception):
                return column([result])[0]
        return super().complete_list_value(return_type, field_details_list, info, path, result, context)

    def _column_of_list(self, kind: Any, details: Details) -> Column | None:
        """How to complete a list with this selection, or None; planned once an execution."""
        known = self._columns.get((kind, id(details)))
        if known is None:
            try:
                known = details, self._present(kind, details)
            except Unusual:
                known = details, None
            self._columns[kind, id(details)] = known
        return known[1]

    def _column(self, kind: Any, details: Details) -> Column:
        if isinstance(kind, GraphQLNonNull):
            return partial(_all_present, self._present(kind.of_type, details))
        return partial(_some_present, self._present(kind, details))

    def _present(self, kind: Any, details: Details) -> Column:
        """How to complete values that are there, or raise `Unusual`."""
        if isinstance(kind, GraphQLList) and not _is_streamed(details):
            return partial(_lists, self._column(kind.of_type, details))
        if isinstance(kind, GraphQLObjectType) and self.middleware_manager is None:
            return self._objects(kind, details)
        if is_leaf_type(kind) and not iscoroutinefunction(kind.coerce_output_value):
            return partial(_leaves, kind)
        raise Unusual

    def _objects(self, kind: GraphQLObjectType, details: Details) -> Column:
        grouped, deferred, _ = self.collect_subfields(kind, details)
        definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if deferred or definition is None or definition.is_type_of is not None:
            raise Unusual
        fields = {name: self._field(kind, selected) for name, selected in grouped.items()}
        return partial(_rows, kind.is_type_of, fields)

    def _field(self, kind: GraphQLObjectType, details: Details) -> Field:
        node = details[0].node
        if node.name.value == "__typename":
            return None, partial(_constant, kind.name)
        field = kind.fields.get(node.name.value)
        definition = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if field is None or definition is None or field.args or node.arguments:
            raise Unusual
        if not definition.is_basic_field or definition.default_resolver is not getattr:
            raise Unusual
        return definition.python_name, self._column(field.type, details)


def _is_streamed(details: Details) -> bool:
    return any(d.name.value == "stream" for detail in details for d in detail.node.directives or ())


def _constant(value: str, values: Values) -> Values:
    return [value] * len(values)


def _all_present(column: Column, values: Values) -> Values:
    if NoneType in set(map(type, values)):
        raise Unusual
    return column(values)


def _some_present(column: Column, values: Values) -> Values:
    if NoneType not in set(map(type, values)):
        return column(values)
    completed = iter(column([value for value in values if value is not None]))
    return [None if value is None else next(completed) for value in values]


def _lists(column: Column, values: Values) -> Values:
    if not {list, tuple}.issuperset(map(type, values)):
        raise Unusual
    completed = iter(column(list(chain.from_iterable(values))))
    return [list(islice(completed, len(value))) for value in values]


def _rows(is_type_of: Any, fields: dict[str, Field], values: Values) -> Values:
    attributes = tuple(attribute for attribute, _ in fields.values() if attribute)
    if not all(_is_plain(kind, attributes) for kind in set(map(type, values))):
        raise Unusual
    if is_type_of is not None and not all(is_type_of(value, None) for value in values):
        raise Unusual
    if not fields:
        return [{} for _ in values]
    columns = [
        column(list(map(attrgetter(attribute), values)) if attribute else values)
        for attribute, column in fields.values()
    ]
    return [dict(zip(fields, row, strict=True)) for row in zip(*columns, strict=True)]


@lru_cache(PLAIN_CLASSES_KEPT_MAX)
def _is_plain(kind: type, attributes: tuple[str, ...]) -> bool:
    """Say whether objects of a class are data, and reading these attributes of them runs no code."""
    if issubclass(kind, (Exception, GeneratorType, UndefinedType)) or hasattr(kind, "__await__"):
        return False
    if hasattr(kind, "__getattr__") or kind.__getattribute__ is not object.__getattribute__:
        return False
    found = (getattr_static(kind, attribute, None) for attribute in attributes)
    return all(isinstance(it, MemberDescriptorType) or not hasattr(type(it), "__get__") for it in found)


def _leaves(kind: Any, values: Values) -> Values:
    """Keep what is exactly what the scalar makes of it; the rest is serialized, the same object once."""
    is_written_as_it_is = _AS_THEY_ARE.get(kind)
    if is_written_as_it_is is not None and is_written_as_it_is(values):
        return values
    written = {key: _leaf(kind, value) for key, value in zip(map(id, values), values, strict=True)}
    return [written[key] for key in map(id, values)]


def _leaf(kind: Any, value: Any) -> Any:
    if value is Undefined or isinstance(value, Exception) or optimized_is_awaitable(value):
        raise Unusual
    written = kind.coerce_output_value(value)
    if written is None or written is Undefined or optimized_is_awaitable(written):
        raise Unusual
    return written


def _are(kind: type, values: Values) -> bool:
    return {kind}.issuperset(map(type, values))


_AS_THEY_ARE: dict[Any, Callable[[Values], bool]] = {
    GraphQLString: partial(_are, str),
    GraphQLID: partial(_are, str),
    GraphQLBoolean: partial(_are, bool),
    GraphQLFloat: lambda values: _are(float, values) and all(map(isfinite, values)),
    GraphQLInt: lambda values: (
        _are(int, values)
        and GRAPHQL_MIN_INT <= min(values, default=0)
        and max(values, default=0) <= GRAPHQL_MAX_INT
    ),
}
