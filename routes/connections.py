"""A client's connection: what it says of a request before the body is bounded in size and in time."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from settings import Settings

HEAD_BYTES_MAX = 64 * 1024
HEAD_SECONDS_MAX = 5


class Connection(HttpToolsProtocol):
    """uvicorn's, closed when the head of a request is too long, or not there in time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._in_head = True
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._continue_head(len(data))
        elif self._timer:
            self._end_head()

    def _continue_head(self, more_bytes: int) -> None:
        self._head_bytes += more_bytes
        if self._head_bytes > HEAD_BYTES_MAX:
            self.transport.close()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.close)

    def _end_head(self) -> None:
        self._head_bytes = 0
        if self._timer:
            self._timer.cancel()
            self._timer = None


def bounded(settings: Settings) -> dict[str, Any]:
    """What uvicorn is to be run with, so that no client can take more of it than is meant."""
    return {
        "http": Connection,
        "ws": "websockets-sansio",
        "ws_per_message_deflate": False,
        "ws_max_size": settings.socket_message_bytes_max,
        "server_header": False,
    }
