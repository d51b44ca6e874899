"""Runs operations: a document that is known, the executor, and errors as a client sees them.

It calls graphql-core itself, since Strawberry's own way there costs as much again for each request.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from graphql import ExecutionResult, OperationType, execute, subscribe
from strawberry.execution.is_awaitable import optimized_is_awaitable

from observing.current import Observed, observed
from schema.context import Context
from schema.cost import refuse_dear
from schema.deadlines import Deadlines
from schema.documents import Documents, Operation, OperationNotAllowed
from schema.errors import RequestError, rate_limited, wrong_argument
from schema.masking import presented
from schema.root import Schema
from schema.strings import fault_of
from settings import Settings


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


class Engine:
    """Runs operations on one schema, within the limits that are set."""

    def __init__(self, schema: Schema, settings: Settings) -> None:
        self.schema = schema
        self.documents = Documents(schema.graphql_schema, settings)
        self._settings = settings
        self._deadlines = Deadlines(settings.operation_seconds_max, partial(_took_too_long, settings))

    def observe(self, asked: Asked, context: Context) -> Observed:
        """Note what logs and metrics say of an operation, also when there is none to run."""
        seen, document = observed(), self.documents.of(asked.query)
        with suppress(RequestError):
            operation = document.operation(asked.operation_name)
            seen.cost = operation.cost.of(asked.variables)
        seen.runs(document.facts(asked.operation_name), context.viewer.id if context.viewer else None)
        return seen

    async def execute(self, asked: Asked, context: Context) -> ExecutionResult:
        """Run a query or a mutation. Raises `OperationNotAllowed`; every other fault is in the result."""
        ready = self._ready(asked, context)
        if isinstance(ready, ExecutionResult):
            return ready
        document, operation = ready
        result = execute(
            self.schema.graphql_schema,
            document,
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            is_awaitable=cast(Any, optimized_is_awaitable),
            executor_class=self.schema.execution_context_class,
            hide_suggestions=True,
            selections=operation.selections,
        )
        if not isinstance(result, ExecutionResult):
            try:
                result = await self._deadlines.keep(result)
            except RequestError as error:
                return ExecutionResult(None, [error])
        return ExecutionResult(result.data, presented(result.errors))

    async def subscribe(self, asked: Asked, context: Context) -> AsyncGenerator[ExecutionResult, None]:
        """Run any operation, and yield each of its results; a result without data and path ends it."""
        ready = self._ready(asked, context)
        if isinstance(ready, ExecutionResult):
            yield ready
        elif ready[1].kind is not OperationType.SUBSCRIPTION:
            yield await self.execute(asked, context)
        else:
            async for result in self._results(*ready, asked, context):
                yield ExecutionResult(result.data, presented(result.errors))

    async def _results(
        self, document: Any, operation: Operation, asked: Asked, context: Context
    ) -> AsyncIterator[ExecutionResult]:
        source = subscribe(
            self.schema.graphql_schema,
            document,
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=self.schema.execution_context_class,
            hide_suggestions=True,
            selections=operation.selections,
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

    def is_valid(self, query: str) -> bool:
        """Say whether a document can be run."""
        return not self.documents.of(query).errors

    def admit(self, asked: Asked, context: Context) -> None:
        """Take what an operation costs from the caller's budget; raises a RequestError for one beyond it, or
        with variables beyond a limit."""
        operation = self.documents.of(asked.query).operation(asked.operation_name)
        fault = fault_of(asked.variables, self._settings.list_items_max)
        if fault:
            raise wrong_argument(fault)
        cost = operation.cost.of(asked.variables)
        refuse_dear(cost, self._settings.query_cost_max)
        _spend(cost, context)

    def _ready(self, asked: Asked, context: Context) -> tuple[Any, Operation] | ExecutionResult:
        """The document and its operation if it can be run, else the result that says what is wrong."""
        document = self.documents.of(asked.query)
        if document.errors:
            return ExecutionResult(None, presented(list(document.errors)))
        try:
            operation = document.operation(asked.operation_name)
            self.admit(asked, context)
        except RequestError as error:
            return ExecutionResult(None, [error])
        if operation.kind not in asked.allowed:
            raise OperationNotAllowed(operation.kind)
        return document.node, operation


def _spend(cost: int, context: Context) -> None:
    """Take the cost from the budget of who asks; raise RATE_LIMITED when it does not suffice."""
    budgets, spender = context.house.budgets, context.spender
    if not budgets.spend(spender, cost):
        budget = budgets.of(spender)
        message = (
            f"This costs {cost:,}, and of {budget.limit:,} a minute {budget.remaining:,} are left: wait, or "
            "ask for less."
        )
        raise rate_limited(message, budget.limit, budget.seconds_left)


def _took_too_long(settings: Settings) -> RequestError:
    return RequestError(
        "SERVICE_UNAVAILABLE",
        f"This took longer than {settings.operation_seconds_max:g} seconds and was given up. Ask for less, "
        "or try again; a mutation with the same idempotency key.",
        limit=settings.operation_seconds_max,
    )


def is_request_error(result: ExecutionResult) -> bool:
    """Say whether a request was wrong, so that nothing of it was executed."""
    return result.data is None and not any(error.path for error in result.errors or ())
