"""Frames are those of the WebSocket library, and another server's `send` gets messages as ASGI has them."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from routes.frames import head, text_writer
from tests.serving import answering


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_the_one_that_the_library_writes(length: int) -> None:
    text = b"x" * length
    assert head(length) + text == Frame(Opcode.TEXT, text).serialize(mask=False)


async def test_a_server_that_is_not_known_is_sent_messages() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await text_writer(send)("ä".encode())
    await text_writer(send, b"[", b"]")("ä".encode())
    assert sent == [{"type": "websocket.send", "text": text} for text in ("ä", "[ä]")]


async def test_nothing_is_written_after_the_end() -> None:
    refused: list[str] = []

    async def try_on(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        write = text_writer(send, b"<", b">")
        await write(b"first")
        if scope["path"] == "/closed":
            await send({"type": "websocket.close"})
        else:
            await receive()
        with pytest.raises(ClientDisconnected):
            await write(b"too late")
        refused.append(scope["path"])

    options = {"ws": "websockets-sansio", "lifespan": "off", "ws_per_message_deflate": False}
    async with answering(try_on, **options) as (url, _):
        for path in ("/closed", "/left"):
            async with connect(url.replace("http", "ws") + path) as socket:
                assert await socket.recv() == "<first>"
    assert refused == ["/closed", "/left"]


async def test_where_frames_are_compressed_so_are_these() -> None:
    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await text_writer(send)(b"x" * 10_000)

    options = {"ws": "websockets-sansio", "lifespan": "off", "ws_per_message_deflate": True}
    async with answering(tell, **options) as (url, _), connect(url.replace("http", "ws")) as socket:
        (extension,) = socket.protocol.extensions
        compressed: list[bool] = []
        decode = extension.decode

        def noting(frame: Frame, **options: Any) -> Frame:
            compressed.append(frame.rsv1)
            return decode(frame, **options)

        extension.decode = noting  # type: ignore[method-assign]
        await socket.send("Go on.")
        assert await socket.recv() == "x" * 10_000
    assert compressed[0]
