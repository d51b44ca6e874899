"""Refresh tokens: opaque words that keep a session going, each good once; the next is made of the last.

A token is random at a session's start. Its successor is an HMAC of it, so that it can be given a second time
without being kept: the database has only hashes, and without our key nobody makes a successor.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from uuid import UUID

from auth.keys import keys_for
from settings import Settings

PREFIX = "rt_"
SECRET_BYTES = 32
TAG_BYTES = 16
TOKEN_BYTES = 16 + 16 + SECRET_BYTES + TAG_BYTES


@dataclass(frozen=True)
class RefreshToken:
    """A token that is ours: of whose session it is, and the secret in it."""

    user_id: UUID
    session_id: UUID
    secret: bytes

    @property
    def digest(self) -> bytes:
        """What is kept of it."""
        return hashlib.sha256(self.secret).digest()

    @property
    def _said(self) -> bytes:
        return self.user_id.bytes + self.session_id.bytes + self.secret


class RefreshTokens:
    """Makes and reads refresh tokens, and knows how long they are good."""

    def __init__(self, settings: Settings) -> None:
        self._keys = keys_for("refresh tokens", settings)
        self.session_days = settings.session_days
        self.repeat_seconds = settings.refresh_repeat_seconds

    def first(self, user_id: UUID, session_id: UUID) -> RefreshToken:
        """Make a token that has no predecessor."""
        return RefreshToken(user_id, session_id, secrets.token_bytes(SECRET_BYTES))

    def successors(self, token: RefreshToken) -> list[RefreshToken]:
        """What may come after a token: first the one to give, then those that other keys made."""
        return [replace(token, secret=hmac.digest(key, token.secret, "sha256")) for key in self._keys]

    def write(self, token: RefreshToken) -> str:
        """Put a token into the words that its owner keeps."""
        said = token._said + self._tag(self._keys[0], token)
        return PREFIX + base64.urlsafe_b64encode(said).decode().rstrip("=")

    def read(self, text: str) -> RefreshToken | None:
        """Understand such words again; None for words that we never said."""
        said = _decoded(text)
        if len(said) != TOKEN_BYTES:
            return None
        token = RefreshToken(UUID(bytes=said[:16]), UUID(bytes=said[16:32]), said[32:-TAG_BYTES])
        is_ours = any(hmac.compare_digest(self._tag(k, token), said[-TAG_BYTES:]) for k in self._keys)
        return token if is_ours else None

    def _tag(self, key: bytes, token: RefreshToken) -> bytes:
        return hmac.digest(key, b"tag" + token._said, "sha256")[:TAG_BYTES]


def _decoded(text: str) -> bytes:
    encoded = text.removeprefix(PREFIX)
    if encoded == text or len(encoded) > 2 * TOKEN_BYTES or not encoded.isascii():
        return b""
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return b""
