"""How often one may try a door of which a guesser would try every key, by account and by address.

Tries are counted in Redis for all processes together; while Redis is away each process counts by itself.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from math import ceil
from typing import Any, TypeVar

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool

from settings import Settings

log = logging.getLogger("rowlock.auth")
Answer = TypeVar("Answer")

ANSWER_SECONDS_MAX = 0.5
KEY_PREFIX = "rowlock:tries"
REST_SECONDS = 5.0
"""So long Redis is left alone after it did not answer."""


class Door(StrEnum):
    """What is tried, by the name that its settings have."""

    LOGIN = "login"
    REGISTER = "register"
    REFRESH = "refresh"
    CODE = "code"
    TRANSFER = "transfer"
    CLIENT = "client"


class RateLimited(Exception):
    """There were too many tries; another makes sense after a while."""

    def __init__(self, limit: str, retry_after_seconds: int) -> None:
        super().__init__(f"This can be tried {limit}: try again in {retry_after_seconds} seconds.")
        self.limit, self.retry_after_seconds = limit, retry_after_seconds


class RateLimits:
    """Counts the tries at each door."""

    def __init__(self, settings: Settings) -> None:
        limits = {name: parse(text) for name, text in settings.rates.items() if text}
        self._by_account = {door: limits.get(f"{door}_rate_per_account") for door in Door}
        self._by_address = {door: limits.get(f"{door}_rate_per_address") for door in Door}
        self._here = SlidingWindowCounterRateLimiter(MemoryStorage())
        url = settings.redis_url
        self._pool = ConnectionPool.from_url(url, socket_timeout=None) if url else None
        self._shared = SlidingWindowCounterRateLimiter(_storage(self._pool)) if self._pool else None
        self._rests_until = 0.0

    async def stop(self) -> None:
        """Let go of Redis."""
        if self._pool:
            await self._pool.aclose()

    async def count(self, door: Door, address: str, account: str | None = None) -> None:
        """Count one try from an address, as `network_of` has it; raises `RateLimited` for one too many.

        What is too much for an address does not count for the account: so one address shuts nobody out.
        """
        by_address, by_account = self._by_address[door], self._by_account[door]
        if by_address and address:
            await self._hit(by_address, door, "address", address)
        if by_account and account is not None:
            await self._hit(by_account, door, "account", _digest(account))

    async def forget(self, door: Door, account: str) -> None:
        """Forget the tries at an account, since its owner has come in."""
        if limit := self._by_account[door]:
            key = (door, "account", _digest(account))
            await self._here.clear(limit, *key)
            await self._ask(lambda shared: shared.clear(limit, *key))

    async def _hit(self, limit: RateLimitItem, *key: str) -> None:
        is_fine = await self._ask(lambda shared: shared.hit(limit, *key))
        if is_fine is None:
            is_fine = await self._here.hit(limit, *key)
        if not is_fine:
            window = await self._ask(lambda shared: shared.get_window_stats(limit, *key))
            window = window or await self._here.get_window_stats(limit, *key)
            seconds = ceil(window.reset_time - time.time())
            raise RateLimited(_told(limit), min(max(seconds, 1), limit.get_expiry()))

    async def _ask(
        self, ask: Callable[[SlidingWindowCounterRateLimiter], Awaitable[Answer]]
    ) -> Answer | None:
        """What Redis says; None when there is none, or it does not answer, and is then left alone."""
        if self._shared is None or time.monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await ask(self._shared)
        except Exception as error:  # whatever it is, this process can count too
            self._rests_until = time.monotonic() + REST_SECONDS
            log.warning("tries are counted by each process: %s: %s", type(error).__name__, error)
            return None


def _storage(pool: ConnectionPool) -> Storage:
    options: Any = {"connection_pool": pool}
    return RedisStorage("async+redis://", implementation="redispy", key_prefix=KEY_PREFIX, **options)


def _digest(account: str) -> str:
    """An account as it stands in a key: not readable there, and short."""
    return hashlib.sha256(account.strip().lower().encode()).hexdigest()[:32]


def _told(limit: RateLimitItem) -> str:
    times = "once" if limit.amount == 1 else f"{limit.amount} times"
    unit = limit.GRANULARITY.name
    return f"{times} in {limit.multiples} {unit}{'s' if limit.multiples > 1 else ''}"
