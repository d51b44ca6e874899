"""Access tokens: signed JWTs (RFC 9068's claims) that say who a person is for some minutes."""

import time
from functools import lru_cache
from uuid import UUID

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import OctKey
from joserfc.jwt import JWTClaimsRegistry

from auth.viewer import Viewer
from models.users import Role
from settings import Settings

ALGORITHM = "HS256"
TOKEN_TYPE = "at+jwt"  # noqa: S105
TOKEN_CHARACTERS_MAX = 4_096
TOKENS_REMEMBERED_MAX = 10_000
EXPIRED = "The access token has expired; log in again."


class TokenRefused(Exception):
    """The access token is not one of ours, or was tampered with."""


class TokenExpired(TokenRefused):
    """The access token was good once; log in again."""


class AccessTokens:
    """Makes and reads access tokens; algorithm, issuer and audience are fixed, whatever a token says."""

    def __init__(self, settings: Settings) -> None:
        self._key = OctKey.import_key(settings.secret_key.get_secret_value())
        self._issuer, self._audience = settings.token_issuer, settings.token_audience
        self._verified = lru_cache(TOKENS_REMEMBERED_MAX)(self._verify)
        self.lifetime_seconds = settings.access_token_seconds
        self._claims = JWTClaimsRegistry(
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._audience},
            sub={"essential": True},
            exp={"essential": True},
        )

    def make(self, user_id: UUID, roles: frozenset[Role]) -> str:
        """Make a token for this person, good for `lifetime_seconds`."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "iat": now,
            "exp": now + self.lifetime_seconds,
            "roles": sorted(roles),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TOKEN_TYPE}, claims, self._key)

    def read(self, token: str) -> Viewer:
        """Say who a token speaks for; raises `TokenExpired` or `TokenRefused`."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            raise TokenRefused("The access token is too long to be one of ours.")
        viewer, expires_at = self._verified(token)
        if expires_at <= time.time():
            raise TokenExpired(EXPIRED)
        return viewer

    def _verify(self, token: str) -> tuple[Viewer, int]:
        """Check a token's signature and claims; say who it speaks for, and until when."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            self._claims.validate(decoded.claims)
            if decoded.header.get("typ") != TOKEN_TYPE:
                raise TokenRefused("This token is not an access token.")
            roles = frozenset(Role(role) for role in decoded.claims["roles"])
            return Viewer(UUID(decoded.claims["sub"]), roles), decoded.claims["exp"]
        except ExpiredTokenError:
            raise TokenExpired(EXPIRED) from None
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise TokenRefused("The access token is not valid; log in again.") from None
