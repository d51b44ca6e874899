"""What is told of a request or an operation that ends: a line of the log, the metrics and its span.

Nothing that goes wrong here is in the way of an answer.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from observing.current import OK, UNKNOWN, Observed, current
from observing.logs import journal
from observing.metrics import REQUESTS, count_operation
from observing.tracing import span

LEVELS = {"error:INTERNAL_ERROR": "error", "error:SERVICE_UNAVAILABLE": "warning"}


@contextmanager
def operation_on(transport: str) -> Iterator[Observed]:
    """See one operation of a connection that carries many; a subscription that is cancelled ended well."""
    seen = Observed(transport)
    token = current.set(seen)
    try:
        with span("operation") as made:
            try:
                yield seen
            except BaseException:
                if not seen.lasts and seen.outcome == OK:
                    seen.outcome = "cancelled"
                raise
            finally:
                tell_operation(seen, made)
    finally:
        current.reset(token)


def tell_operation(seen: Observed, made: Any = None) -> None:
    """Tell that an operation has ended; `made` is its span, if there is one."""
    facts, seconds = seen.facts or UNKNOWN, seen.seconds
    line = {
        **facts,
        "transport": seen.transport,
        "user_id": seen.user_id,
        "duration_ms": round(seconds * 1_000, 2),
        "cost": seen.cost,
        "outcome": seen.outcome,
        "correlation_id": seen.correlation_id,
    }
    if seen.lasts:
        line["frames"] = seen.frames
    with suppress(Exception):
        count_operation(facts["field"], seen.outcome, None if seen.lasts else seconds)
        getattr(journal(), LEVELS.get(seen.outcome, "info"))("operation", **line)
    if made:
        _finish(made, f"{facts.get('kind', 'operation')} {facts['field']}", line)


def tell_request(seen: Observed, method: str, route: str | None, status: int, made: Any = None) -> None:
    """Tell that another route than GraphQL has answered; `route` is its template."""
    line = {"method": method, "route": route, "status": status, "duration_ms": round(seen.seconds * 1_000, 2)}
    line["correlation_id"] = seen.correlation_id
    with suppress(Exception):
        REQUESTS.labels(route or "unknown", status).inc()
        getattr(journal(), "error" if status >= 500 else "info")("request", **line)
    if made:
        _finish(made, f"{method} {route or 'unknown'}", line)


def tell_socket(seen: Observed, route: str | None, made: Any = None) -> None:
    """Tell that a WebSocket has closed, with the code if it was closed here."""
    line = {"route": route, "duration_ms": round(seen.seconds * 1_000, 2), "code": seen.code}
    line["correlation_id"] = seen.correlation_id
    with suppress(Exception):
        journal().info("socket", **line)
    if made:
        _finish(made, f"WebSocket {route or 'unknown'}", line)


def _finish(made: Any, name: str, line: dict[str, Any]) -> None:
    with suppress(Exception):
        made.update_name(name)
        made.set_attributes({f"rowlock.{key}": said for key, said in line.items() if said is not None})
        if line.get("outcome", "").startswith("error:") or line.get("status", 0) >= 500:
            from opentelemetry.trace import StatusCode

            made.set_status(StatusCode.ERROR)
