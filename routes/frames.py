"""Text frames of a WebSocket: written to the connection itself where uvicorn is the server that we know.

Its own way encodes, copies and wraps a frame for each client, which takes as long as to send it.
"""

import struct
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.types import Send
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

Write = Callable[[bytes], Coroutine[Any, Any, None]]

WHOLE_TEXT = 0x81
BYTES_OF_ONE_MAX, BYTES_OF_TWO_MAX = 125, 65_535


def text_writer(send: Send, before: bytes = b"", after: bytes = b"") -> Write:
    """How to send a text, in UTF-8 and between two others, to the client of this `send`.

    It waits and fails as `send` does.
    """
    server = getattr(send, "__self__", None)
    if isinstance(server, WebSocketsSansIOProtocol) and not server.conn.extensions:
        return _straight(server, before, after)

    async def write(text: bytes) -> None:
        await send({"type": "websocket.send", "text": (before + text + after).decode()})

    return write


def _straight(server: WebSocketsSansIOProtocol, before: bytes, after: bytes) -> Write:
    around = len(before) + len(after)

    async def write(text: bytes) -> None:
        if not server.writable.is_set():
            await server.writable.wait()
        if server.close_sent or server.transport.is_closing():
            raise ClientDisconnected
        server.transport.write(b"%b%b%b%b" % (head(around + len(text)), before, text, after))

    return write


def head(length: int) -> bytes:
    """What comes before the bytes of a whole, unmasked text frame (RFC 6455, section 5.2)."""
    if length <= BYTES_OF_ONE_MAX:
        return bytes((WHOLE_TEXT, length))
    if length <= BYTES_OF_TWO_MAX:
        return struct.pack("!BBH", WHOLE_TEXT, 126, length)
    return struct.pack("!BBQ", WHOLE_TEXT, 127, length)
