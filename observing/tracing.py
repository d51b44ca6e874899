"""OpenTelemetry spans, when the standard variables say where to send them; nothing at all otherwise."""

import asyncio
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from settings import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

STOP_SECONDS_MAX = 3.0
WHERE = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
TAKEN_OVER = {b"traceparent", b"tracestate"}
Headers = Iterable[tuple[bytes, bytes]]
NOTHING: AbstractContextManager[Any] = nullcontext()

_tracer: "Tracer | None" = None
_provider: "TracerProvider | None" = None


def is_wanted() -> bool:
    """Say whether the environment names a place to send traces to."""
    return any(os.environ.get(name) for name in WHERE) and os.environ.get("OTEL_SDK_DISABLED") != "true"


def require() -> None:
    """Raise `SettingsError` when traces are wanted and what makes them is not installed."""
    if not is_wanted():
        return
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401
    except ImportError:
        raise SettingsError(
            f"{WHERE[1]}: traces need OpenTelemetry; install `rowlock[tracing]`, or unset it."
        ) from None


def start() -> None:
    """Begin to trace, if that is wanted."""
    global _tracer, _provider
    if not is_wanted():
        return
    require()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if "service.name=" not in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        os.environ["OTEL_SERVICE_NAME"] = os.environ.get("OTEL_SERVICE_NAME") or "rowlock"
    _provider = TracerProvider(resource=Resource.create({"service.version": version("rowlock")}))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = _provider.get_tracer("rowlock", version("rowlock"))


def flush() -> None:
    """Send now what is waiting to be sent."""
    if _provider:
        _provider.force_flush()


async def stop() -> None:
    """Trace no more, and send what is waiting if that is soon done: a signal may end the process next."""
    global _tracer, _provider
    provider, _tracer, _provider = _provider, None, None
    if provider:
        sending = asyncio.ensure_future(asyncio.to_thread(provider.shutdown))
        await asyncio.wait([sending], timeout=STOP_SECONDS_MAX)


def span(
    name: str, headers: Headers | None = None, links: Iterable[Any] = (), **attributes: Any
) -> AbstractContextManager[Any]:
    """A span while the block lasts, or None: of what goes on here, or of what these headers speak of.

    It keeps no message of an exception: what is in one is not ours to send away.
    """
    if _tracer is None:
        return NOTHING
    from opentelemetry.trace import Link

    return _tracer.start_as_current_span(
        name,
        context=_spoken_of(headers) if headers else None,
        links=[Link(context) for context in links if context],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )


def here() -> Any:
    """What another span can link to: the span that goes on here, or None."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    return get_current_span().get_span_context()


def _spoken_of(headers: Headers) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier = {name.decode("latin-1"): said.decode("latin-1") for name, said in headers if name in TAKEN_OVER}
    return TraceContextTextMapPropagator().extract(carrier)
