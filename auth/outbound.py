"""Asks other servers over HTTP: within bounds of time and size, and going nowhere else than it was sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import orjson

ANSWER_SECONDS_MAX = 5
ANSWER_BYTES_MAX = 512 * 1024
CONNECTIONS_MAX = 20
PLAIN = {"accept": "application/json", "accept-encoding": "identity"}


class NoAnswer(Exception):
    """The other server is away, or what it says is of no use; the message says what."""


class Outbound(httpx2.AsyncHTTPTransport):
    """Connections that are kept for all who ask, each answer at most `ANSWER_BYTES_MAX` long."""

    def __init__(self, connections_max: int = CONNECTIONS_MAX) -> None:
        super().__init__(limits=httpx2.Limits(max_connections=connections_max))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise NoAnswer(f"{request.url.host} compresses its answer, which nobody asked for")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream)
        return response

    async def json(self, url: str) -> dict[str, Any]:
        """The JSON object at an address; raises `NoAnswer`."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                response = await httpx2.AsyncClient(transport=self, headers=PLAIN).get(url)
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise NoAnswer(f"{url}: {type(error).__name__}: {error}") from None
        try:
            found = orjson.loads(response.content) if response.status_code == 200 else None
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise NoAnswer(f"{url}: status {response.status_code}, and no JSON object")
        return found


class _Bounded(httpx2.AsyncByteStream):
    """A body that is cut off where it gets too long."""

    def __init__(self, body: httpx2.AsyncByteStream) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in self._body:
            length += len(chunk)
            if length > ANSWER_BYTES_MAX:
                raise NoAnswer(f"an answer has more than {ANSWER_BYTES_MAX:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._body.aclose()
