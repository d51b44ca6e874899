"""Webhooks: messages to other systems over HTTP, signed, and going nowhere else than they were sent."""

import asyncio
import time
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

import httpx2
import orjson
from asyncpg import Record

from auth.outbound import Outbound
from auth.webhook_secrets import WebhookSecrets, signatures
from database import Database
from messages.message import Address, Answer, Message, NotTaken, Text, Undeliverable
from models.columns import new_id
from models.webhook_endpoints import kind_of_endpoint
from settings import Settings

ANSWER_SECONDS_MAX = 10
CONNECTIONS_MAX = 250
EXCERPT_CHARACTERS_MAX = 500

ENDPOINTS = """
    SELECT id, url, secret,
        CASE WHEN old_secret_until > statement_timestamp() THEN old_secret END AS old_secret
    FROM webhook_endpoints WHERE disabled_at IS NULL"""


class WebhookSender:
    """Posts a message to the endpoint whose id it is addressed to; any status of 2xx takes it.

    No redirect is followed and no proxy of the environment asked. An answer is read as far as it is kept.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._database = database
        self._secrets = WebhookSecrets(settings)
        self._looking: asyncio.Task[dict[UUID, Record]] | None = None

    @cached_property
    def _outbound(self) -> Outbound:
        return Outbound(CONNECTIONS_MAX)

    async def send(self, message: Message) -> Answer:
        """Post it. Raises `Undeliverable` where nobody listens any more, `NotTaken` for any other status."""
        endpoint = (await self._endpoints()).get(UUID(message.to.at))
        if endpoint is None:
            raise Undeliverable("the endpoint is disabled")
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            answer = await self._post(self._request(endpoint, message))
        if answer.status // 100 != 2:
            raise NotTaken(answer)
        return answer

    async def _endpoints(self) -> dict[UUID, Record]:
        """All endpoints as they are now; those who ask at the same moment share one look."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look(), name="look at webhook endpoints")
        return await asyncio.shield(self._looking)

    async def _look(self) -> dict[UUID, Record]:
        self._looking = None  # who asks from now on has another look
        return {row["id"]: row for row in await self._database.rows(ENDPOINTS)}

    def _request(self, endpoint: Record, message: Message) -> httpx2.Request:
        body, timestamp = message.text.body.encode(), int(time.time())
        sealed = [secret for secret in (endpoint["secret"], endpoint["old_secret"]) if secret]
        secrets = [self._secrets.open(endpoint["id"], secret) for secret in sealed]
        headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",
            "user-agent": "Rowlock",
            "webhook-id": str(message.id),
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(secrets, message.id, timestamp, body),
        }
        return httpx2.Request("POST", endpoint["url"], headers=headers, content=body)

    async def _post(self, request: httpx2.Request) -> Answer:
        response = await self._outbound.handle_async_request(request)
        try:
            return Answer(response.status_code, await _beginning(response))
        finally:
            await response.aclose()

    async def close(self) -> None:
        if "_outbound" in self.__dict__:
            await self._outbound.aclose()


async def _beginning(response: httpx2.Response) -> str:
    """How an answer begins, as text that can be kept."""
    read = b""
    async for chunk in response.aiter_raw():
        read += chunk
        if len(read) >= EXCERPT_CHARACTERS_MAX:
            break
    return read.decode(errors="replace")[:EXCERPT_CHARACTERS_MAX].replace("\0", "\ufffd")


def trial_message(endpoint_id: UUID) -> Message:
    """A message that says nothing but that messages arrive."""
    id, kind = new_id(), "webhook.test"
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"id": str(id), "type": kind, "version": 1, "timestamp": at, "data": {}}
    address = Address(kind_of_endpoint(endpoint_id), str(endpoint_id))
    return Message(id, address, Text(kind, orjson.dumps(said).decode()))
