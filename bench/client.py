"""An HTTP client that costs next to nothing, so that the server is what is measured."""

import asyncio
import time
from collections.abc import Callable

BUFFER_BYTES = 2**22

Answered = Callable[[bytes], None]


class Connection:
    """One keep-alive connection, one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, limit=BUFFER_BYTES
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, request: bytes) -> bytes:
        """Send a whole request and return the body of its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        return await self._reader.readexactly(length)


def post(body: bytes, token: str = "") -> bytes:
    """A whole request for `/graphql`."""
    authorization = f"authorization: Bearer {token}\r\n" if token else ""
    head = (
        "POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        f"{authorization}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def drive(
    port: int, clients: int, seconds: float, request: Callable[[], bytes], answered: Answered
) -> tuple[float, list[float]]:
    """Ask with so many clients for so long; return answers a second, and each answer's seconds."""
    end = time.perf_counter() + seconds
    took: list[float] = []

    async def client() -> None:
        async with Connection(port) as connection:
            while (start := time.perf_counter()) < end:
                answered(await connection.ask(request()))
                took.append(time.perf_counter() - start)

    start = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return len(took) / (time.perf_counter() - start), took
