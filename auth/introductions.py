"""Introductions: what an OpenID Connect provider says of a person, as far as its word counts here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.languages import Language, language_of
from models.users import Role
from settings.providers import OidcIssuer

SUBJECT_CHARACTERS_MAX = 255
ROLES_READ_MAX = 1_000
TOKEN_SECONDS_MAX = 86_400
"""No token is good for longer, whatever it says: sessions that have ended are kept for two days."""


@dataclass(frozen=True)
class Introduction:
    """A person whom a provider introduces. `custom_id` and `email` are there only where it is trusted with
    them, and the address only when the provider has verified it."""

    issuer: str
    provider: str
    subject: str
    roles: frozenset[Role]
    custom_id: UUID | None
    email: str | None
    full_name: str | None
    issued_at: float
    expires_at: float
    language: Language = Language.EN


def introduction(config: OidcIssuer, claims: Mapping[str, Any]) -> Introduction:
    """Read the claims of a verified token; KeyError, TypeError or ValueError say that they cannot be read."""
    subject = claims["sub"]
    if not isinstance(subject, str) or not 1 <= len(subject) <= SUBJECT_CHARACTERS_MAX or "\0" in subject:
        raise ValueError("sub is not the name of a subject")
    issued_at, expires_at = float(claims["iat"]), float(claims["exp"])
    if not (issued_at >= 0 and expires_at >= 0):
        raise ValueError("iat and exp are no moments")
    return Introduction(
        issuer=config.issuer,
        provider=config.name,
        subject=subject,
        roles=roles_of(config, claims),
        custom_id=_custom_id(claims.get("custom:id")) if config.trust_custom_id else None,
        email=_verified_email(claims) if config.trust_email else None,
        full_name=_full_name(claims.get("name")),
        issued_at=issued_at,
        expires_at=min(expires_at, issued_at + TOKEN_SECONDS_MAX),
        language=language_of(claims.get("locale")),
    )


def roles_of(config: OidcIssuer, claims: Mapping[str, Any]) -> frozenset[Role]:
    """The roles that a token's own ones are mapped to. Everybody is a USER; others are not known here."""
    mapped = {Role(config.roles[name]) for name in _names_of_roles(claims) if name in config.roles}
    return frozenset(mapped | {Role.USER})


def _names_of_roles(claims: Mapping[str, Any]) -> Iterator[str]:
    """Realm roles and groups as they are called, roles of a client as `client/role`."""
    yield from _names(_within(claims, "realm_access").get("roles"))
    yield from _names(claims.get("cognito:groups"))
    resources = _within(claims, "resource_access")
    for client in list(resources)[:ROLES_READ_MAX]:
        yield from (f"{client}/{name}" for name in _names(_within(resources, client).get("roles")))


def _within(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = claims.get(name)
    return value if isinstance(value, dict) else {}


def _names(value: object) -> list[str]:
    names = value[:ROLES_READ_MAX] if isinstance(value, list) else []
    return [name for name in names if isinstance(name, str)]


def _custom_id(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _verified_email(claims: Mapping[str, Any]) -> str | None:
    email = claims.get("email")
    # Cognito writes the truth of it as a string.
    is_verified = claims.get("email_verified") in (True, "true")
    return email if is_verified and isinstance(email, str) else None


def _full_name(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip().isprintable():
        return None
    return value.strip() or None
