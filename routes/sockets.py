"""How many sockets each address has open."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import HTTPConnection

from routes.callers import caller_of
from routes.graphql_request import RequestRefused


class Sockets:
    """Counts the sockets of this process by the address that they come from."""

    def __init__(self, per_address_max: int) -> None:
        self._per_address_max = per_address_max
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_of(self, connection: HTTPConnection) -> Iterator[None]:
        """Count one while the block runs; raises `RequestRefused` when its address has as many as it may."""
        address = caller_of(connection)
        if self._open[address] >= self._per_address_max:
            message = f"An address can have {self._per_address_max:,} sockets; close one, or share one."
            raise RequestRefused(429, message, "RATE_LIMITED", limit=self._per_address_max)
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
