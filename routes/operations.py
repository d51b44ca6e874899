"""Runs one operation on a transport that streams: a subscription, or a query or mutation with one result."""

from collections.abc import Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, OperationType, located_error
from starlette.types import Send

from live.log import UnknownEvent
from live.stream import ClientGone, Streams
from observing.current import observed
from observing.metrics import SUBSCRIPTIONS
from routes.persisted import PersistedDocuments
from schema.context import Context
from schema.engine import Asked, Engine, is_request_error
from schema.errors import not_found
from schema.masking import presented
from schema.watching import Watching, watching_of, written

Say = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
SendNext = Callable[[bytes], Coroutine[Any, Any, None]]


GONE = (OSError, RuntimeError)
"""How the server says that nobody is there, or that it has closed the connection itself meanwhile."""


def sending(send: Send) -> Say:
    """The server's `send`, that raises `ClientGone` where the server finds nobody."""

    async def send_or_tell(message: dict[str, Any]) -> None:
        try:
            await send(message)
        except GONE:
            raise ClientGone from None

    return send_or_tell


@dataclass(frozen=True)
class Operations:
    """Runs operations; `seatStatus` subscriptions that say the same share their bytes."""

    engine: Engine
    streams: Streams
    documents: PersistedDocuments

    async def run(self, asked: Asked, context: Context, send_next: SendNext) -> list[GraphQLError]:
        """Send each result, as JSON, to the last; return what kept the operation from starting.

        `send_next` is the server's way to the client, and fails as that does.
        """
        seen = self.engine.observe(asked, context)
        lasts = int(seen.lasts)
        SUBSCRIPTIONS.inc(lasts)
        try:
            errors = await self._run(asked, context, send_next)
            seen.failed(errors)
            return errors
        finally:
            SUBSCRIPTIONS.dec(lasts)

    async def _run(self, asked: Asked, context: Context, send_next: SendNext) -> list[GraphQLError]:
        try:
            watching = watching_of(self.engine, asked.query, asked.variables, asked.operation_name, context)
            if watching is None:
                return await self._execute(asked, context, send_next)
            self.engine.admit(asked, context)
            await self._watch(watching, context, send_next)
        except UnknownEvent:
            return [not_found("event")]
        except ClientGone:
            raise
        except Exception as error:
            return presented([located_error(error, None, None)]) or []
        return []

    def is_lasting(self, asked: Asked) -> bool:
        """Say whether this is a subscription, which does not end by itself."""
        document = self.engine.documents.of(asked.query)
        return any(operation.kind is OperationType.SUBSCRIPTION for operation in document.operations)

    async def _watch(self, watching: Watching, context: Context, send_next: SendNext) -> None:
        if watching.key not in self.streams:  # what somebody watches is not hidden
            await watching.refuse_if_hidden(context)
        async with self.streams.join(
            watching.key, watching.event_id, watching.encode, send_next, watching.after
        ) as watcher:
            try:
                await watcher.ended.wait()
            finally:
                observed().frames = watcher.frames

    async def _execute(self, asked: Asked, context: Context, send_next: SendNext) -> list[GraphQLError]:
        async with aclosing(self.engine.subscribe(asked, context)) as results:
            async for result in results:
                if is_request_error(result):
                    return result.errors or []
                try:
                    await send_next(written(result))
                except GONE:
                    raise ClientGone from None
                observed().failed(result.errors)
                observed().frames += 1
        return []
