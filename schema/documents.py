"""Documents that were parsed and validated before are not parsed and validated again."""

from dataclasses import dataclass
from functools import lru_cache

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
)
from strawberry.schema.schema import validate_document

from schema.errors import RequestError, wrong_argument
from schema.strings import UNFIT, is_fit, literals

DOCUMENTS_KEPT_MAX = 512
_RULES = tuple(specified_rules)


class OperationNotAllowed(RequestError):
    """An operation of this kind does not go over the way that it came."""

    def __init__(self, kind: OperationType) -> None:
        super().__init__("VALIDATION_ERROR", f"A {kind.value} cannot be sent in this way.")
        self.kind = kind


@dataclass(frozen=True)
class Document:
    """A document as it was parsed, what is wrong with it, and its operations."""

    node: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    operations: tuple[OperationDefinitionNode, ...] = ()

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Choose the operation to run; raises a RequestError when there is none, or more than one."""
        if name is None and len(self.operations) > 1:
            raise wrong_argument("The document has several operations: name one by `operationName`.")
        for node in self.operations:
            if name is None or (node.name is not None and node.name.value == name):
                return node
        raise wrong_argument("The document has no operation of this name.")


@lru_cache(DOCUMENTS_KEPT_MAX)
def document_of(schema: GraphQLSchema, query: str) -> Document:
    """Parse and validate a document; those that were used most recently are kept, by their text."""
    try:
        node = parse(query)
    except GraphQLError as error:
        return Document(None, (error,))
    errors = tuple(validate_document(schema, node, _RULES))
    if not errors and not is_fit(literals(node)):
        errors = (wrong_argument(UNFIT),)
    operations = tuple(d for d in node.definitions if isinstance(d, OperationDefinitionNode))
    return Document(node, errors, operations)
