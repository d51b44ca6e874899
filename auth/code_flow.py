"""Logging in by an OpenID Connect provider: the authorization code flow with PKCE, by Authlib."""

import asyncio
import hmac
from dataclasses import replace
from urllib.parse import urlencode

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client

from auth.introductions import Introduction, roles_of
from auth.issuers import Issuer
from auth.login_states import LoginState
from auth.outbound import ANSWER_SECONDS_MAX, PLAIN, NoAnswer, Outbound
from auth.published import Publication
from auth.tokens import CannotTell, TokenRefused

WORDS_OF_PROVIDER_MAX = 300


class LoginFailed(Exception):
    """The login came to nothing, with one of the protocol's errors and a sentence."""

    def __init__(self, error: str, sentence: str) -> None:
        super().__init__(sentence[:WORDS_OF_PROVIDER_MAX])
        self.error = error[:WORDS_OF_PROVIDER_MAX]


class CodeFlow:
    """Sends people to one provider, and learns from its code who came back."""

    def __init__(self, issuer: Issuer, outbound: Outbound) -> None:
        assert issuer.config.login
        self.config = issuer.config.login
        self.issuer_url = issuer.config.issuer
        self._issuer, self._outbound = issuer, outbound

    async def address(self, state: LoginState) -> str:
        """Where a browser is sent to log in; raises `CannotTell` when the provider is away."""
        published = await self._issuer.published.last()
        url, _ = self._client(published).create_authorization_url(
            published.authorization_endpoint, state=state.id, code_verifier=state.verifier, nonce=state.nonce
        )
        return str(url)

    async def introduced_by(self, code: str, state: LoginState) -> Introduction:
        """Who logged in, by the code that a browser came back with.

        Raises `LoginFailed` for a code that the provider does not take, and for what it should not answer.
        """
        published = await self._issuer.published.last()
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                tokens = await self._client(published).fetch_token(
                    published.token_endpoint, code=code, code_verifier=state.verifier
                )
        except OAuthError as error:
            raise LoginFailed(error.error, error.description or "The provider refused the code.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, NoAnswer, TimeoutError, ValueError) as error:
            raise CannotTell(f"The provider does not answer: {type(error).__name__}.") from None
        try:
            return await self._introduction(tokens.get("id_token"), tokens.get("access_token"), state)
        except TokenRefused:
            raise LoginFailed("invalid_token", "The provider's ID token is not one for this login.") from None

    async def _introduction(self, id_token: object, access_token: object, state: LoginState) -> Introduction:
        """The person of the ID token, with the roles of the access token too: Keycloak has them there."""
        if not isinstance(id_token, str):
            raise TokenRefused("The provider sent no ID token.")
        _, claims = await self._issuer.verified(id_token)
        audience, client_id = claims.get("aud"), self.config.client_id
        is_for_us = audience in (client_id, [client_id]) or (
            isinstance(audience, list) and client_id in audience and claims.get("azp") == client_id
        )
        if not is_for_us or claims.get("azp", client_id) != client_id:
            raise TokenRefused("The ID token is for another client.")
        if not hmac.compare_digest(str(claims.get("nonce")).encode(), state.nonce.encode()):
            raise TokenRefused("The ID token is of another login.")
        if claims.get("token_use", "id") != "id" or claims.get("typ", "ID") != "ID":
            raise TokenRefused("This is not an ID token.")
        person = self._issuer.introduction(claims)
        try:
            _, more = await self._issuer.verified(str(access_token))
        except TokenRefused:  # it may be opaque, and is the provider's own affair
            return person
        if more["sub"] != person.subject:
            return person
        return replace(person, roles=person.roles | roles_of(self._issuer.config, more))

    def _client(self, published: Publication) -> AsyncOAuth2Client:
        """A client for one login: it keeps the tokens that it gets."""
        secret, methods = self.config.client_secret, published.token_endpoint_auth_methods
        is_posted = "client_secret_basic" not in methods and "client_secret_post" in methods
        method = "client_secret_post" if is_posted else "client_secret_basic"
        return AsyncOAuth2Client(
            client_id=self.config.client_id,
            client_secret=secret.get_secret_value() if secret else None,
            token_endpoint_auth_method=method if secret else "none",
            scope=" ".join(self.config.scopes),
            redirect_uri=self.config.redirect_uri,
            code_challenge_method="S256",
            transport=self._outbound,
            headers=PLAIN,
        )


def with_fragment(url: str, said: dict[str, str]) -> str:
    """An address with something said to the page there, which no server on the way hears."""
    return f"{url}#{urlencode(said)}"
