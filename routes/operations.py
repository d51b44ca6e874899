"""Runs one operation on a transport that streams: a subscription, or a query or mutation with one result."""

from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import GraphQLError, located_error
from starlette.types import Send
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from live.log import UnknownEvent
from live.stream import ClientGone, Streams
from routes.graphql_request import GraphQLRequest
from schema.context import Context
from schema.errors import not_found
from schema.masking import PresentErrors
from schema.root import Schema
from schema.watching import Watching, watching_of

Say = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
SendNext = Callable[[str], Coroutine[Any, Any, None]]


def sending(send: Send) -> Say:
    """The server's `send`, that raises `ClientGone` where the server finds nobody."""

    async def send_or_tell(message: dict[str, Any]) -> None:
        try:
            await send(message)
        except OSError:
            raise ClientGone from None

    return send_or_tell


@dataclass(frozen=True)
class Operations:
    """Runs operations; `seatStatus` subscriptions that say the same share their bytes."""

    schema: Schema
    streams: Streams

    async def run(self, asked: GraphQLRequest, context: Context, send_next: SendNext) -> list[GraphQLError]:
        """Send each result, as JSON, to the last; return what kept the operation from starting."""
        try:
            watching = watching_of(
                self.schema.graphql_schema, asked.query, asked.variables, asked.operation_name, context
            )
            if watching is None:
                return await self._execute(asked, context, send_next)
            await self._watch(watching, context, send_next)
        except UnknownEvent:
            return [not_found("event")]
        except ClientGone:
            raise
        except Exception as error:
            return PresentErrors().presented([located_error(error, None, None)])
        return []

    async def _watch(self, watching: Watching, context: Context, send_next: SendNext) -> None:
        await watching.refuse_if_hidden(context)
        async with self.streams.join(
            watching.key, watching.event_id, watching.encode, send_next, watching.after
        ) as watcher:
            await watcher.ended.wait()

    async def _execute(
        self, asked: GraphQLRequest, context: Context, send_next: SendNext
    ) -> list[GraphQLError]:
        results = await self.schema.stream(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            allowed_operation_types=asked.allowed,
        )
        async with aclosing(results):
            async for result in results:
                if isinstance(result, PreExecutionError):
                    return result.errors or []
                assert isinstance(result, ExecutionResult), "deferred results are not enabled"
                body: dict[str, Any] = {"data": result.data}
                if result.errors:
                    body["errors"] = [error.formatted for error in result.errors]
                await send_next(orjson.dumps(body).decode())
        return []
