"""The bearer token of a request (RFC 6750) or of a socket's first message."""

from auth.tokens import AccessTokens, TokenRefused
from auth.viewer import Viewer


def viewer_of(authorization: object, tokens: AccessTokens) -> Viewer | None:
    """Say who is asking; None when no token is sent. Raises `TokenRefused` for one that is not good."""
    if authorization in (None, ""):
        return None
    if not isinstance(authorization, str):
        raise TokenRefused("Authorization must be a string: Bearer <access token>.")
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused("Send the access token as: Authorization: Bearer <access token>.")
    return tokens.read(token.strip())
