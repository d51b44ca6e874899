"""Refresh tokens: random at first, then each made of the one before; nobody else can say one."""

import base64
from uuid import uuid4

import pytest

from auth.refresh_tokens import RefreshTokens
from settings import read_settings

OLD, NEW = "an old secret of the house, long enough", "a new secret of the house, long enough"


def tokens_with(secret: str, *others: str) -> RefreshTokens:
    return RefreshTokens(read_settings(secret_key=secret, other_secret_keys=list(others)))


def test_a_token_is_read_as_it_was_written() -> None:
    tokens = tokens_with(NEW)
    token = tokens.first(uuid4(), uuid4())
    said = tokens.write(token)
    assert said.startswith("rt_")
    assert tokens.read(said) == token
    assert token.secret != tokens.first(token.user_id, token.session_id).secret
    assert token.digest not in base64.urlsafe_b64decode(said[3:] + "=")


def test_every_changed_token_is_none_of_ours() -> None:
    tokens = tokens_with(NEW)
    said = tokens.write(tokens.first(uuid4(), uuid4()))
    for place in range(3, len(said) - 1):
        changed = said[:place] + ("A" if said[place] != "A" else "B") + said[place + 1 :]
        assert tokens.read(changed) is None
    for wrong in ("", "rt_", "rt_x", said[3:], said + "A", said[:-1], "rt_" + "é" * 107, "rt_" + "!" * 107):
        assert tokens.read(wrong) is None
    assert tokens_with(OLD).read(said) is None


def test_a_successor_is_the_same_each_time_and_needs_the_key() -> None:
    tokens = tokens_with(NEW)
    token = tokens.first(uuid4(), uuid4())
    (successor,) = tokens.successors(token)
    assert [successor] == tokens.successors(token)
    assert (successor.user_id, successor.session_id) == (token.user_id, token.session_id)
    assert len({token.secret, successor.secret, tokens.successors(successor)[0].secret}) == 3
    assert tokens_with(OLD).successors(token) != [successor]


@pytest.mark.parametrize("places", [(OLD, NEW), (NEW, OLD)])
def test_a_key_can_be_changed_while_tokens_are_out(places: tuple[str, str]) -> None:
    before, during = tokens_with(OLD), tokens_with(*places)
    token = before.first(uuid4(), uuid4())
    assert during.read(before.write(token)) == token
    assert before.successors(token)[0] in during.successors(token)
    assert tokens_with(places[0]).read(during.write(token)) == token
