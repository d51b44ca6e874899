"""What goes to a broker and comes from it, as another system sees it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import orjson
from aio_pika import Message, connect
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pydantic import SecretStr

from database import Database
from jobs.deliver import Deliverer
from jobs.tell_endpoints import let_broker_listen_once, tell_endpoints_once
from live.ending import end
from messages.broker import BrokerSender
from messages.broker_queue import BrokerQueue, Handle
from messages.post import post_of
from messages.webhooks import WebhookSender
from models.money import to_major
from models.orders import Order
from schema import ids
from settings import Settings
from tests.codes import ENVELOPES

SECONDS_MAX = 60
PAUSES_MILLISECONDS = (20, 40)


def named(settings: Settings, url: str) -> Settings:
    """These settings with a broker at this address, and an exchange that nobody else has."""
    own = {"amqp_url": SecretStr(url), "amqp_exchange": f"rowlock-{uuid4().hex}"}
    return settings.model_copy(update=own)


@dataclass
class System:
    """Another system at the broker, with a queue of its own for what the exchange has."""

    channel: AbstractChannel
    queue: AbstractQueue

    async def got(self, queue: str | None = None) -> AbstractIncomingMessage:
        """The next message, of its own queue or another, within `SECONDS_MAX`."""
        source = await self.channel.get_queue(queue, ensure=False) if queue else self.queue
        async with asyncio.timeout(SECONDS_MAX):
            while (message := await source.get(fail=False)) is None:
                await asyncio.sleep(0.02)
        await message.ack()
        return message

    async def kinds(self, many: int) -> list[str | None]:
        return [(await self.got()).routing_key for _ in range(many)]


@asynccontextmanager
async def system(settings: Settings, key: str = "#") -> AsyncIterator[System]:
    assert settings.amqp_url
    connection = await connect(settings.amqp_url.get_secret_value())
    async with connection, connection.channel() as channel:
        exchange = await channel.declare_exchange(settings.amqp_exchange, "topic", durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, key)
        yield System(channel, queue)


def telling_of(order: Order, total_minor: int | None = None, order_id: UUID | None = None) -> bytes:
    """What a message says of an order that costs so much."""
    amount = str(to_major(order.total_minor if total_minor is None else total_minor, order.currency))
    data = {
        "eventId": ids.event_id(order.event_id),
        "orderId": ids.order_id(order.event_id, order_id or order.id),
        "tickets": [{"id": "tk", "seatId": "se", "price": {"amount": amount, "currency": order.currency}}],
    }
    return orjson.dumps({"type": "ticket.purchased", "version": 1, "data": data})


async def tell(other: System, queue: BrokerQueue, *bodies: bytes, **headers: str) -> None:
    """Put messages into a queue, past the exchange."""
    for body in bodies:
        message = Message(body, message_id="m", type="ticket.purchased", delivery_mode=2, headers={**headers})
        await other.channel.default_exchange.publish(message, queue.name)


async def published(database: Database, settings: Settings) -> int:
    """Tell the broker all that was announced, send what is due, and say how many tries that took."""
    while await tell_endpoints_once(database, ENVELOPES):
        pass
    senders, found = (WebhookSender(settings, database), BrokerSender(settings)), 0
    deliverer = Deliverer(database, ENVELOPES, post_of(settings, database, *senders), round_seconds=60)
    try:
        while tried := await deliverer.deliver_once():
            found += tried // 2
    finally:
        await deliverer.stop()
        for sender in senders:
            await sender.close()
    return found


async def listen(database: Database) -> None:
    """Let the broker be told, as a process does that has one."""
    assert await let_broker_listen_once(database) == 1


class Watched(BrokerQueue):
    """The queue of purchases with short pauses; it counts what was settled."""

    def __init__(self, settings: Settings, handle: Handle) -> None:
        super().__init__(settings, "confirm", "ticket.purchased", handle, PAUSES_MILLISECONDS)
        self.taken = 0

    async def _take(self, channel: AbstractChannel, message: AbstractIncomingMessage) -> None:
        await super()._take(channel, message)
        self.taken += 1

    async def until_taken(self, many: int) -> None:
        async with asyncio.timeout(SECONDS_MAX):
            while self.taken < many:
                await asyncio.sleep(0.01)
        assert self.taken == many

    async def waiting(self, *, dead: bool = False) -> int:
        """How many messages nobody has in hand."""
        async with system(self._settings, "none") as other:
            found = await other.channel.declare_queue(self.dead if dead else self.name, passive=True)
            return found.declaration_result.message_count or 0


@asynccontextmanager
async def consuming(queue: Watched) -> AsyncIterator[Watched]:
    """Consume a queue until the block ends; then whoever consumes it dies."""
    task = asyncio.create_task(queue.run())
    try:
        async with asyncio.timeout(SECONDS_MAX):
            await queue.ready.wait()
        yield queue
    finally:
        await end([task])
