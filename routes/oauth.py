"""Tokens for other systems of the house: OAuth 2.0's client credentials (RFC 6749, section 4.4).

    POST /oauth/token    grant_type=client_credentials

The client proves itself by HTTP Basic, or by `client_id` and `client_secret` in the form. The answer is an
access token with the role SERVICE; errors are those of section 5.2.
"""

import asyncio
import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse

from auth.rate_limits import Door, RateLimited
from database import Database
from models.users import Role
from routes.callers import caller_of
from schema.context import House
from steps.service_clients import secret_hash
from steps.transact import is_connection_lost

GRANT = "client_credentials"
FORM = "application/x-www-form-urlencoded"
BODY_BYTES_MAX = 8 * 1024
BODY_SECONDS_MAX = 10
FIELDS_MAX = 20
NOT_KEPT = {"cache-control": "no-store", "pragma": "no-cache"}
CLIENT = "SELECT secret_hash FROM service_clients WHERE id = $1 AND revoked_at IS NULL"


class OAuthRefused(Exception):
    """No token, with one of the protocol's errors and a sentence."""

    def __init__(self, error: str, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.error, self.status = error, status


async def oauth_token(request: Request) -> JSONResponse:
    """Give a client its token."""
    house: House = request.app.state.house
    try:
        form = await _form(request)
        credentials = _credentials(request, form)
        await _count_try(house, request, credentials[0])
        client_id = await _proven(house.database, *credentials)
        if form["grant_type"] != GRANT:
            raise OAuthRefused("unsupported_grant_type", f"The grant_type is {GRANT}.")
    except OAuthRefused as refused:
        basic = {"www-authenticate": 'Basic realm="rowlock"'} if refused.status == 401 else {}
        said = {"error": refused.error, "error_description": str(refused)}
        return JSONResponse(said, refused.status, NOT_KEPT | basic)
    token = house.tokens.make(client_id, frozenset({Role.SERVICE}), client_id)
    lifetime_seconds = house.tokens.lifetime_seconds
    body = {"access_token": token, "token_type": "Bearer", "expires_in": lifetime_seconds}
    return JSONResponse(body, 200, NOT_KEPT)


async def _form(request: Request) -> Mapping[str, str]:
    """The parameters of the form, each at most once; one without a value is as one that is not there."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise OAuthRefused("invalid_request", f"Send the request as Content-Type: {FORM}.")
    body = await _body(request)
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=FIELDS_MAX)
    except ValueError:
        raise OAuthRefused("invalid_request", "The body is not a form in UTF-8.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise OAuthRefused("invalid_request", "A parameter comes more than once.")
    if "grant_type" not in form:
        raise OAuthRefused("invalid_request", "grant_type is missing.")
    return form


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    sentence = f"A request has at most {BODY_BYTES_MAX:,} bytes."
                    raise OAuthRefused("invalid_request", sentence, 413)
    except TimeoutError:
        sentence = f"A request has to be here within {BODY_SECONDS_MAX} seconds."
        raise OAuthRefused("invalid_request", sentence, 408) from None
    return bytes(body)


def _credentials(request: Request, form: Mapping[str, str]) -> tuple[str, str]:
    """The client's id and secret, from the one place where they are."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        return form.get("client_id", ""), form.get("client_secret", "")
    if "client_secret" in form:
        raise OAuthRefused(
            "invalid_request", "Prove the client by Authorization or in the form, not by both."
        )
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise OAuthRefused("invalid_client", "A client is proved by Basic.", 401)
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        client_id = secret = ""
    return unquote_plus(client_id), unquote_plus(secret)


async def _count_try(house: House, request: Request, client_id: str) -> None:
    try:
        await house.rate_limits.count(Door.CLIENT, caller_of(request), client_id)
    except RateLimited as limited:
        raise OAuthRefused("temporarily_unavailable", str(limited), 429) from None


async def _proven(database: Database, client_id: str, secret: str) -> UUID:
    """The client that these prove; an unknown one and a wrong secret get the same answer."""
    try:
        known_id = UUID(client_id)
        found = await database.rows(CLIENT, known_id)
    except ValueError:
        found = []
    except Exception as error:
        if is_connection_lost(error):
            raise OAuthRefused("temporarily_unavailable", "Try again in a moment.", 503) from None
        raise
    kept: bytes = found[0]["secret_hash"] if found else b""
    if not hmac.compare_digest(kept, secret_hash(secret)):
        raise OAuthRefused("invalid_client", "The client is unknown or revoked, or its secret is wrong.", 401)
    return known_id
