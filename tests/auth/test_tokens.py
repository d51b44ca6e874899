"""Access tokens: ours and no others, for as long as is set, over a change of keys too."""

import base64
import time
from typing import Any
from uuid import uuid4

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from auth.keys import keys_for
from auth.tokens import AccessTokens, TokenExpired, TokenRefused
from models.users import Role
from settings import Settings, read_settings

OLD, NEW = "an old secret of the house, long enough", "a new secret of the house, long enough"
ROLES = frozenset({Role.USER, Role.STAFF})


def settings_with(secret: str, *others: str, **changes: Any) -> Settings:
    return read_settings(secret_key=secret, other_secret_keys=list(others), **changes)


def tokens_with(secret: str, *others: str, **changes: Any) -> AccessTokens:
    return AccessTokens(settings_with(secret, *others, **changes))


def parts(token: str) -> list[dict[str, Any]]:
    """The header and the claims of a token."""
    return [orjson.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]


def test_a_token_says_whose_it_is_and_of_what_session() -> None:
    tokens, user_id, session_id = tokens_with(NEW), uuid4(), uuid4()
    token = tokens.make(user_id, ROLES, session_id)
    viewer = tokens.read(token)
    assert (viewer.id, viewer.roles, viewer.session_id) == (user_id, ROLES, session_id)
    assert time.time() < viewer.expires_at <= time.time() + 900
    header, claims = parts(token)
    assert (header["typ"], header["alg"], len(header["kid"])) == ("at+jwt", "HS256", 16)
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("rowlock", "rowlock-api", str(user_id))
    assert claims["sid"] == str(session_id)


def test_the_first_key_signs_and_all_of_them_verify() -> None:
    before, both, after = tokens_with(OLD), tokens_with(NEW, OLD), tokens_with(NEW)
    old, new = (tokens.make(uuid4(), ROLES, uuid4()) for tokens in (before, both))
    assert parts(old)[0]["kid"] != parts(new)[0]["kid"]
    assert tokens_with(OLD, NEW).read(new) == both.read(new) == after.read(new)
    assert before.read(old) == both.read(old)
    for tokens, token in ((after, old), (before, new)):
        with pytest.raises(TokenRefused):
            tokens.read(token)


def signed(key: bytes, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token as ours, but for what is changed."""
    ours_header, ours = parts(tokens_with(NEW).make(uuid4(), ROLES, uuid4()))
    return jwt.encode(ours_header | (header or {}), ours | claims, OctKey.import_key(key))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "somebody"},
        {"aud": "something"},
        {"sub": "nobody"},
        {"sid": None},
        {"sid": "x"},
        {"exp": None},
        {"iat": None},
        {"roles": ["KING"]},
        {"roles": None},
    ],
)
def test_a_token_with_other_claims_is_not_ours(claims: dict[str, Any]) -> None:
    (key,) = keys_for("access tokens", settings_with(NEW))
    tokens_with(NEW).read(signed(key))
    with pytest.raises(TokenRefused):
        tokens_with(NEW).read(signed(key, **claims))


def test_a_token_of_another_type_key_or_algorithm_is_not_ours() -> None:
    (key,) = keys_for("access tokens", settings_with(NEW))
    (others,) = keys_for("refresh tokens", settings_with(NEW))
    unsigned = ".".join(
        base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=")
        for part in ({"alg": "none", "typ": "at+jwt"}, parts(signed(key))[1])
    )
    for wrong in (
        signed(key, {"typ": "JWT"}),
        signed(key, {"kid": "x"}),
        jwt.encode({"alg": "HS256", "typ": "at+jwt"}, parts(signed(key))[1], OctKey.import_key(key)),
        signed(others),
        f"{unsigned}.",
        "x",
        "x" * 5_000,
        signed(key)[:-4] + "AAAA",
    ):
        with pytest.raises(TokenRefused):
            tokens_with(NEW).read(wrong)


def test_no_token_outlives_the_lifetime_that_is_set_now() -> None:
    now = int(time.time())
    (key,) = keys_for("access tokens", settings_with(NEW))
    issued_long_ago = signed(key, iat=now - 120, exp=now + 600)
    assert tokens_with(NEW).read(issued_long_ago)
    for tokens, token in (
        (tokens_with(NEW, access_token_seconds=60), issued_long_ago),
        (tokens_with(NEW), signed(key, iat=now - 120, exp=now - 60)),
    ):
        with pytest.raises(TokenExpired):
            tokens.read(token)
