"""A real OpenID Connect provider on a free port: its own keys, and Authlib's server grants with PKCE."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.serving import answering

AUDIENCE, CLIENT_ID, CLIENT_SECRET = "rowlock-api", "rowlock-web", "the-secret-of-a-test"
PUBLISHED_SECRET = {"kty": "oct", "kid": "oct", "k": "YSBzZWNyZXQgdGhhdCBub2JvZHkgc2hvdWxkIHB1Ymxpc2g"}
RSA_KEY = RSAKey.generate_key(2048, auto_kid=True)


class Client(ClientMixin):  # type: ignore[misc]
    """The one client: ours."""

    client_id, redirect_uri = CLIENT_ID, ""

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Provider:
    """A provider and what it would say of the one person who logs in there."""

    issuer: str = ""
    keys: list[Key] = field(default_factory=lambda: [RSA_KEY])
    claims: dict[str, Any] = field(default_factory=dict)
    id_claims: dict[str, Any] = field(default_factory=dict)
    denies: bool = False
    is_away: bool = False
    asked_for_keys: int = 0
    published: dict[str, Any] = field(default_factory=dict)
    client: Client = field(default_factory=Client)
    codes: dict[str, Any] = field(default_factory=dict)

    def rotate(self, kind: str = "EC") -> None:
        """Sign with another key from now on; the old one is gone."""
        if kind == "RSA":
            self.keys = [RSAKey.generate_key(2048, auto_kid=True)]
        elif kind == "OKP":
            self.keys = [OKPKey.generate_key("Ed25519", auto_kid=True)]
        else:
            self.keys = [ECKey.generate_key("P-256", auto_kid=True)]

    def token(self, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """An access token as such a provider makes it; claims that are None are left out."""
        key = key or self.keys[0]
        alg = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519", "oct": "HS256"}[key.key_type]
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": "subject-1",
            "iat": now,
            "exp": now + 300,
            "scope": "openid",
        } | claims
        header = {"alg": alg, "kid": key.kid} | (header or {})
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(header, said, key, algorithms=[header["alg"]])

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/openid-configuration", self._configuration),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
        ]

    def _configuration(self, request: Request) -> Response:
        if self.is_away:
            return Response("down for maintenance", 503)
        said = {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
        }
        return JSONResponse(said | self.published)

    def _keys(self, request: Request) -> Response:
        self.asked_for_keys += 1
        if self.is_away:
            return Response("down for maintenance", 503)
        others = [{"kty": "weird"}, PUBLISHED_SECRET, {"kty": "RSA"}]
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys] + others})

    async def _authorize(self, request: Request) -> Response:
        server, asked = Server(self), await _understood(request)
        grant = server.get_consent_grant(asked)
        person = None if self.denies else SimpleNamespace(sub="subject-1")
        return server.create_authorization_response(asked, grant_user=person, grant=grant)

    async def _token(self, request: Request) -> Response:
        if self.is_away:
            return Response("down for maintenance", 503)
        return Server(self).create_token_response(await _understood(request))


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's authorization server, with Starlette's requests."""

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self.provider = provider
        self.register_grant(CodeGrant, [IdTokens(require_nonce=True), CodeChallenge(required=True)])
        self.register_token_generator("default", self._bearer)

    def _bearer(self, **_: Any) -> dict[str, Any]:
        token = self.provider.token(**self.provider.claims)
        return {"token_type": "Bearer", "access_token": token, "expires_in": 300, "scope": "openid"}

    def query_client(self, client_id: str) -> Client | None:
        return self.provider.client if client_id == CLIENT_ID else None

    def save_token(self, token: Any, request: Any) -> None:
        """Access tokens are JWTs, and kept by nobody."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: OAuth2Request) -> OAuth2Request:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        if isinstance(body, dict):
            return JSONResponse(body, status)
        return Response(body, status, dict(headers))


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes that are good once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]  # noqa: RUF012

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        said = request.payload.data
        self.server.provider.codes[code] = SimpleNamespace(
            code=code,
            code_challenge=said.get("code_challenge"),
            code_challenge_method=said.get("code_challenge_method"),
            get_redirect_uri=lambda: said.get("redirect_uri"),
            get_scope=lambda: said.get("scope"),
            get_nonce=lambda: said.get("nonce"),
            get_auth_time=lambda: None,
            get_acr=lambda: None,
            get_amr=lambda: None,
        )

    def query_authorization_code(self, code: str, client: Client) -> Any:
        return self.server.provider.codes.get(code)

    def delete_authorization_code(self, authorization_code: Any) -> None:
        del self.server.provider.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Any) -> Any:
        return SimpleNamespace(sub="subject-1")


class IdTokens(OpenIDCode):  # type: ignore[misc]
    """ID tokens for our client, or with what a test would rather have in them."""

    def __call__(self, grant: Any) -> None:
        self._provider = grant.server.provider
        super().__call__(grant)

    def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
        return False

    def resolve_client_private_key(self, client: Client) -> Key:
        return self._provider.keys[0]

    def get_client_algorithm(self, client: Client) -> str:
        return {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[self._provider.keys[0].key_type]

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._provider.issuer}

    def get_encode_header(self, client: Client) -> dict[str, Any]:
        return {"alg": self.get_client_algorithm(client), "kid": self._provider.keys[0].kid}

    def generate_user_info(self, user: Any, scope: str) -> dict[str, Any]:
        return {"sub": user.sub} | self._provider.id_claims


async def _understood(request: Request) -> OAuth2Request:
    """A request in Authlib's words; it is strict about TLS, and this machine is trusted without."""
    asked = OAuth2Request(request.method, str(request.url).replace("http:", "https:", 1))
    form = dict(parse_qsl((await request.body()).decode()))
    asked.payload = BasicOAuth2Payload(dict(request.query_params) | form)
    asked._body = form
    # Its header names are those of WSGI.
    asked.headers = {name.title(): value for name, value in request.headers.items()}
    return asked


@contextlib.asynccontextmanager
async def providing() -> AsyncIterator[Provider]:
    """Run a provider in this event loop until the block ends."""
    provider = Provider()
    async with answering(Starlette(routes=provider.routes)) as (url, _):
        provider.issuer = url
        yield provider
