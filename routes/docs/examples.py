"""An operation for each field at a root of the schema, with variables that fit it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    parse,
    print_ast,
)

DEPTH_MAX = 2
FIELDS_AT_THE_BOTTOM_MAX = 4
SHOWN_ARGUMENTS = {"id", "input", "first"}  # though they may be left out
ID_PREFIXES = {
    "event": "ev",
    "venue": "ve",
    "hall": "ha",
    "tier": "ti",
    "seat": "se",
    "order": "or",
    "reference": "or",
    "ticket": "tk",
    "transfer": "tr",
    "user": "us",
    "session": "ss",
    "transaction": "tx",
    "item": "ci",
}
NAMED = {
    "email": "alice@example.com",
    "password": "a long password",
    "currentPassword": "a long password",
    "newPassword": "a longer password",
    "phone": "+49 30 123456",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "salesStartAt": "2027-03-01T09:00:00Z",
    "salesEndAt": "2027-06-01T19:00:00Z",
    "endsAt": "2027-06-01T22:30:00Z",
}
VALUES = {
    "Int": 2,
    "Float": 1.5,
    "Boolean": True,
    "DateTime": "2027-06-01T19:30:00Z",
    "Decimal": "25.00",
}


@dataclass(frozen=True)
class Example:
    """A whole operation, and variables that fit it; `…` stands for what is the reader's own."""

    kind: str
    name: str
    document: str
    variables: dict[str, Any]

    @property
    def written_variables(self) -> str:
        """The variables as JSON that people can read."""
        return json.dumps(self.variables, indent=2, ensure_ascii=False)


def example_of(schema: GraphQLSchema, kind: str, name: str, field: GraphQLField) -> Example:
    """Ask a field at the root for what it has, two steps deep, with what it must be told."""
    arguments = {
        argument: definition
        for argument, definition in field.args.items()
        if is_required_argument(definition) or argument in SHOWN_ARGUMENTS
    }
    declared = ", ".join(f"${argument}: {definition.type}" for argument, definition in arguments.items())
    given = ", ".join(f"{argument}: ${argument}" for argument in arguments)
    operation = f"{name[0].upper()}{name[1:]}{kind.title()}"
    document = (
        f"{kind} {operation}{f'({declared})' if declared else ''} "
        f"{{ {name}{f'({given})' if given else ''}{_selection(schema, field.type, DEPTH_MAX)} }}"
    )
    variables = {
        argument: _value(definition.type, name if argument in {"id", "ids"} else argument)
        for argument, definition in arguments.items()
    }
    return Example(kind, operation, print_ast(parse(document)), variables)


def _selection(schema: GraphQLSchema, type: GraphQLOutputType, depth: int) -> str:
    named = get_named_type(type)
    match named:
        case GraphQLUnionType():
            parts = list(_members(schema, named, {}, depth))
        case GraphQLInterfaceType():
            shared = dict.fromkeys(named.fields, "")  # asked of all, and so of none again
            parts = [*shared, *_members(schema, named, shared, 0)]
        case GraphQLObjectType():
            parts = list(
                islice(_fields(schema, named, {}, depth), None if depth else FIELDS_AT_THE_BOTTOM_MAX)
            )
        case _:
            return ""
    return f" {{ {' '.join(parts)} }}"


def _members(
    schema: GraphQLSchema, type: GraphQLUnionType | GraphQLInterfaceType, taken: dict[str, str], depth: int
) -> Iterator[str]:
    """A fragment for each member, of fields that do not contradict those of the members before it."""
    yield "__typename"
    for member in schema.get_possible_types(type):
        if member.name == "Refusal":
            yield "... on Refusal { code message }"
        elif fields := " ".join(_fields(schema, member, taken, depth)):
            yield f"... on {member.name} {{ {fields} }}"


def _fields(
    schema: GraphQLSchema, type: GraphQLObjectType, taken: dict[str, str], depth: int
) -> Iterator[str]:
    for name, field in type.fields.items():
        named = get_named_type(field.type)
        is_near = depth > 0 or is_leaf_type(named) or _is_value(named)
        is_list = named.name.endswith("Connection") or (name == "edges" and "nodes" in type.fields)
        needs_arguments = any(map(is_required_argument, field.args.values()))
        if not is_near or is_list or needs_arguments or field.deprecation_reason:
            continue
        if taken.setdefault(name, str(field.type)) == str(field.type):
            yield name + _selection(schema, field.type, depth - 1)


def _is_value(type: GraphQLNamedType) -> bool:
    """Say whether this is no thing of its own, but has leaves only, like an amount of money."""
    if not isinstance(type, GraphQLObjectType) or "id" in type.fields:
        return False
    return all(is_leaf_type(get_named_type(field.type)) for field in type.fields.values())


def _value(type: GraphQLInputType, name: str, within: tuple[str, ...] = ()) -> Any:
    if is_non_null_type(type):
        return _value(type.of_type, name, within)
    if is_list_type(type):
        return [_value(type.of_type, name.removesuffix("s"), within)]
    if isinstance(type, GraphQLInputObjectType):
        return _object(type, (*within, type.name))
    named = get_named_type(type)
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    if named.name == "ID":
        return f"{ID_PREFIXES.get(name.removesuffix('Id'), 'ev')}_…"
    return NAMED.get(name) or VALUES.get(named.name, "…")


def _object(type: GraphQLInputObjectType, within: tuple[str, ...]) -> dict[str, Any]:
    """All that an input can say; of one that says one thing, the first."""
    fields = {
        name: _value(field.type, name, within)
        for name, field in type.fields.items()
        if get_named_type(field.type).name not in within
    }
    return dict(list(fields.items())[:1]) if type.is_one_of else fields
