"""Documents that were parsed and validated before are not parsed and validated again."""

from collections.abc import Iterator
from functools import lru_cache

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, parse, specified_rules
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from schema.errors import wrong_argument

DOCUMENTS_KEPT_MAX = 512


class KnownDocuments(SchemaExtension):
    """Keeps the documents that were used most recently, and what validation said of each."""

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        try:
            context.graphql_document = _parsed(context.query or "")
        except GraphQLError:
            context.graphql_document = None  # parsed once more, where a syntax error is answered
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document is not None
        errors = _validated(context.schema._schema, context.graphql_document, context.validation_rules)
        context.pre_execution_errors = list(errors) or None
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
    try:
        document = _parsed(query)
    except GraphQLError:
        return None
    return None if _validated(schema, document, tuple(specified_rules)) else document


@lru_cache(DOCUMENTS_KEPT_MAX)
def _parsed(query: str) -> DocumentNode:
    return parse(query)


@lru_cache(DOCUMENTS_KEPT_MAX)
def _validated(
    schema: GraphQLSchema, document: DocumentNode, rules: tuple[type, ...]
) -> tuple[GraphQLError, ...]:
    return tuple(validate_document(schema, document, rules))
