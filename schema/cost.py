"""What an operation may cost, before it is run: about one for each object that its answer can have.

Lists are multiplied by the size that is asked for. Where variables say it, the cost of a document is kept as
a sum of products of them, and each request only fills in its variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    value_from_ast_untyped,
)

from dataloaders.pages import PAGE_DEFAULT, PAGE_MAX
from schema.measures import INTROSPECTION, too_complex

OBJECT_COST = 1
WHOLE_LIST_SIZE = 10
MUTATION_COST = 10
INTROSPECTION_COST = 4_000
COST_OF_FIELDS = {("TicketQr", "svg"): 100}
"""What is not read but made, and takes as long as so many objects."""

Size = tuple[str | int, ...]
"""How long a list may be: the largest of these numbers and variables, or a page by default."""
Terms = dict[tuple[Size, ...], int]
"""A sum: how many times each product of sizes."""


@dataclass(frozen=True)
class Cost:
    """What an operation costs, for any variables."""

    terms: tuple[tuple[tuple[Size, ...], int], ...]
    defaults: Mapping[str, Any]
    fixed: int | None
    """The cost, where variables do not matter."""

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """The cost with these variables."""
        if self.fixed is not None:
            return self.fixed
        given = {**self.defaults, **(variables or {})}
        return sum(number * prod(_length(size, given) for size in sizes) for sizes, number in self.terms)


def cost_of(schema: GraphQLSchema, document: DocumentNode, node: OperationDefinitionNode, limit: int) -> Cost:
    """The cost of an operation of a valid document; raises QUERY_TOO_COMPLEX for one beyond any variables."""
    root = cast(GraphQLObjectType, schema.get_root_type(node.operation))
    terms = Costing(schema, document, limit).of_selections(root, node.selection_set, None)
    if not any(terms):
        return Cost((), {}, terms.get((), 0))
    defaults = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in node.variable_definitions or ()
        if definition.default_value
    }
    return Cost(tuple(terms.items()), defaults, None)


class Costing:
    """Adds up the selections of one document, each of its fragments once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limit: int) -> None:
        self._schema, self._limit = schema, limit
        fragments = (d for d in document.definitions if isinstance(d, FragmentDefinitionNode))
        self._fragments = {fragment.name.value: fragment for fragment in fragments}
        self._known: dict[tuple[str, Size | None], Terms] = {}

    def of_selections(self, parent: Any, selections: SelectionSetNode, page: Size | None) -> Terms:
        """The cost of what is selected of an object; `page` is how long its lists are in a connection."""
        found: Terms = {}
        for node in selections.selections:
            if isinstance(node, FieldNode):
                _add(found, self._of_field(parent, node, page))
            elif isinstance(node, FragmentSpreadNode):
                _add(found, self._of_fragment(node.name.value, page))
            elif isinstance(node, InlineFragmentNode):
                named = node.type_condition
                kind = self._schema.type_map[named.name.value] if named else parent
                _add(found, self.of_selections(kind, node.selection_set, page))
        self._refuse_beyond_any_variables(found)
        return found

    def _of_field(self, parent: Any, node: FieldNode, page: Size | None) -> Terms:
        if node.name.value in INTROSPECTION:
            return {(): INTROSPECTION_COST}
        if node.selection_set is None:
            cost = COST_OF_FIELDS.get((parent.name, node.name.value))
            return {(): cost} if cost else {}
        definition: GraphQLField = parent.fields[node.name.value]
        kind = get_named_type(definition.type)
        arguments = {argument.name.value: argument.value for argument in node.arguments or ()}
        below: Terms = {(): MUTATION_COST if parent is self._schema.mutation_type else OBJECT_COST}
        _add(below, self.of_selections(kind, node.selection_set, _page(definition, arguments)))
        if not isinstance(get_nullable_type(definition.type), GraphQLList):
            return below
        size = page or _lengths(arguments, "ids") or (WHOLE_LIST_SIZE,)
        return _times(below, size)

    def _of_fragment(self, name: str, page: Size | None) -> Terms:
        if (name, page) not in self._known:
            fragment = self._fragments[name]
            kind = self._schema.type_map[fragment.type_condition.name.value]
            self._known[name, page] = self.of_selections(kind, fragment.selection_set, page)
        return self._known[name, page]

    def _refuse_beyond_any_variables(self, terms: Terms) -> None:
        """Refuse what is too much with the least that its variables can be; so the sum stays short, too."""
        least = sum(number * prod(_least(size) for size in sizes) for sizes, number in terms.items())
        refuse_dear(least, self._limit)


def refuse_dear(cost: int, limit: int) -> None:
    """Raise QUERY_TOO_COMPLEX for a cost beyond the limit."""
    if cost > limit:
        raise too_complex(
            f"This costs {cost:,}, and an operation may cost {limit:,}: ask for shorter pages, or for less.",
            limit,
            cost=cost,
        )


def _add(found: Terms, more: Terms) -> None:
    for sizes, number in more.items():
        found[sizes] = found.get(sizes, 0) + number


def _times(terms: Terms, size: Size) -> Terms:
    known = _least(size)
    if all(isinstance(length, int) for length in size):
        return {sizes: number * known for sizes, number in terms.items()}
    return {tuple(sorted((*sizes, size), key=str)): number for sizes, number in terms.items()}


def _page(definition: GraphQLField, arguments: Mapping[str, ValueNode]) -> Size | None:
    if "first" not in definition.args:
        return None
    return _lengths(arguments, "first", "last") or (PAGE_DEFAULT,)


def _lengths(arguments: Mapping[str, ValueNode], *names: str) -> Size:
    return tuple(length for name in names for length in _length_of(arguments.get(name)))


def _length_of(node: ValueNode | None) -> Size:
    if isinstance(node, VariableNode):
        return (node.name.value,)
    if isinstance(node, IntValueNode):
        return (min(max(int(node.value), 1), PAGE_MAX),)
    if isinstance(node, ListValueNode):
        return (max(1, len(node.values)),)
    return (1,) if isinstance(node, StringValueNode) else ()


def _length(size: Size, given: Mapping[str, Any]) -> int:
    lengths = [part if isinstance(part, int) else _length_of_value(given.get(part)) for part in size]
    return max((length for length in lengths if length is not None), default=PAGE_DEFAULT)


def _length_of_value(value: object) -> int | None:
    """How long a list is that a variable asks for; anything else alone is a list of one."""
    if isinstance(value, list):
        return max(1, len(value))
    if isinstance(value, int | float):
        return int(min(max(value, 1), PAGE_MAX))
    return None if value is None else 1


def _least(size: Size) -> int:
    return max((part for part in size if isinstance(part, int)), default=1)
