"""The bearer token of a request (RFC 6750) or of a socket's first message."""

from auth.tokens import TokenRefused


def bearer_token(authorization: object) -> str | None:
    """The token that is sent; None when none is. Raises `TokenRefused` for what cannot be one."""
    if authorization in (None, ""):
        return None
    if not isinstance(authorization, str):
        raise TokenRefused("Authorization must be a string: Bearer <access token>.")
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenRefused("Send the access token as: Authorization: Bearer <access token>.")
    return token.strip()
