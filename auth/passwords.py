"""Passwords: argon2id in a bounded number of threads, and the same work for a person who does not exist."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS_MAX = 2

_hasher = PasswordHasher()
_threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="argon2")
_NOBODYS_HASH = _hasher.hash("the password of nobody")


async def hash_password(password: str) -> str:
    """Hash a password with argon2id, outside the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def is_password(password: str, password_hash: str | None) -> bool:
    """Say whether this is the password; takes as long when there is no hash to compare it with."""
    loop = asyncio.get_running_loop()
    matches = await loop.run_in_executor(_threads, _matches, password, password_hash or _NOBODYS_HASH)
    return matches and password_hash is not None


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
