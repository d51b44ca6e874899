"""Frames are those of the WebSocket library, and another server's `send` gets messages as ASGI has them."""

from typing import Any

import pytest
from websockets.frames import Frame, Opcode

from routes.frames import head, text_writer


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_frame_is_the_one_that_the_library_writes(length: int) -> None:
    text = b"x" * length
    assert head(length) + text == Frame(Opcode.TEXT, text).serialize(mask=False)


async def test_a_server_that_is_not_known_is_sent_messages() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await text_writer(send)("ä".encode())
    assert sent == [{"type": "websocket.send", "text": "ä"}]
