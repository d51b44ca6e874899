"""Walks the whole schema: every query with every argument filled from a world, and what an answer tells."""

from collections.abc import Iterator
from typing import Any

import orjson
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
    is_required_argument,
)

from schema.root import schema
from tests.alice import House, flat

DEPTH, DEPTH_OF_NODES, DEPTH_OF_VARIANTS = 2, 1, 0
"""From how many things a walk goes on to others: from a query's plain form, from things by their ids, where
each kind is a beginning, and from a query with a filter."""
WHOLE_PAGE = "first: 100"
NODES = schema.graphql_schema.get_possible_types(schema.graphql_schema.type_map["Node"])
QUERY = schema.graphql_schema.query_type
LONG_AGO = "2000-01-01T00:00:00Z"


def selection(kind: Any, depth: int) -> str:
    """All that a type has, and all that it leads to, over so many things; of a `Node` what it is."""
    if is_abstract_type(kind):
        return "__typename id"
    return " ".join(["__typename", *_selections(kind, depth)])


def _selections(kind: GraphQLObjectType, depth: int) -> Iterator[str]:
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        further = min(depth, 1) if name == "edges" else depth  # the `nodes` beside them go all the way
        further -= below in NODES
        if not is_composite_type(below):
            yield name
        elif further >= 0:
            page = f"({WHOLE_PAGE})" if "first" in field.args else ""
            yield f"{name}{page} {{ {selection(below, further)} }}"


def queries(house: House) -> Iterator[str]:
    """Every query field in every way, and every list that a thing has in every way."""
    assert QUERY
    every = [*flat(house.alices)]
    for name, field in QUERY.fields.items():
        kinds = NODES if name == "nodes" else [None]
        for kind in kinds:
            for arguments in _ways(name, field, house):
                yield f"{{ __typename {_asking(name, field, arguments, kind)} }}"
    for kind in NODES:
        named = literal(house.alices.get(kind.name.lower(), every))
        for name, field in kind.fields.items():
            for arguments in _ways(name, field, house)[1:]:
                inner = f"id {_asking(name, field, arguments)}"
                things = f"nodes(ids: {named}) {{ __typename ... on {kind.name} {{ {inner} }} }}"
                yield f"{{ __typename {things} }}"


def _asking(name: str, field: GraphQLField, arguments: str, kind: GraphQLObjectType | None = None) -> str:
    is_plain = arguments in {"", f"({WHOLE_PAGE})"} or name == "nodes"
    depth = DEPTH if is_plain else DEPTH_OF_VARIANTS
    below = get_named_type(field.type)
    if not is_composite_type(below):
        return f"{name}{arguments}"
    if kind:
        named = selection(kind, DEPTH_OF_NODES)
        return f"{name}{arguments} {{ __typename ... on {kind.name} {{ {named} }} }}"
    return f"{name}{arguments} {{ {selection(below, depth)} }}"


def _ways(name: str, field: GraphQLField, house: House) -> list[str]:
    """The plain form of a field's arguments, where it has one, and one for each value of each of them."""
    page = WHOLE_PAGE if "first" in field.args else ""
    plain = [] if any(is_required_argument(argument) for argument in field.args.values()) else [page]
    ways = [
        f"{page} {argument}: {value}"
        for argument, definition in field.args.items()
        if argument not in {"first", "last", "before"}
        for value in _values(argument, definition, name, house)
    ]
    if page:
        ways += [f"last: 100 before: {literal(cursor)}" for cursor in house.cursors]
    return [f"({way})" if way else "" for way in [*plain, *ways]]


def _values(name: str, argument: GraphQLArgument, of_field: str, house: House) -> list[str]:
    kind = get_named_type(argument.type)
    if isinstance(kind, GraphQLInputObjectType):
        return [
            f"{{{inner}: {value}}}"
            for inner, field in kind.fields.items()
            for value in _values(inner, field, of_field, house)
        ]
    if isinstance(kind, GraphQLEnumType):
        return [
            f"[{value}]" if is_list_type(get_nullable_type(argument.type)) else value for value in kind.values
        ]
    match kind.name:
        case "ID" if name == "ids":
            return [literal([*flat(house.alices)])]
        case "ID":
            named = of_field if name == "id" else name.removesuffix("Id")
            return [literal(id) for id in house.alices.get(named) or flat(house.alices)]
        case "String" if name == "after":
            return [literal(cursor) for cursor in house.cursors]
        case "String":
            return [literal(word) for word in house.words]
        case "Boolean":
            return ["true", "false"]
        case "DateTime":
            return [literal(LONG_AGO)]
    raise AssertionError(f"{of_field}({name}:) is a {kind}, of which this walk knows no value")


def literal(value: object) -> str:
    return orjson.dumps(value).decode()


def told(data: Any, own: set[str], is_own: bool = False) -> Iterator[tuple[str, bool]]:
    """Every field that says something, as `Type.field`, and whether it is of the reader's own.

    A thing is its reader's or not by its id, and so is what leads to it; what has no id belongs to the rest.
    """
    is_own = data["id"] in own if "id" in data else is_own
    for name, value in data.items():
        found = value if isinstance(value, list) else [value]
        things = [each for each in found if isinstance(each, dict)]
        if name != "__typename" and any(each is not None for each in found):
            leads_to_own = bool(things) and all(thing.get("id") in own for thing in things)
            yield f"{data['__typename']}.{name}", is_own or leads_to_own
        for thing in things:
            yield from told(thing, own, is_own)
