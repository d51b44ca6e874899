"""The tokens of OpenID Connect providers: whose they are, and whether they are good."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from auth.introductions import Introduction, introduction
from auth.outbound import Outbound
from auth.published import Ask, Published
from auth.tokens import EXPIRED, TokenExpired, TokenRefused
from settings.providers import OidcIssuer

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519")
"""Signatures by a key that only the issuer has: never a shared secret, never none."""
TOKEN_CHARACTERS_MAX = 16 * 1_024
CLOCKS_DIFFER_SECONDS = 30
ACCESS_TOKEN_TYPES = {"at+jwt", "application/at+jwt"}
OF_ID_TOKENS = {"at_hash", "c_hash"}
OF_ACCESS_TOKENS = {"scope", "scp", "client_id"}
HEADERS_REMEMBERED_MAX = 100
NOT_VALID = "The access token is not valid here; log in again."


class _Signatures(JWSRegistry):
    """The algorithms above, EdDSA by its old name too."""

    def get_alg(self, name: str) -> Any:
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(f"Algorithm of '{name}' is not allowed")
        return self.algorithms[name]


_SIGNATURES = _Signatures(algorithms=list(ALGORITHMS))


class Issuer:
    """A provider whose tokens are good here, on the terms of its configuration."""

    def __init__(self, config: OidcIssuer, ask: Ask) -> None:
        self.config = config
        self.published = Published(config.issuer, ask)
        self._claims = JWTClaimsRegistry(
            leeway=CLOCKS_DIFFER_SECONDS,
            iss={"essential": True, "value": config.issuer},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )

    async def introduced_by(self, token: str) -> Introduction:
        """Whom an access token introduces; raises `TokenRefused`, or `CannotTell` when the keys are away."""
        header, claims = await self.verified(token)
        if not is_access_token(header, claims) or not self._is_for_us(claims):
            raise TokenRefused(NOT_VALID)
        return self.introduction(claims)

    async def verified(self, token: str) -> tuple[Mapping[str, Any], dict[str, Any]]:
        """The header and the claims of a token that this provider signed and that is in its time."""
        header = _json_of(token.partition(".")[0])
        if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid"), str | None):
            raise TokenRefused(NOT_VALID)
        key = await self.published.key(header.get("kid"))
        try:
            decoded = jwt.decode(token, key, registry=_SIGNATURES)
            self._claims.validate(decoded.claims)
        except ExpiredTokenError:
            raise TokenExpired(EXPIRED) from None
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise TokenRefused(NOT_VALID) from None
        return decoded.header, decoded.claims

    def introduction(self, claims: Mapping[str, Any]) -> Introduction:
        try:
            return introduction(self.config, claims)
        except (ValueError, KeyError, TypeError):
            raise TokenRefused(NOT_VALID) from None

    def _is_for_us(self, claims: Mapping[str, Any]) -> bool:
        """By `aud`; Cognito's access tokens have none, but say by which client they were got."""
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if any(one in self.config.audiences for one in audiences):
            return True
        is_of_cognito = audience is None and claims.get("token_use") == "access"
        return is_of_cognito and claims.get("client_id") in self.config.client_ids


class Issuers:
    """All providers of the configuration; with none, no token costs more than before."""

    def __init__(self, configs: Iterable[OidcIssuer]) -> None:
        configs = list(configs)
        self.outbound = Outbound() if configs else None
        made = [Issuer(config, self.outbound.json) for config in configs if self.outbound]
        self.by_name = {issuer.config.name: issuer for issuer in made}
        self._by_issuer = {issuer.config.issuer: issuer for issuer in made}

    def of(self, token: str) -> Issuer | None:
        """The provider that a token says it is of; nothing of it is verified yet."""
        if not self._by_issuer or len(token) > TOKEN_CHARACTERS_MAX:
            return None
        head, _, rest = token.partition(".")
        if not _may_be_of_provider(head):  # as all of our own
            return None
        issuer = _json_of(rest.partition(".")[0]).get("iss")
        return self._by_issuer.get(issuer) if isinstance(issuer, str) else None

    async def stop(self) -> None:
        for issuer in self.by_name.values():
            await issuer.published.stop()
        if self.outbound:
            await self.outbound.aclose()


def is_access_token(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Say whether a token says that it is for an API: one that says who logged in is not, nor is one that
    only its owner's key makes good."""
    if "cnf" in claims:
        return False
    kind = claims.get("token_use", claims.get("typ"))
    if kind is not None:
        return kind in ("access", "Bearer")
    if str(header.get("typ", "")).lower() in ACCESS_TOKEN_TYPES:
        return True
    return not OF_ID_TOKENS & claims.keys() and bool(OF_ACCESS_TOKENS & claims.keys())


@lru_cache(HEADERS_REMEMBERED_MAX)
def _may_be_of_provider(head: str) -> bool:
    """Say whether a token with this header is signed as a provider's are; there are few different ones."""
    return _json_of(head).get("alg") in ALGORITHMS


def _json_of(part: str) -> dict[str, Any]:
    """What a part of a token says; nothing when it says nothing that can be understood."""
    try:
        said = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
