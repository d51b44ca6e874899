"""Seals: bytes that only the house reads again, and only in the place that they were sealed for."""

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth.keys import keys_for
from settings import Settings

KEY_ID_BYTES = 4
NONCE_BYTES = 12


class Unreadable(Exception):
    """It was sealed with a key that is gone, for another place, or not by us."""


class Seals:
    """Seals with AES-256-GCM: the key's id, a nonce, and the ciphertext with its tag.

    The key's id and the place are authenticated with it.
    """

    def __init__(self, purpose: str, settings: Settings) -> None:
        keys = keys_for(purpose, settings)
        self._keys = {_id_of(key): AESGCM(key) for key in reversed(keys)}
        self._own_id = _id_of(keys[0])

    def seal(self, plain: bytes, place: bytes) -> bytes:
        """Seal something for a place, without which it cannot be opened."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self._own_id + nonce + self._keys[self._own_id].encrypt(nonce, plain, self._own_id + place)

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Read what was sealed for this place. Raises `Unreadable`."""
        key_id, rest = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES:]
        try:
            return self._keys[key_id].decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], key_id + place)
        except (KeyError, InvalidTag, ValueError):
            raise Unreadable from None


def _id_of(key: bytes) -> bytes:
    return hashlib.sha256(b"key id" + key).digest()[:KEY_ID_BYTES]
