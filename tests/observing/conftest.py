"""The log of the process, as JSON, for a test to read."""

import logging
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import orjson
import pytest

from observing import logs

TESTS_OWN = "httpx2"


class Log(BytesIO):
    """What was logged, as it was written and as what it means."""

    @property
    def text(self) -> str:
        return self.getvalue().decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in self.getvalue().splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind: operation, request or socket."""
        return [line for line in self.lines if line["event"] == event]

    def only(self, event: str = "operation") -> dict[str, Any]:
        (line,) = self.of(event)
        return line


@pytest.fixture
def kept_logging() -> Iterator[None]:
    """Leave the logging of the process as it was."""
    root, journal = logging.getLogger(), logs.journal()
    handlers = root.handlers[:]
    levels = {name: logging.getLogger(name).level for name in ("", logs.OURS, *logs.CHATTY, TESTS_OWN)}
    root.handlers.clear()  # so that nobody closes them
    logging.getLogger(TESTS_OWN).setLevel(logging.WARNING)
    yield
    logs._journal, root.handlers[:] = journal, handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def log(kept_logging: None) -> Log:
    """The log of the process as production writes it, at INFO."""
    stream = Log()
    logs.set_up("INFO", as_json=True, stream=stream)
    return stream
