"""Runs operations: a document that is known, the executor, and errors as a client sees them.

It calls graphql-core itself, since Strawberry's own way there costs as much again for each request.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from graphql import ExecutionResult, OperationType, execute, subscribe
from strawberry.execution.is_awaitable import optimized_is_awaitable

from schema.context import Context
from schema.documents import Document, OperationNotAllowed, document_of
from schema.errors import RequestError, wrong_argument
from schema.masking import presented
from schema.root import Schema
from schema.strings import UNFIT, is_fit


@dataclass(frozen=True)
class Asked:
    """A document, what it is to be run with, and the kinds of operation that may come this way."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    allowed: frozenset[OperationType]

    def streaming(self) -> "Asked":
        """The same on a transport that can carry a subscription."""
        return replace(self, allowed=self.allowed | {OperationType.SUBSCRIPTION})


@dataclass(frozen=True)
class Engine:
    """Runs operations on one schema."""

    schema: Schema

    def facts(self, asked: Asked) -> Mapping[str, Any]:
        """What logs and metrics say of an operation."""
        return document_of(self.schema.graphql_schema, asked.query).facts(asked.operation_name)

    async def execute(self, asked: Asked, context: Context) -> ExecutionResult:
        """Run a query or a mutation. Raises `OperationNotAllowed`; every other fault is in the result."""
        document = self._document(asked)
        if isinstance(document, ExecutionResult):
            return document
        result = execute(
            self.schema.graphql_schema,
            cast(Any, document.node),
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            is_awaitable=cast(Any, optimized_is_awaitable),
            executor_class=self.schema.execution_context_class,
            selections=document.operation(asked.operation_name).selections,
        )
        done = result if isinstance(result, ExecutionResult) else await result
        return ExecutionResult(done.data, presented(done.errors))

    async def subscribe(self, asked: Asked, context: Context) -> AsyncGenerator[ExecutionResult, None]:
        """Run any operation, and yield each of its results; a result without data and path ends it."""
        document = self._document(asked)
        if isinstance(document, ExecutionResult):
            yield document
        elif document.operation(asked.operation_name).kind is not OperationType.SUBSCRIPTION:
            yield await self.execute(asked, context)
        else:
            async for result in self._results(document, asked, context):
                yield ExecutionResult(result.data, presented(result.errors))

    async def _results(
        self, document: Document, asked: Asked, context: Context
    ) -> AsyncIterator[ExecutionResult]:
        source = subscribe(
            self.schema.graphql_schema,
            cast(Any, document.node),
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=self.schema.execution_context_class,
            selections=document.operation(asked.operation_name).selections,
        )
        found = source if isinstance(source, ExecutionResult | AsyncIterator) else await source
        if isinstance(found, ExecutionResult):
            yield found
            return
        try:
            async for result in found:
                yield result
        finally:
            await cast(Any, found).aclose()

    def _document(self, asked: Asked) -> Document | ExecutionResult:
        """The document if it can be run, else the result that says what is wrong with it."""
        document = document_of(self.schema.graphql_schema, asked.query)
        if document.errors:
            return ExecutionResult(None, presented(list(document.errors)))
        try:
            kind = document.operation(asked.operation_name).kind
            if not is_fit(asked.variables):
                raise wrong_argument(UNFIT)
        except RequestError as error:
            return ExecutionResult(None, [error])
        if kind not in asked.allowed:
            raise OperationNotAllowed(kind)
        return document


def is_request_error(result: ExecutionResult) -> bool:
    """Say whether a request was wrong, so that nothing of it was executed."""
    return result.data is None and not any(error.path for error in result.errors or ())
