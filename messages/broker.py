"""RabbitMQ: what other systems are told, published to a topic exchange and confirmed by it."""

import asyncio
import contextlib
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

import orjson

from messages.message import Message
from settings import Settings, SettingsError

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractMessage

ANSWER_SECONDS_MAX = 10
CLOSE_SECONDS_MAX = 2
HEARTBEAT_SECONDS = 20


class NotKept(Exception):
    """The broker answered, and did not keep the message."""


class BrokerSender:
    """Publishes each message under its kind, and returns when the broker has it in safety.

    It has one connection, opened when it is first needed, and again after it was lost.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None
        require(settings)

    async def send(self, message: Message) -> None:
        """Publish it, within `ANSWER_SECONDS_MAX`. Raises what went wrong; it may be tried again."""
        from aio_pika.exceptions import DeliveryError

        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                exchange = await self._opened()
                await exchange.publish(_published(message), message.text.subject, mandatory=False)
        except DeliveryError:
            raise NotKept("a queue of the broker is full, or it cannot write") from None
        except BaseException:
            await self._close()
            raise

    async def answers(self) -> bool:
        """Say whether the broker answers and has our exchange, which is made if need be. Raises if not."""
        try:
            await (await self._opened()).declare()
        except BaseException:
            await self._close()
            raise
        return True

    async def close(self) -> None:
        await self._close()

    async def _opened(self) -> "AbstractExchange":
        async with self._opening:
            if self._exchange is None or self._channel is None or self._channel.is_closed:
                await self._close()
                self._connection = await connected(self._settings)
                self._channel = await self._connection.channel()
                self._exchange = await declared_exchange(self._channel, self._settings)
            return self._exchange

    async def _close(self) -> None:
        """Let go of the connection; whoever uses it too finds out, and tries again on another."""
        connection, self._connection, self._exchange = self._connection, None, None
        if connection:
            await let_go(connection)


def require(settings: Settings) -> None:
    """Raise `SettingsError` when a broker is named and what speaks with it is not installed."""
    if settings.amqp_url and find_spec("aio_pika") is None:
        raise SettingsError("AMQP_URL: RabbitMQ needs aio-pika; install `rowlock[amqp]`, or unset it.")


async def connected(settings: Settings) -> "AbstractConnection":
    """A connection of one's own, to be let go of."""
    from aio_pika import connect

    assert settings.amqp_url, "whoever speaks with a broker has one"
    url = settings.amqp_url.get_secret_value()
    return await connect(url, timeout=ANSWER_SECONDS_MAX, heartbeat=HEARTBEAT_SECONDS)


async def let_go(connection: "AbstractConnection") -> None:
    """Close a connection, whatever state it is in, within `CLOSE_SECONDS_MAX`."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(CLOSE_SECONDS_MAX):
            await connection.close()


async def declared_exchange(channel: "AbstractChannel", settings: Settings) -> "AbstractExchange":
    from aio_pika import ExchangeType

    return await channel.declare_exchange(settings.amqp_exchange, ExchangeType.TOPIC, durable=True)


def _published(message: Message) -> "AbstractMessage":
    from aio_pika import DeliveryMode
    from aio_pika import Message as Published

    body = message.text.body.encode()
    return Published(
        body,
        message_id=str(message.id),
        type=message.text.subject,
        timestamp=datetime.fromisoformat(orjson.loads(body)["timestamp"]),
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        app_id="rowlock",
    )
