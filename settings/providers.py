"""The OpenID Connect providers that a house works with."""

from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from settings.addresses import WebUrl


class OidcLogin(BaseModel):
    """How a browser logs in by a provider: our client there, and where people come back to."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    redirect_uri: WebUrl
    scopes: list[str] = ["openid", "profile", "email"]
    return_urls: list[WebUrl] = []

    @model_validator(mode="after")
    def _asks_who_it_is(self) -> Self:
        if "openid" not in self.scopes:
            raise ValueError("scopes must have openid")
        return self


class OidcIssuer(BaseModel):
    """An OpenID Connect provider whose access tokens are good here, and what its word counts for."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(pattern="^[a-z0-9-]{1,40}$")
    issuer: WebUrl
    audiences: list[str] = []
    client_ids: list[str] = []
    roles: dict[str, Literal["USER", "STAFF", "OPERATOR", "ADMIN"]] = {}
    trust_custom_id: bool = False
    trust_email: bool = False
    login: OidcLogin | None = None

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if not (self.audiences or self.client_ids):
            raise ValueError("audiences (or client_ids, for Cognito) must say whose tokens are meant for us")
        if self.login and not urlsplit(self.login.redirect_uri).path.endswith(f"/oidc/{self.name}/callback"):
            raise ValueError(f"login.redirect_uri must end with /oidc/{self.name}/callback")
        return self
