"""The schema as a reader meets it: roots with examples, types by their kind, and where each is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    get_named_type,
    print_ast,
)

from routes.docs.clients import CLIENTS
from routes.docs.examples import Example, example_of

KINDS: dict[str, type[GraphQLNamedType]] = {
    "Objects": GraphQLObjectType,
    "Interfaces": GraphQLInterfaceType,
    "Unions": GraphQLUnionType,
    "Inputs": GraphQLInputObjectType,
    "Enums": GraphQLEnumType,
    "Scalars": GraphQLScalarType,
}


class Reference(NamedTuple):
    """A type as it is written at a field, with where its name leads."""

    before: str
    name: str
    after: str
    address: str


@dataclass(frozen=True)
class Root:
    """What can be asked in one of the three ways."""

    kind: str
    title: str
    address: str
    type: GraphQLObjectType


def roots_of(schema: GraphQLSchema) -> list[Root]:
    """Queries, mutations and subscriptions."""
    named = [
        ("query", "Queries", schema.query_type),
        ("mutation", "Mutations", schema.mutation_type),
        ("subscription", "Subscriptions", schema.subscription_type),
    ]
    return [Root(kind, title, f"/docs/{title.lower()}", type) for kind, title, type in named if type]


def kinds_of(schema: GraphQLSchema) -> dict[str, list[GraphQLNamedType]]:
    """Every type but the roots and those of introspection, by kind and then by name."""
    elsewhere = {root.type.name for root in roots_of(schema)}
    shown = [t for name, t in sorted(schema.type_map.items()) if not name.startswith("__")]
    return {
        kind: [type for type in shown if isinstance(type, of) and type.name not in elsewhere]
        for kind, of in KINDS.items()
    }


def example_in(schema: GraphQLSchema, root: Root, name: str, field: GraphQLField) -> tuple[Example, Any]:
    """The operation for a field at a root, and how each client writes it."""
    example = example_of(schema, root.kind, name, field)
    return example, {client: write(example) for client, write in CLIENTS.items()}


def references(schema: GraphQLSchema) -> Callable[[GraphQLType], Reference]:
    """A function that says how a type is written, and where it is described."""
    addresses = {root.type.name: root.address for root in roots_of(schema)}

    def reference(type: GraphQLType) -> Reference:
        name = get_named_type(type).name
        before, _, after = str(type).partition(name)
        return Reference(before, name, after, addresses.get(name, f"/docs/types#{name}"))

    return reference


def default_of(argument: GraphQLArgument | GraphQLInputField) -> str:
    """What is taken when nothing is said, as the SDL has it; empty when there is no such thing."""
    literal = argument.default.literal if argument.default else None
    return print_ast(literal) if literal else ""


class Entry(NamedTuple):
    """Something that can be searched for."""

    name: str
    kind: str
    address: str
    says: str


def entries_of(schema: GraphQLSchema) -> Iterator[Entry]:
    """The fields at the roots, then every type and its fields."""
    for root in roots_of(schema):
        for name, field in root.type.fields.items():
            yield Entry(name, root.kind, f"{root.address}#{name}", field.description or "")
    for kind, types in kinds_of(schema).items():
        for type in types:
            address = f"/docs/types#{type.name}"
            yield Entry(type.name, kind.removesuffix("s").lower(), address, type.description or "")
            for name, field in getattr(type, "fields", {}).items():
                yield Entry(f"{type.name}.{name}", "field", f"{address}.{name}", field.description or "")
