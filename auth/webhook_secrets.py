"""The secrets of webhooks: made for an endpoint, shown once, kept sealed, and signed with.

The scheme is that of Standard Webhooks, symmetric: docs/webhooks.md has it, with a verifier.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable
from uuid import UUID

from auth.seals import Seals
from settings import Settings

SECRET_BYTES = 32
PREFIX = "whsec_"


def new_secret() -> str:
    """A secret as its owner is shown it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signatures(kept: Iterable[str], id: UUID, timestamp: int, body: bytes) -> str:
    """The header that says who sent this body, under this id and at this second: one signature a secret."""
    signed = f"{id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_signature(secret, signed)}" for secret in kept)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


class WebhookSecrets:
    """Seals secrets for the endpoint that each is of."""

    def __init__(self, settings: Settings) -> None:
        self._seals = Seals("webhooks", settings)

    def seal(self, endpoint_id: UUID, secret: str) -> bytes:
        return self._seals.seal(secret.encode(), endpoint_id.bytes)

    def open(self, endpoint_id: UUID, sealed: bytes) -> str:
        """Read a secret again. Raises `auth.seals.Unreadable`."""
        return self._seals.open(sealed, endpoint_id.bytes).decode()
