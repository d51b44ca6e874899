"""Documents that were parsed and validated before are not parsed and validated again."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, parse, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from schema.errors import wrong_argument

DOCUMENTS_KEPT_MAX = 512


@dataclass(frozen=True)
class KnownDocument:
    """A document and what validation said of it."""

    document: DocumentNode
    errors: tuple[GraphQLError, ...]


class KnownDocuments(SchemaExtension):
    """Keeps the documents that were used most recently, by their text, with what validation said of each."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        known = _known(context.schema._schema, context.query or "")
        # One that cannot be parsed is parsed again, where its syntax error is answered.
        context.graphql_document = known.document if known else None
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        known = _known(context.schema._schema, context.query or "")
        assert known is not None, "what is validated was parsed"
        context.pre_execution_errors = list(known.errors)  # not None, even when empty: it is validated
        yield


class OneOperation(SchemaExtension):
    """Refuses a document with several operations when none of them is named."""

    def on_validate(self) -> Iterator[None]:
        yield
        context = self.execution_context
        document = context.graphql_document
        if context.operation_name or context.pre_execution_errors or document is None:
            return
        if sum(isinstance(node, OperationDefinitionNode) for node in document.definitions) > 1:
            context.pre_execution_errors = [
                wrong_argument("The document has several operations: name one by `operationName`.")
            ]


def known_document(schema: GraphQLSchema, query: str) -> DocumentNode | None:
    """Return a document that is valid, or None."""
    known = _known(schema, query)
    return known.document if known and not known.errors else None


@lru_cache(DOCUMENTS_KEPT_MAX)
def _known(schema: GraphQLSchema, query: str) -> KnownDocument | None:
    try:
        document = parse(query)
    except GraphQLError:
        return None
    return KnownDocument(document, tuple(validate_document(schema, document, tuple(specified_rules))))
