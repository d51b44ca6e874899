"""GraphQL over WebSocket: graphql-transport-ws, strictly."""

from typing import Any

from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
)

from routes.graphql_request import problem_of
from schema.context import Context

IDENTIFIED = {"subscribe", "complete"}


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Garbage closes the socket with a reason; a document that is wrong ends its own operation only."""

    async def handle_message(self, message: Any) -> None:
        problem = _problem(message)
        if problem:
            await self.handle_invalid_message(problem)
        else:
            await super().handle_message(message)

    @staticmethod
    def _get_pre_execution_close_reason(error: Any) -> str | None:
        return None


def _problem(message: object) -> str | None:
    """Say what is wrong with a message's form; the reason of a close has at most 123 bytes."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "A message is an object with a `type`."
    if message["type"] in IDENTIFIED and not isinstance(message.get("id"), str):
        return "The message needs an `id`, a string."
    return problem_of(message.get("payload")) if message["type"] == "subscribe" else None
