"""What is seen of one request, or of one operation on a socket, while it runs and when it ends."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from time import perf_counter
from typing import Any
from uuid import UUID

import uuid_utils
from graphql import GraphQLError

HEADER = b"x-correlation-id"
WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{8,64}")
UNKNOWN: Mapping[str, Any] = {"field": "invalid"}
OK = "ok"


class Observed:
    """One request or operation; `facts` are what is known of its document, None for what is no operation.

    `transport` is http, sse or websocket, `frames` counts the results of a subscription, and `code` is what
    a socket was closed with.
    """

    __slots__ = (
        "began",
        "code",
        "correlation_id",
        "cost",
        "facts",
        "frames",
        "outcome",
        "transport",
        "user_id",
    )

    def __init__(self, transport: str, correlation_id: str | None = None) -> None:
        self.began = perf_counter()
        self.transport = transport
        self.correlation_id = correlation_id or str(uuid_utils.uuid4())
        self.facts: Mapping[str, Any] | None = None
        self.user_id: UUID | None = None
        self.outcome = OK
        self.frames = 0
        self.code: int | None = None
        self.cost: int | None = None

    def runs(self, facts: Mapping[str, Any], user_id: UUID | None) -> None:
        """Note which operation it is, and who asks for it."""
        self.facts, self.user_id = facts, user_id

    @property
    def lasts(self) -> bool:
        """Whether this is a subscription, which does not end by itself."""
        return self.facts is not None and self.facts.get("kind") == "subscription"

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return perf_counter() - self.began

    def refused(self, code: str) -> None:
        """Note the first refusal."""
        if self.outcome == OK:
            self.outcome = f"refused:{code}"

    def failed(self, errors: Sequence[GraphQLError] | None) -> None:
        """Note the first error, which says more than a refusal."""
        if errors:
            self.failed_with((errors[0].extensions or {}).get("code", "INTERNAL_ERROR"))

    def failed_with(self, code: str) -> None:
        if not self.outcome.startswith("error:"):
            self.outcome = f"error:{code}"


current: ContextVar[Observed | None] = ContextVar("rowlock_observed", default=None)


def observed() -> Observed:
    """What is being seen here; where nobody looks, something that nobody will read."""
    return current.get() or Observed("nowhere")


def taken_over(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The id that a client gave, if it is one that can stand in a log and a header as it is."""
    for name, said in headers:
        if name == HEADER and WELL_FORMED.fullmatch(said):
            return said.decode("ascii")
    return None
