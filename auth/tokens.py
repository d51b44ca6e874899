"""Access tokens: signed JWTs (RFC 9068's type) that say who a person is for some minutes."""

import hashlib
import time
from functools import lru_cache
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from auth.keys import keys_for
from auth.viewer import Viewer
from models.users import Role
from settings import Settings

ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"  # noqa: S105
TOKEN_CHARACTERS_MAX = 4_096
TOKENS_REMEMBERED_MAX = 10_000
EXPIRED = "The access token has expired; refresh the session, or log in again."


class TokenRefused(Exception):
    """The access token is not one of ours, was tampered with, or is of a session that has ended."""


class TokenExpired(TokenRefused):
    """The access token was good once; a refresh token gets another."""


class CannotTell(Exception):
    """Whether the token is good cannot be told at this moment: who could tell does not answer."""


class AccessTokens:
    """Makes and reads access tokens; algorithm, issuer and audience are fixed, whatever a token says.

    The first of the house's keys signs; a token names its key, and each of them verifies.
    """

    def __init__(self, settings: Settings) -> None:
        keys = [OctKey.import_key(key) for key in keys_for("access tokens", settings)]
        self._keys = {_kid(key): key for key in keys}
        self._signing = keys[0]
        self._issuer, self._audience = settings.token_issuer, settings.token_audience
        self._verified = lru_cache(TOKENS_REMEMBERED_MAX)(self._verify)
        self.lifetime_seconds = settings.access_token_seconds
        self._claims = JWTClaimsRegistry(
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )

    def make(self, user_id: UUID, roles: frozenset[Role], session_id: UUID) -> str:
        """Make a token for this person and session, good for `lifetime_seconds`."""
        now = int(time.time())
        header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": _kid(self._signing)}
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": now,
            "exp": now + self.lifetime_seconds,
            "roles": sorted(roles),
        }
        return jwt.encode(header, claims, self._signing)

    def read(self, token: str) -> Viewer:
        """Say who a token speaks for; raises `TokenExpired` or `TokenRefused`."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise TokenRefused("The access token is too long to be one of ours.")
        viewer = self._verified(token)
        if viewer.expires_at <= time.time():
            raise TokenExpired(EXPIRED)
        return viewer

    def _verify(self, token: str) -> Viewer:
        """Check a token's signature and claims; say who it speaks for, and until when."""
        try:
            decoded = jwt.decode(token, self._key_of, algorithms=[ALGORITHM])
            self._claims.validate(decoded.claims)
            if decoded.header.get("typ") != TOKEN_TYPE:
                raise TokenRefused("This token is not an access token.")
            return self._viewer(decoded.claims)
        except ExpiredTokenError:
            raise TokenExpired(EXPIRED) from None
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise TokenRefused("The access token is not valid; log in again.") from None

    def _viewer(self, claims: dict[str, Any]) -> Viewer:
        """Who a token's claims speak for. No token outlives the lifetime that is set now: ended sessions are
        remembered for no longer than that."""
        roles = frozenset(Role(role) for role in claims["roles"])
        expires_at = min(claims["exp"], claims["iat"] + self.lifetime_seconds)
        return Viewer(UUID(claims["sub"]), roles, UUID(claims["sid"]), expires_at)

    def _key_of(self, token: Any) -> OctKey:
        return self._keys[token.headers()["kid"]]


def _kid(key: OctKey) -> str:
    """A key's name in the header of a token."""
    return hashlib.sha256(key.raw_value).hexdigest()[:16]
