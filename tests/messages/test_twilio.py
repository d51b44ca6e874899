"""SMS by Twilio, to a stand-in that speaks its language over real HTTP."""

import base64
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest

from database import Database
from messages.message import Address, Draft, NotTaken, Undeliverable
from messages.post import Post, post_of
from models.deliveries import DeliveryKind
from settings import Mode, Settings, read_settings
from tests.receiving import Receiver, receiving

ACCOUNT = "AC" + "0" * 32
TAKEN = '{"sid": "SM1", "status": "queued", "body": "123456"}'
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


def code() -> Draft:
    facts = {"purpose": "PURCHASE", "code": "123456", "minutes": 5}
    return Draft(Address(DeliveryKind.SMS, "+4930123456"), "de", "code", facts)


def settings_for(receiver: Receiver, **changes: str) -> Settings:
    """A production server's, with this stand-in for Twilio."""
    given = {
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": "token",
        "twilio_from": "+15005550006",
        "twilio_url": receiver.url.removesuffix(PATH),
    }
    return read_settings(**(given | changes)).model_copy(update={"mode": Mode.PRODUCTION})


@pytest.fixture
async def twilio() -> AsyncIterator[Receiver]:
    async with receiving(PATH) as receiver:
        receiver.status, receiver.text = 201, TAKEN
        yield receiver


@pytest.fixture
async def post(database: Database, twilio: Receiver) -> AsyncIterator[Post]:
    post = post_of(settings_for(twilio), database)
    yield post
    await post.close()


async def test_an_sms_is_handed_over_as_twilio_wants_it(post: Post, twilio: Receiver) -> None:
    answer = await post.send(code())
    assert answer is not None
    assert (answer.status, answer.excerpt) == (201, "")  # what Twilio repeats of the code is not kept
    ((headers, body),) = twilio.got
    said = "Rowlock: 123456 ist Ihr Code für Ihre Bestellung, gültig 5 Minuten."
    assert parse_qs(body.decode()) == {"To": ["+4930123456"], "From": ["+15005550006"], "Body": [said]}
    assert headers["authorization"] == "Basic " + base64.b64encode(f"{ACCOUNT}:token".encode()).decode()


async def test_a_messaging_service_chooses_the_number(database: Database, twilio: Receiver) -> None:
    service = "MG" + "1" * 32
    post = post_of(settings_for(twilio, twilio_from=service), database)
    await post.send(code())
    said = parse_qs(twilio.got[0][1].decode())
    assert (said["MessagingServiceSid"], "From" in said) == ([service], False)
    await post.close()


@pytest.mark.parametrize("error", [21211, 21610, 21614])
async def test_a_number_that_cannot_get_any_is_never_tried_again(
    post: Post, twilio: Receiver, error: int
) -> None:
    twilio.status, twilio.text = 400, f'{{"code": {error}, "message": "+4930123456 is not good"}}'
    with pytest.raises(Undeliverable) as problem:
        await post.send(code())
    assert str(problem.value) == f"Twilio does not take it: error {error}"


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_what_may_pass_is_tried_again(post: Post, twilio: Receiver, status: int) -> None:
    twilio.status, twilio.text = status, "no JSON"
    with pytest.raises(NotTaken) as problem:
        await post.send(code())
    assert problem.value.answer.status == status
