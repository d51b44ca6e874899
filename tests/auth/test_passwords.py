"""Passwords: argon2id, hashed anew when its parameters change, and no more at a time than can be served."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from auth import passwords
from auth.passwords import Overloaded, hash_password, is_password, renewed_hash

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def test_a_password_is_kept_as_argon2id_and_known_again() -> None:
    hashed = await hash_password("correct horse")
    assert extract_parameters(hashed).type is Type.ID
    assert await is_password("correct horse", hashed)
    assert not await is_password("correct house", hashed)
    assert not await is_password("correct horse", "-")
    assert not await is_password("the password of nobody", None)


async def test_a_password_that_is_too_long_is_nobodys() -> None:
    longest = "x" * 128
    assert await is_password(longest, CHEAP.hash(longest))
    assert not await is_password(longest + "x", CHEAP.hash(longest))
    assert not await is_password("x" * 1_000_000, CHEAP.hash(longest))


async def test_a_hash_of_other_parameters_is_renewed() -> None:
    renewed = await renewed_hash("correct horse", CHEAP.hash("correct horse"))
    assert renewed is not None
    assert await is_password("correct horse", renewed)
    assert await renewed_hash("correct horse", renewed) is None
    assert await renewed_hash("correct horse", None) is None


async def test_an_unknown_person_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
            compared.append(extract_parameters(str(hash)))
            return super().verify(hash, password)

    known = await hash_password("correct horse")
    monkeypatch.setattr(passwords, "_hasher", Counting())
    for password_hash in (known, None):
        assert not await is_password("something else", password_hash)
    assert compared[0] == compared[1]


async def test_who_would_wait_too_long_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The threads are held up, so that everything waits; what was given up on makes room too."""
    go = Event()
    with ThreadPoolExecutor(passwords.THREADS_MAX) as threads:
        monkeypatch.setattr(passwords, "_threads", threads)
        monkeypatch.setattr(passwords, "_matches", lambda *_: go.wait())
        places = passwords.THREADS_MAX + passwords.WAITING_MAX
        waiting = [asyncio.create_task(is_password("x", "-")) for _ in range(places)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await is_password("x", "-")
        waiting[-1].cancel()
        await asyncio.gather(waiting[-1], return_exceptions=True)
        waiting[-1] = asyncio.create_task(is_password("x", "-"))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await is_password("x", "-")
        go.set()
        assert await asyncio.gather(*waiting) == [True] * places
    monkeypatch.undo()
    assert not await is_password("x", None)
