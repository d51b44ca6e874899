"""What makes two `seatStatus` subscriptions the same, and how their updates are written, once for all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import orjson
from graphql import (
    ExecutionResult,
    FieldNode,
    OperationType,
    VariableNode,
    Visitor,
    execute_subscription_event,
    get_argument_values,
    parse,
    visit,
)

from live.updates import Update
from schema import ids
from schema.context import Context
from schema.documents import Document
from schema.engine import Engine
from schema.enums import EventStatus
from schema.errors import not_found
from schema.executor import Executor
from schema.live import update_of
from schema.masking import presented

FIELD = "seatStatus"


@dataclass(frozen=True)
class Watching:
    """A `seatStatus` subscription: subscriptions with the same key see the same bytes from `encode`."""

    key: tuple[Any, ...]
    event_id: UUID
    after: int | None
    encode: Callable[[Update], bytes]

    async def refuse_if_hidden(self, context: Context) -> None:
        """Raise NOT_FOUND for an event that is not there, or is not published."""
        row = await context.loads.event.load((self.event_id,))
        if row is None or row.status == EventStatus.DRAFT:
            raise not_found("event")


def watching_of(
    engine: Engine,
    query: str,
    variables: dict[str, Any] | None,
    operation_name: str | None,
    context: Context,
) -> Watching | None:
    """Read a subscription as one that can be shared; None for anything else, which is executed as ever.

    Raises INVALID_ID for an event's id that is none.
    """
    document = engine.documents.of(query)
    schema = engine.schema.graphql_schema
    node = None if document.errors else _only_field(document, operation_name)
    if document.node is None or node is None:
        return None
    selections = document.operation(operation_name).selections
    executor = Executor.build(
        schema, document.node, None, context, variables, operation_name, selections=selections
    )
    if isinstance(executor, list):
        return None
    field = cast(Any, schema.subscription_type).fields[FIELD]
    arguments = get_argument_values(field, node, executor.variable_values)
    event_id = ids.read_event(arguments["eventId"])
    named = _variables_but_after(query, node, variables)
    key = (query, operation_name, orjson.dumps(named, option=orjson.OPT_SORT_KEYS), event_id)

    def encode(update: Update) -> bytes:
        root = update_of(event_id, update)
        return written(execute_subscription_event(executor.build_per_event_executor(root)))

    return Watching(key, event_id, arguments.get("after"), encode)


def written(result: Any) -> bytes:
    """Write one result of a subscription as JSON, its errors as a client sees them."""
    assert isinstance(result, ExecutionResult), "the types of a seat's status have no resolver that waits"
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [error.formatted for error in presented(result.errors) or ()]
    return orjson.dumps(body)


def _only_field(document: Document, operation_name: str | None) -> FieldNode | None:
    """The one plain field of the operation, if it is ours."""
    operation = document.operation(operation_name)
    selections = operation.node.selection_set.selections
    field = selections[0]
    is_plain = len(selections) == 1 and isinstance(field, FieldNode) and not field.directives
    is_ours = operation.kind is OperationType.SUBSCRIPTION and is_plain
    return field if is_ours and isinstance(field, FieldNode) and field.name.value == FIELD else None


def _variables_but_after(query: str, node: FieldNode, variables: dict[str, Any] | None) -> dict[str, Any]:
    """The variables that shape the answer: not the one of `after`, unless it is used elsewhere too."""
    named = dict(variables or {})
    for argument in node.arguments or ():
        value, is_after = argument.value, argument.name.value == "after"
        if is_after and isinstance(value, VariableNode) and _uses(query, value.name.value) == 2:
            named.pop(value.name.value, None)  # it stands in its definition and here
    return named


@lru_cache(512)
def _uses(query: str, name: str) -> int:
    found: list[str] = []

    class Variables(Visitor):
        def enter_variable(self, node: VariableNode, *_: object) -> None:
            found.append(node.name.value)

    visit(parse(query), Variables())
    return found.count(name)
