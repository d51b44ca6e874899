"""One way out for everything that is logged: our own lines and those of the standard library's loggers.

Each line is an object of JSON on standard error in production, and made for people in development. Nothing
of ours is written before `set_up` was called.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, BinaryIO

import orjson
import structlog
from structlog.processors import JSONRenderer, TimeStamper, add_log_level, format_exc_info
from structlog.stdlib import ProcessorFormatter, add_logger_name
from structlog.typing import FilteringBoundLogger

from observing.current import current

Line = MutableMapping[str, Any]

OURS = "rowlock"
REFUSED = "ASGI callable returned without completing handshake."
CHATTY = ("alembic", "asyncio")
"""They tell at INFO what nobody asks."""

SILENT = ("aio_pika", "aiormq")
"""They tell at ERROR what whoever calls them is told too, and tells."""


def set_up(level: str, *, as_json: bool, stream: BinaryIO | None = None) -> None:
    """Log from this level on, to standard error unless another stream is given.

    At DEBUG libraries tell what they carry, with all secrets in it: so they are not asked for it.
    """
    global _journal
    number = logging.getLevelNamesMapping()[level]
    out = structlog.BytesLogger(stream or sys.stderr.buffer)
    _journal = _ours(out, number, as_json)
    handler = _Handler(out)
    handler.setFormatter(_theirs(as_json))
    handler.addFilter(_is_not_of_a_socket)
    logging.basicConfig(handlers=[handler], level=max(number, logging.INFO), force=True)
    logging.getLogger(OURS).setLevel(number)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def journal() -> FilteringBoundLogger:
    """Where our own lines are written; their keys and values are plain, and no secret."""
    return _journal


def _ours(out: object, level: int, as_json: bool) -> FilteringBoundLogger:
    """A logger for lines that come with each request: it does the least that makes a line."""
    begin: list[Any] = [add_log_level, TimeStamper(fmt="iso", utc=True)]
    end: list[Any] = [JSONRenderer(orjson.dumps)] if as_json else [_for_people(), _encoded]
    wrapper = structlog.make_filtering_bound_logger(level)
    logger: FilteringBoundLogger = structlog.wrap_logger(out, [*begin, *end], wrapper).bind()
    return logger


def _theirs(as_json: bool) -> logging.Formatter:
    """What makes lines of other loggers' records. Tracebacks are plain: variables may be passwords."""
    begin: list[Any] = [add_logger_name, add_log_level, TimeStamper(fmt="iso", utc=True), _add_correlation_id]
    end: list[Any] = [format_exc_info, JSONRenderer(_json)] if as_json else [_for_people()]
    return ProcessorFormatter(
        foreign_pre_chain=begin, processors=[ProcessorFormatter.remove_processors_meta, *end]
    )


class _Handler(logging.Handler):
    """Writes what other loggers say; a line that cannot be written is lost, and nothing else with it."""

    def __init__(self, out: structlog.BytesLogger) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._out.msg(self.format(record).encode(errors="replace"))
        except Exception:  # there is nowhere to tell it
            return


def _is_not_of_a_socket(record: logging.LogRecord) -> bool:
    """Pass over what uvicorn tells of a WebSocket: its address, with the query, and, as an error, that it was
    refused by an answer. A line of ours is there."""
    said = str(record.msg)
    return not (record.name == "uvicorn.error" and ('"WebSocket' in said or said == REFUSED))


def _for_people() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _add_correlation_id(_: object, __: str, line: Line) -> Line:
    if seen := current.get():
        line["correlation_id"] = seen.correlation_id
    return line


def _json(line: Line, **_: object) -> str:
    try:
        return orjson.dumps(line, default=str).decode()
    except TypeError:  # orjson takes no text that is not Unicode
        return json.dumps(line, default=str, ensure_ascii=False)


def _encoded(_: object, __: str, line: Any) -> bytes:
    return str(line).encode(errors="replace")


_journal = _ours(None, logging.CRITICAL, as_json=True)
