"""SMS by Twilio's Messages API."""

import asyncio
from functools import cached_property

import httpx2

from auth.outbound import Outbound
from messages.message import Answer, Message, NotTaken, Undeliverable
from settings import Settings

API = "https://api.twilio.com"
ANSWER_SECONDS_MAX = 10
CONNECTIONS_MAX = 20
EXCERPT_CHARACTERS_MAX = 500
OF_A_MESSAGING_SERVICE = "MG"


class TwilioSender:
    """Hands an SMS to Twilio, which takes it in hand with a status of 2xx.

    Twilio has no idempotency key: where an answer is lost, the SMS may come twice.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.twilio_account_sid
        assert settings.twilio_auth_token
        assert settings.twilio_from
        account = settings.twilio_account_sid
        self._url = f"{settings.twilio_url or API}/2010-04-01/Accounts/{account}/Messages.json"
        self._auth = httpx2.BasicAuth(account, settings.twilio_auth_token.get_secret_value())
        of_service = settings.twilio_from.startswith(OF_A_MESSAGING_SERVICE)
        self._sent_from = {"MessagingServiceSid" if of_service else "From": settings.twilio_from}

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=Outbound(CONNECTIONS_MAX), auth=self._auth, headers={"accept-encoding": "identity"}
        )

    async def send(self, message: Message) -> Answer:
        """Hand it over. Raises `Undeliverable` for a number or text that is never taken, else `NotTaken`."""
        form = {"To": message.to.at, "Body": message.text.body, **self._sent_from}
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            response = await self._client.post(self._url, data=form)
        answer = Answer(response.status_code, response.text[:EXCERPT_CHARACTERS_MAX].replace("\0", "\ufffd"))
        if response.is_success:
            return Answer(answer.status, "")  # it has the text, which may be a code
        if response.status_code == 400:
            # A 400 says that this number or this text is not taken. Twilio asks not to read more into codes.
            raise Undeliverable(f"Twilio does not take it: {_code(response)}")
        raise NotTaken(answer)

    async def close(self) -> None:
        if "_client" in self.__dict__:
            await self._client.aclose()


def _code(response: httpx2.Response) -> str:
    try:
        return f"error {response.json()['code']}"
    except (ValueError, KeyError, TypeError):
        return "no error code"
