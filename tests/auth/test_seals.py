"""Seals: only the house opens them, only in their place, also after its keys were swapped."""

import pytest
from pydantic import SecretStr

from auth.seals import Seals, Unreadable
from settings import read_settings

SETTINGS = read_settings()
PLAIN, PLACE = b"the plain text", b"a place"


def seals(first: str, *others: str) -> Seals:
    changes = {"secret_key": SecretStr(first), "other_secret_keys": [SecretStr(each) for each in others]}
    return Seals("a test", SETTINGS.model_copy(update=changes))


def test_what_is_sealed_is_opened_and_looks_different_each_time() -> None:
    ours = seals("a")
    first, second = ours.seal(PLAIN, PLACE), ours.seal(PLAIN, PLACE)
    assert first != second
    assert PLAIN not in first
    assert ours.open(first, PLACE) == ours.open(second, PLACE) == PLAIN


def test_another_place_another_key_and_any_changed_byte_are_refused() -> None:
    ours = seals("a")
    sealed = ours.seal(PLAIN, PLACE)
    with pytest.raises(Unreadable):
        ours.open(sealed, b"another place")
    for stranger in (seals("b"), Seals("another purpose", SETTINGS)):
        with pytest.raises(Unreadable):
            stranger.open(sealed, PLACE)
    for index in range(len(sealed)):
        changed = sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1 :]
        with pytest.raises(Unreadable):
            ours.open(changed, PLACE)
    for short in (b"", sealed[:4], sealed[:10], sealed[:-1]):
        with pytest.raises(Unreadable):
            ours.open(short, PLACE)


def test_a_key_that_is_being_changed_opens_what_it_sealed_before() -> None:
    before, during, after = seals("old"), seals("new", "old"), seals("new")
    assert during.open(before.seal(PLAIN, PLACE), PLACE) == PLAIN
    assert after.open(during.seal(PLAIN, PLACE), PLACE) == PLAIN
