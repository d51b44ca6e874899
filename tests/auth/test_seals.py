"""Seals: only the house opens them, only in their place, also after its keys were swapped."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from auth.keys import keys_for
from auth.seals import KEY_ID_BYTES, NONCE_BYTES, Seals, Unreadable
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


def test_a_seal_binds_the_id_of_its_key_and_its_place() -> None:
    sealed = Seals("a test", SETTINGS).seal(PLAIN, PLACE)
    key = AESGCM(keys_for("a test", SETTINGS)[0])
    key_id, nonce, rest = (
        sealed[:KEY_ID_BYTES],
        sealed[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES],
        sealed[KEY_ID_BYTES + NONCE_BYTES :],
    )
    assert key.decrypt(nonce, rest, key_id + PLACE) == PLAIN
    for less in (PLACE, key_id, b""):
        with pytest.raises(InvalidTag):
            key.decrypt(nonce, rest, less)
