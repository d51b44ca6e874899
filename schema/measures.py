"""How much a document asks for, by its text alone: depth, aliases, directives and repeats."""

from collections import Counter
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from schema.errors import RequestError, wrong_argument
from settings import Settings

INTROSPECTION = {"__schema", "__type"}
INTROSPECTION_DEPTH_MAX = 20
TOO_DEEP = "The document is nested too deeply."
NO_INTROSPECTION = "Here the schema cannot be asked for: take it from schema/schema.graphql of the release."


@dataclass
class Measure:
    """How deep a selection goes and how much stands in it; a fragment counts wherever it is spread."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: int = 0
    names: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Measure") -> None:
        """Count what stands beside this, in the same place of the answer."""
        self.add_below(other, levels=0)
        self.names += other.names
        self.repeats = max(self.repeats, *self.names.values(), 0)

    def add_below(self, other: "Measure", levels: int = 1) -> None:
        """Count what stands in one of its fields."""
        self.depth = max(self.depth, other.depth + levels)
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.aliases += other.aliases
        self.directives += other.directives
        self.repeats = max(self.repeats, other.repeats)


class Measuring:
    """Measures the operations of one document, each of its fragments once."""

    def __init__(self, document: DocumentNode) -> None:
        fragments = (d for d in document.definitions if isinstance(d, FragmentDefinitionNode))
        self._fragments = {fragment.name.value: fragment for fragment in fragments}
        self._measured: dict[str, Measure] = {}

    def of(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> Measure:
        measure = self._of_selections(node.selection_set)
        measure.directives += len(node.directives or ())
        return measure

    def _of_selections(self, selections: SelectionSetNode) -> Measure:
        found = Measure()
        for node in selections.selections:
            found.directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                self._add_field(found, node)
            elif isinstance(node, FragmentSpreadNode):
                found.add(self._of_fragment(node.name.value))
            elif isinstance(node, InlineFragmentNode):
                found.add(self._of_selections(node.selection_set))
        return found

    def _add_field(self, found: Measure, node: FieldNode) -> None:
        found.aliases += node.alias is not None
        key = (node.alias or node.name).value
        found.names[key] += 1
        found.repeats = max(found.repeats, found.names[key])
        below = self._of_selections(node.selection_set) if node.selection_set else Measure()
        if node.name.value in INTROSPECTION:
            below.introspection_depth, below.depth = below.depth, 0
        found.add_below(below)

    def _of_fragment(self, name: str) -> Measure:
        """Measure a fragment; in one that spreads itself, or is not there, the validation finds the fault."""
        if name not in self._measured:
            self._measured[name] = Measure()
            if name in self._fragments:
                self._measured[name] = self.of(self._fragments[name])
        return self._measured[name]


def refuse_too_much(document: DocumentNode, settings: Settings) -> None:
    """Raise a RequestError for a document that is beyond a limit, or asks for the schema where it may not."""
    measuring = Measuring(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
            found = measuring.of(definition)
            if found.introspection_depth and not settings.may_introspect:
                raise wrong_argument(NO_INTROSPECTION)
            _compare(found, settings)


def _compare(found: Measure, settings: Settings) -> None:
    for name, amount, limit, sentence in (
        ("depth", found.depth, settings.query_depth_max, "Fields can be nested {limit:,} deep."),
        ("depth", found.introspection_depth, INTROSPECTION_DEPTH_MAX, "`__schema` can be {limit:,} deep."),
        ("aliases", found.aliases, settings.query_aliases_max, "An operation can have {limit:,} aliases."),
        (
            "directives",
            found.directives,
            settings.query_directives_max,
            "An operation can have {limit:,} directives.",
        ),
        (
            "repeats",
            found.repeats,
            settings.query_repeats_max,
            "One field can stand {limit:,} times in one place.",
        ),
    ):
        if amount > limit:
            raise too_complex(sentence.format(limit=limit), limit, **{name: amount})


def too_complex(message: str, limit: int, **found: int) -> RequestError:
    """The error for a request that asks for too much, with the limit and with what was found."""
    shown = {name: min(amount, 2**53) for name, amount in found.items()}  # what every reader of JSON can hold
    return RequestError("QUERY_TOO_COMPLEX", message, limit=limit, **shown)
