"""Documents that were parsed and validated before are not parsed and validated again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
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
    visit,
)
from strawberry.schema.schema import validate_document

from schema.errors import RequestError, wrong_argument
from schema.executor import Selections
from schema.strings import UNFIT, is_fit, literals

DOCUMENTS_KEPT_MAX = 512
NAME_CHARACTERS_MAX = 100
_RULES = tuple(specified_rules)


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


@lru_cache(DOCUMENTS_KEPT_MAX)
def document_of(schema: GraphQLSchema, query: str) -> Document:
    """Parse and validate a document; those that were used most recently are kept, by their text."""
    hash = sha256(query.encode(errors="replace")).hexdigest()
    try:
        node = parse(query)
    except GraphQLError as error:
        return Document(None, (error,), hash)
    errors = tuple(validate_document(schema, node, _RULES))
    if not errors and not is_fit(literals(node)):
        errors = (wrong_argument(UNFIT),)
    is_varying = varies(node)
    operations = tuple(
        Operation(
            definition, None if is_varying else Selections(), _facts(definition, hash, is_valid=not errors)
        )
        for definition in node.definitions
        if isinstance(definition, OperationDefinitionNode)
    )
    return Document(node, errors, hash, operations)


def _facts(node: OperationDefinitionNode, hash: str, *, is_valid: bool) -> Mapping[str, Any]:
    """What is the same each time that it runs; the `field` is one of the schema's, or one of three words."""
    name = node.name.value[:NAME_CHARACTERS_MAX] if node.name else None
    return {
        "name": name,
        "kind": node.operation.value,
        "field": _field(node) if is_valid else "invalid",
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
