"""A provider is asked when that is needed, by one at a time, and not too often."""

import asyncio
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from auth.outbound import NoAnswer
from auth.published import FRESH_SECONDS, KEPT_SECONDS, REFETCH_SECONDS, Published
from auth.tokens import CannotTell, TokenRefused

ISSUER = "https://id.example"
KEYS = [ECKey.generate_key("P-256", {"kid": name}) for name in ("first", "second", "third")]


class Web:
    """What a provider answers now, and how often it was asked for its keys; time passes by hand."""

    def __init__(self) -> None:
        self.keys = [KEYS[0].as_dict(private=False)]
        self.asked, self.is_away, self.now = 0, False, 1_000.0
        self.said: dict[str, str] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.published = Published(ISSUER, self.ask, lambda: self.now)

    async def ask(self, url: str) -> dict[str, Any]:
        await self.gate.wait()
        if self.is_away:
            raise NoAnswer(url)
        if url == f"{ISSUER}/keys":
            self.asked += 1
            return {"keys": self.keys}
        assert url == f"{ISSUER}/.well-known/openid-configuration"
        places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        said = {name: f"{ISSUER}/{'keys' * (name == 'jwks_uri')}" for name in places}
        return {"issuer": ISSUER} | said | self.said

    async def settled(self) -> None:
        """Wait for what is asked in the background."""
        if self.published._asking:
            await self.published._asking


async def test_many_at_once_ask_once() -> None:
    web = Web()
    web.gate.clear()
    waiting = [asyncio.create_task(web.published.key("first")) for _ in range(20)]
    await asyncio.sleep(0)
    web.gate.set()
    assert {key.kid for key in await asyncio.gather(*waiting)} == {"first"}
    assert web.asked == 1


async def test_who_stops_waiting_takes_the_answer_from_nobody() -> None:
    web = Web()
    web.gate.clear()
    impatient, patient = (asyncio.create_task(web.published.key("first")) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    web.gate.set()
    assert (await patient).kid == "first"
    assert impatient.cancelled()


async def test_an_unknown_key_is_looked_for_once_in_an_interval() -> None:
    web = Web()
    await web.published.key("first")
    web.keys.append(KEYS[1].as_dict(private=False))
    assert (await web.published.key("second")).kid == "second"
    web.keys.append(KEYS[2].as_dict(private=False))
    with pytest.raises(TokenRefused):
        await web.published.key("third")
    assert web.asked == 2
    web.now += REFETCH_SECONDS
    assert (await web.published.key("third")).kid == "third"
    assert web.asked == 3


async def test_what_is_old_is_asked_for_again_and_nobody_waits() -> None:
    web = Web()
    await web.published.key("first")
    web.keys = [KEYS[1].as_dict(private=False)]
    web.now += FRESH_SECONDS + 1
    web.gate.clear()
    assert (await web.published.key("first")).kid == "first"
    web.gate.set()
    await web.settled()
    web.now += REFETCH_SECONDS
    with pytest.raises(TokenRefused):
        await web.published.key("first")


async def test_a_provider_that_is_away_is_believed_for_a_day() -> None:
    web = Web()
    await web.published.key("first")
    web.is_away = True
    web.now += KEPT_SECONDS - 1
    assert (await web.published.key("first")).kid == "first"
    await web.settled()
    with pytest.raises(CannotTell):
        await web.published.key("second")
    web.now += 2
    with pytest.raises(CannotTell):
        await web.published.key("first")
    web.is_away = False
    web.now += REFETCH_SECONDS
    assert (await web.published.key("first")).kid == "first"


async def test_a_provider_that_is_away_is_not_asked_by_everybody() -> None:
    web = Web()
    web.is_away = True
    for _ in range(2):
        with pytest.raises(CannotTell):
            await web.published.key("first")
        web.is_away = False  # it is back, and nobody asks it yet
    assert web.asked == 0
    web.now += REFETCH_SECONDS
    assert (await web.published.key("first")).kid == "first"


@pytest.mark.filterwarnings("ignore:Key size")
async def test_keys_that_are_weak_or_for_something_else_are_left_out() -> None:
    web = Web()
    weak = RSAKey.generate_key(1024, {"kid": "weak"})
    good, other = (KEYS[number].as_dict(private=False) for number in (0, 1))
    web.keys = [weak.as_dict(private=False), other | {"use": "enc"}, 7, {"kty": "RSA"}, good]  # type: ignore[list-item]
    assert [key.kid for key in (await web.published.last()).keys] == ["first"]
    with pytest.raises(TokenRefused):
        await web.published.key("weak")


async def test_of_two_keys_a_token_has_to_name_one() -> None:
    web = Web()
    assert (await web.published.key(None)).kid == "first"
    web.keys.append(KEYS[1].as_dict(private=False))
    web.now += FRESH_SECONDS + 1
    await web.published.last()
    await web.settled()
    with pytest.raises(TokenRefused):
        await web.published.key(None)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("address", ["http://id.example/keys", "https://id.example:99999/keys", "/keys"])
async def test_a_provider_behind_tls_sends_nobody_where_there_is_none(name: str, address: str) -> None:
    web = Web()
    web.said = {name: address}
    with pytest.raises(CannotTell):
        await web.published.last()
    assert web.asked == (name != "jwks_uri")


async def test_stopping_does_not_wait_for_an_answer() -> None:
    web = Web()
    web.gate.clear()
    waiting = asyncio.create_task(web.published.key("first"))
    await asyncio.sleep(0)
    await web.published.stop()
    with pytest.raises(asyncio.CancelledError):
        await waiting
