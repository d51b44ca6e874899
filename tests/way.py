"""A way to a server that a test can be in."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from live.ending import end

LOOPBACK = "127.0.0.1"


class Way:
    """A way to the broker that a test can cut and mend, or block."""

    def __init__(self, url: str) -> None:
        self._there = urlsplit(url)
        with socket.create_server((LOOPBACK, 0)) as finder:
            self.port = int(finder.getsockname()[1])
        self.url = url.replace(f":{self._there.port}/", f":{self.port}/")
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[Any]] = set()
        self._free = asyncio.Event()
        self._free.set()

    def block(self) -> None:
        """Let nothing through that comes from now on; no connection ends by it."""
        self._free = asyncio.Event()

    def unblock(self) -> None:
        """Let connections through that have said nothing while it was blocked."""
        self._free = asyncio.Event()
        self._free.set()

    @property
    def carries(self) -> int:
        """How many connections go this way."""
        return len(self._carrying)

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, LOOPBACK, self.port)

    async def cut(self) -> None:
        server, self._server = self._server, None
        if server:
            server.close()
        await end(self._carrying)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._there.hostname, self._there.port)
        task = asyncio.current_task()
        assert task
        self._carrying.add(task)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        self._carrying.remove(task)
        for writing in (writer, back):
            writing.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while some := await reader.read(65_536):
                await self._free.wait()
                writer.write(some)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def way_to(url: str) -> AsyncIterator[Way]:
    """A way that is open until the test cuts it."""
    way = Way(url)
    await way.mend()
    try:
        yield way
    finally:
        await way.cut()
