"""Automatic persisted queries: a client sends a document once, and from then on only its hash."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import RedisError

from schema.errors import RequestError, wrong_argument

DOCUMENTS_KEPT_MAX = 512
DOCUMENT_BYTES_MAX = 32_768
SHARED_SECONDS_MAX = 24 * 60 * 60
REDIS_SECONDS_MAX = 0.25
REDIS_CONNECTIONS_MAX = 8
REDIS_REST_SECONDS = 1.0
SLOT_DIGITS = 3
"""Redis keeps one document in each of 16 ** SLOT_DIGITS slots; a newer one takes the place of an older."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PREFIX = "sha256:"


class PersistedDocuments:
    """The documents that clients have sent with their hash, in this process and, with a Redis, in all.

    `is_valid` says of a text whether it can be run: others are not kept. A Redis that does not answer is
    passed over; a document that only it has is then unknown, and clients send its text again.
    """

    def __init__(self, is_valid: Callable[[str], bool], redis_url: str | None, *, is_on: bool) -> None:
        self._is_valid = is_valid
        self._is_on = is_on
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._shared = _Shared(redis_url) if redis_url and is_on else None

    async def close(self) -> None:
        """Let go of Redis."""
        if self._shared:
            await self._shared.close()

    async def with_text(self, parameters: Any) -> Any:
        """Return a request with the text that it names, or as it is when it names none.

        Keeps the text that comes with its hash. Raises a RequestError for one that is not known, and for
        a hash of something else.
        """
        if not isinstance(parameters, dict):
            return parameters
        digest = _digest_of(parameters.get("extensions"))
        query = parameters.get("query") or None
        if query is None and digest:
            return parameters | {"query": await self._by_digest(digest)}
        if query is None and parameters.get("documentId") is not None:
            return parameters | {"query": await self._by_id(parameters["documentId"])}
        if digest and isinstance(query, str):
            await self._keep(digest, query)
        return parameters

    async def _by_digest(self, digest: str) -> str:
        """The text of a hash; clients look for the very words of Apollo's protocol where there is none."""
        if not self._is_on:
            raise RequestError("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        text = await self._text(digest)
        if text is None:
            raise RequestError("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
        return text

    async def _by_id(self, document_id: object) -> str:
        if not isinstance(document_id, str):
            raise wrong_argument("`documentId` must be a string.")
        digest = document_id.removeprefix(_PREFIX)
        is_ours = document_id != digest and _SHA256.fullmatch(digest)
        text = await self._text(digest) if is_ours else None
        if text is None:
            raise RequestError("PERSISTED_DOCUMENT_NOT_FOUND", "No document is known by this `documentId`.")
        return text

    async def _text(self, digest: str) -> str | None:
        if digest in self._kept:
            self._kept.move_to_end(digest)
            return self._kept[digest]
        text = await self._shared.read(digest) if self._shared else None
        if text is not None:
            self._keep_here(digest, text)
        return text

    async def _keep(self, digest: str, text: str) -> None:
        if not _is_of(digest, text):
            raise wrong_argument("`sha256Hash` is not the SHA-256 of `query` in UTF-8, as lower-case hex.")
        is_small = len(text.encode()) <= DOCUMENT_BYTES_MAX
        if self._is_on and is_small and digest not in self._kept and self._is_valid(text):
            self._keep_here(digest, text)
            if self._shared:
                await self._shared.write(digest, text)

    def _keep_here(self, digest: str, text: str) -> None:
        self._kept[digest] = text
        if len(self._kept) > DOCUMENTS_KEPT_MAX:
            self._kept.popitem(last=False)


class _Shared:
    """What all processes keep in Redis, as far as it answers."""

    def __init__(self, url: str) -> None:
        # redis-py bounds its writes by `asyncio.wait_for`, which can lose a cancellation: the bound is ours.
        self._redis = Redis.from_url(
            url,
            max_connections=REDIS_CONNECTIONS_MAX,
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 1, (Disconnected,)),
        )
        self._rests_until = 0.0

    async def close(self) -> None:
        await self._redis.aclose()

    async def read(self, digest: str) -> str | None:
        found = await self._ask("GET", _slot(digest))
        text = found.decode(errors="replace") if isinstance(found, bytes) else None
        return text if text is not None and _is_of(digest, text) else None

    async def write(self, digest: str, text: str) -> None:
        await self._ask("SET", _slot(digest), text, "EX", SHARED_SECONDS_MAX)

    async def _ask(self, *command: str | int) -> object:
        """What Redis says; None when it says nothing, and then for a moment it is not asked again."""
        now = asyncio.get_running_loop().time
        if now() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(REDIS_SECONDS_MAX):
                return await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError):
            self._rests_until = now() + REDIS_REST_SECONDS
            return None


def _slot(digest: str) -> str:
    return f"rowlock:document:{digest[:SLOT_DIGITS]}"


def _is_of(digest: str, text: str) -> bool:
    return sha256(text.encode()).hexdigest() == digest


def _digest_of(extensions: object) -> str | None:
    """The hash of Apollo's extension, if it is there; raises VALIDATION_ERROR for one of another form."""
    said = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if said is None:
        return None
    digest = said.get("sha256Hash") if isinstance(said, dict) and said.get("version") == 1 else None
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise wrong_argument(
            '`persistedQuery` must be {"version": 1, "sha256Hash": "64 lower-case hex digits"}.'
        )
    return digest
