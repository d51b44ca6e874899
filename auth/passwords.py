"""Passwords: argon2id in a bounded number of threads, and the same work for a person who does not exist."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 128
THREADS_MAX = 2
WAITING_MAX = 32

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="argon2")
_NOBODYS_HASH = _hasher.hash("the password of nobody")
_places = BoundedSemaphore(THREADS_MAX + WAITING_MAX)
_hashing: "set[Future[Any]]" = set()

Result = TypeVar("Result")


class Overloaded(Exception):
    """More people are logging in at this moment than can be served soon."""


def passwords_hashing() -> int:
    """How many passwords are being hashed, or wait for it."""
    return len(_hashing)


async def hash_password(password: str) -> str:
    """Hash a password with argon2id, outside the event loop. Raises `Overloaded`, as all here do."""
    return await _in_thread(_hasher.hash, password)


async def is_password(password: str, password_hash: str | None) -> bool:
    """Say whether this is the password; takes as long when there is no hash to compare it with."""
    shortened = password[: PASSWORD_CHARACTERS_MAX + 1]  # which none of our passwords is as long as
    matches = await _in_thread(_matches, shortened, password_hash or _NOBODYS_HASH)
    return matches and password_hash is not None


async def renewed_hash(password: str, password_hash: str | None) -> str | None:
    """Hash a password again if its hash was made with other parameters than ours now; else None."""
    if password_hash is None or not _hasher.check_needs_rehash(password_hash):
        return None
    return await hash_password(password)


async def _in_thread(work: Callable[..., Result], *arguments: str) -> Result:
    if not _places.acquire(blocking=False):
        raise Overloaded
    future = _threads.submit(work, *arguments)
    _hashing.add(future)
    future.add_done_callback(_ended)  # also when nobody waits for it any more
    return await asyncio.wrap_future(future)


def _ended(future: "Future[Any]") -> None:
    _hashing.discard(future)
    _places.release()


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
