"""Documents that were read before, and found to be within the limits, are not parsed and validated again."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from graphql import (
    BREAK,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    VisitorAction,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.cost import Cost, cost_of
from schema.errors import RequestError, wrong_argument
from schema.executor import Selections
from schema.measures import TOO_DEEP, refuse_too_much, too_complex
from schema.strings import fault_of, literals
from settings import Settings

TOKENS_KEPT_MAX = 100_000
DOCUMENT_TOKENS_KEPT_MAX = 2_000
CHARACTERS_PER_TOKEN = 64
ERRORS_TOLD_MAX = 5
NAME_CHARACTERS_MAX = 100
_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


class OperationNotAllowed(RequestError):
    """An operation of this kind does not go over the way that it came."""

    def __init__(self, kind: OperationType) -> None:
        super().__init__("VALIDATION_ERROR", f"A {kind.value} cannot be sent in this way.")
        self.kind = kind


@dataclass(frozen=True)
class Operation:
    """One operation of a document; its `selections` are known from its first run, unless variables decide.

    Its `facts` are what logs and metrics say of it.
    """

    node: OperationDefinitionNode
    selections: Selections | None
    cost: Cost
    facts: Mapping[str, Any]

    @property
    def kind(self) -> OperationType:
        return self.node.operation


@dataclass(frozen=True)
class Document:
    """A document as it was parsed, what is wrong with it, and its operations."""

    node: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    hash: str
    operations: tuple[Operation, ...] = ()

    def facts(self, name: str | None) -> Mapping[str, Any]:
        """What logs and metrics say of the operation that a client names, also when there is none to run."""
        try:
            return self.operation(name).facts
        except RequestError:
            return {"document": self.hash, "field": "invalid"}

    def operation(self, name: str | None) -> Operation:
        """Choose the operation to run; raises a RequestError when there is none, or more than one."""
        if name is None and len(self.operations) > 1:
            raise wrong_argument("The document has several operations: name one by `operationName`.")
        for operation in self.operations:
            named = operation.node.name
            if name is None or (named is not None and named.value == name):
                return operation
        raise wrong_argument("The document has no operation of this name.")


class Documents:
    """Reads documents for one schema, within the limits that are set.

    Those that were used most recently are kept by their text, up to a number of tokens; a long one is not, so
    that a few of them do not take the place of all others.
    """

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self._schema, self._settings = schema, settings
        self._kept: OrderedDict[str, tuple[Document, int]] = OrderedDict()
        self._tokens_kept = 0

    def of(self, query: str) -> Document:
        """Parse and validate a document; what is wrong with it is in its `errors`."""
        kept = self._kept.get(query)
        if kept is not None:
            self._kept.move_to_end(query)
            return kept[0]
        document = self._read(query)
        tokens = (document.node and document.node.token_count) or len(query) // 2
        tokens += 1 + len(query) // CHARACTERS_PER_TOKEN
        if tokens <= DOCUMENT_TOKENS_KEPT_MAX:
            self._keep(query, document, tokens)
        return document

    def _keep(self, query: str, document: Document, tokens: int) -> None:
        self._kept[query] = document, tokens
        self._tokens_kept += tokens
        while self._tokens_kept > TOKENS_KEPT_MAX:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._tokens_kept -= dropped

    def _read(self, query: str) -> Document:
        settings = self._settings
        hash = sha256(query.encode(errors="replace")).hexdigest()
        try:
            node = self._parse(query)
            refuse_too_much(node, settings)
            errors = validate(self._schema, node, _RULES, ERRORS_TOLD_MAX, hide_suggestions=True)
            if errors:
                return Document(None, tuple(errors), hash)
            for value in literals(node):
                if fault := fault_of(value, settings.list_items_max):
                    raise wrong_argument(fault)
            return Document(node, (), hash, self._operations(node, hash))
        except GraphQLError as error:
            return Document(None, (error,), hash)
        except RecursionError:
            return Document(None, (wrong_argument(TOO_DEEP),), hash)

    def _parse(self, query: str) -> DocumentNode:
        limit = self._settings.query_tokens_max
        try:
            return parse(query, max_lexical_tokens=limit, max_comments=limit)
        except GraphQLError as error:
            if f"contains more than {limit} " in error.message:
                raise too_complex(f"A document can have {limit:,} tokens.", limit) from None
            raise

    def _operations(self, node: DocumentNode, hash: str) -> tuple[Operation, ...]:
        is_varying, cost_max = varies(node), self._settings.query_cost_max
        return tuple(
            Operation(
                definition,
                None if is_varying else Selections(),
                cost_of(self._schema, node, definition, cost_max),
                _facts(definition, hash),
            )
            for definition in node.definitions
            if isinstance(definition, OperationDefinitionNode)
        )


def _facts(node: OperationDefinitionNode, hash: str) -> Mapping[str, Any]:
    """What is the same each time that it runs; the `field` is one of the schema's, or one of two words."""
    name = node.name.value[:NAME_CHARACTERS_MAX] if node.name else None
    return {
        "name": name,
        "kind": node.operation.value,
        "field": _field(node),
        "document": hash,
    }


def _field(node: OperationDefinitionNode) -> str:
    """The field at the root of a valid operation, or "several", or "introspection" of the schema."""
    fields = {s.name.value if isinstance(s, FieldNode) else "..." for s in node.selection_set.selections}
    if all(field.startswith("__") for field in fields):
        return "introspection"
    return "several" if len(fields) > 1 or "..." in fields else fields.pop()


def varies(node: DocumentNode) -> bool:
    """Say whether variables may decide what is selected: that takes a directive."""
    found = []

    class Directives(Visitor):
        def enter_directive(self, directive: DirectiveNode, *_: object) -> VisitorAction:
            found.append(directive)
            return BREAK

    visit(node, Directives())
    return bool(found)
