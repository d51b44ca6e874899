"""What an OpenID Connect provider publishes: where to log in, and the keys that it signs with."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from auth.outbound import ANSWER_SECONDS_MAX, NoAnswer
from auth.tokens import CannotTell, TokenRefused

log = logging.getLogger("rowlock.auth")

FRESH_SECONDS = 600
"""After so long it is asked for again, while what is known goes on being used."""
KEPT_SECONDS = 24 * 3_600
"""A provider that has been away for longer is no longer taken at its word of then."""
REFETCH_SECONDS = 10
"""For keys that are not known a provider is asked at most once in this time, and after a failure too."""
KEYS_MAX = 100
RSA_BITS_MIN = 2_048

Ask = Callable[[str], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Publication:
    """What a provider said last."""

    authorization_endpoint: str
    token_endpoint: str
    token_endpoint_auth_methods: tuple[str, ...]
    keys: tuple[Key, ...]

    def key(self, id: str | None) -> Key | None:
        """The key of this id; a token without one is signed with the only key there is."""
        found = [key for key in self.keys if id is None or key.kid == id]
        return found[0] if len(found) == 1 else None


class Published:
    """One provider's publication, asked for when it is needed, by one at a time, and kept."""

    def __init__(self, issuer: str, ask: Ask, now: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._ask, self._now = issuer, ask, now
        self._last: Publication | None = None
        self._asked_at = 0.0
        self._rests_until = float("-inf")
        self._has_failed = False
        self._asking: asyncio.Task[None] | None = None

    async def last(self) -> Publication:
        """What is published; raises `CannotTell` for a provider that is away and not known of late."""
        age = self._now() - self._asked_at
        if self._last is None or age > KEPT_SECONDS:
            self._last = None
            await self._asked_anew()
        elif age > FRESH_SECONDS:
            self._begin_to_ask()
        if self._last is None:
            raise CannotTell(f"{self._issuer} does not answer; try again in a moment.")
        return self._last

    async def key(self, id: str | None) -> Key:
        """The key of this id, looked for once more if it is not known; `TokenRefused` when there is none."""
        key = (await self.last()).key(id)
        if key is None:
            await self._asked_anew()
            key = (await self.last()).key(id)
        if key is None and self._has_failed:
            raise CannotTell(f"{self._issuer} does not answer; try again in a moment.")
        if key is None:
            raise TokenRefused("The access token is signed with a key that its issuer does not publish.")
        return key

    async def stop(self) -> None:
        if self._asking:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _asked_anew(self) -> None:
        self._begin_to_ask()
        if self._asking:
            await asyncio.shield(self._asking)

    def _begin_to_ask(self) -> None:
        """Have the provider asked, unless that is going on or was just done."""
        if self._asking is None and self._now() >= self._rests_until:
            is_first = self._last is None
            self._asking = asyncio.create_task(self._ask_again(is_first), name="openid provider")

    async def _ask_again(self, is_first: bool) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                self._last = await self._read()
            self._asked_at, self._has_failed = self._now(), False
        except Exception as error:  # whatever it says or does not say, it can be asked again
            self._has_failed = True
            log.warning("an OpenID provider cannot be asked: %s: %s", type(error).__name__, error)
        finally:
            rests = self._has_failed or not is_first
            self._rests_until = self._now() + REFETCH_SECONDS if rests else float("-inf")
            self._asking = None

    async def _read(self) -> Publication:
        said = await self._ask(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if said.get("issuer") != self._issuer:
            raise NoAnswer(f"{self._issuer} calls itself {str(said.get('issuer'))[:200]!r}")
        keys = await self._ask(self._address(said, "jwks_uri"))
        methods = said.get("token_endpoint_auth_methods_supported")
        return Publication(
            self._address(said, "authorization_endpoint"),
            self._address(said, "token_endpoint"),
            tuple(methods) if isinstance(methods, list) else ("client_secret_basic",),
            tuple(_signing_keys(keys.get("keys"))),
        )

    def _address(self, said: dict[str, Any], name: str) -> str:
        """One of the provider's addresses, as well protected as the issuer's own."""
        address = str(said.get(name))
        parts = urlsplit(address)
        if parts.scheme not in {"https", urlsplit(self._issuer).scheme} or parts.port == 0:
            raise NoAnswer(f"{self._issuer} publishes no usable {name}")
        return address


def _signing_keys(published: object) -> list[Key]:
    """The public keys of a JWKS that signatures may be checked with; what else stands there is left out."""
    if not isinstance(published, list):
        raise NoAnswer("the key set has no keys")
    keys: list[Key] = []
    for entry in published[:KEYS_MAX]:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
            continue
        if entry.get("kty") not in {"RSA", "EC", "OKP"}:  # never a shared secret
            continue
        try:
            key = import_key(entry)
        except (JoseError, ValueError, TypeError):
            continue
        if isinstance(key, ECKey | OKPKey) or (isinstance(key, RSAKey) and _is_long(key)):
            keys.append(key)
    return keys


def _is_long(key: RSAKey) -> bool:
    return key.public_key.key_size >= RSA_BITS_MIN
