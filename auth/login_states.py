"""What a browser keeps while it is at a provider to log in: signed, and for some minutes of one login."""

import base64
import binascii
import hmac
import secrets
import time
from dataclasses import dataclass

import orjson

from auth.keys import keys_for
from settings import Settings

LOGIN_SECONDS_MAX = 600
SIGNATURE_BYTES = 32
KEPT_CHARACTERS_MAX = 4_000


@dataclass(frozen=True)
class LoginState:
    """A login that was begun. `nonce` and `verifier` follow from its id and our key, so nobody keeps them."""

    id: str
    provider: str
    return_url: str | None
    said: str
    nonce: str
    verifier: str


class LoginStates:
    """Begins logins, and knows them again."""

    def __init__(self, settings: Settings) -> None:
        self._keys = keys_for("logins by a provider", settings)

    def begin(self, provider: str, return_url: str | None, said: str) -> LoginState:
        """Begin a login at this provider; it ends at `return_url`, where `said` is said again."""
        return self._state(self._keys[0], secrets.token_urlsafe(24), provider, return_url, said)

    def write(self, state: LoginState) -> str:
        """What the browser is to keep."""
        until = int(time.time()) + LOGIN_SECONDS_MAX
        kept = orjson.dumps([state.id, until, state.provider, state.return_url, state.said])
        return base64.urlsafe_b64encode(hmac.digest(self._keys[0], kept, "sha256") + kept).decode()

    def read(self, kept: str, provider: str, id: str) -> LoginState | None:
        """The login that was begun with this id; None for what is not ours, of another login, or too old."""
        try:
            bound = base64.b64decode(kept[:KEPT_CHARACTERS_MAX], altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        signature, body = bound[:SIGNATURE_BYTES], bound[SIGNATURE_BYTES:]
        for key in self._keys:
            if hmac.compare_digest(hmac.digest(key, body, "sha256"), signature):
                found_id, until, found_provider, return_url, said = orjson.loads(body)
                is_this = (found_id, found_provider) == (id, provider) and until > time.time()
                return self._state(key, id, provider, return_url, said) if is_this else None
        return None

    def _state(self, key: bytes, id: str, provider: str, return_url: str | None, said: str) -> LoginState:
        nonce, verifier = (_word(key, f"{purpose} {id}") for purpose in ("nonce", "verifier"))
        return LoginState(id, provider, return_url, said, nonce, verifier)


def _word(key: bytes, of: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, of.encode(), "sha256")).decode().rstrip("=")
