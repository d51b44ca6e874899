"""A queue of ours at the broker: what fails is tried again, later each time, and in the end put aside."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from messages.broker import connected, declared_exchange, let_go
from settings import Settings

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

log = logging.getLogger("rowlock.broker")

PAUSES_MILLISECONDS = (2_000, 8_000, 32_000, 128_000, 512_000, 2_048_000)
"""How long a message waits after each failure; after the last pause and one more failure it is dead."""

IN_HAND_MAX = 10
DELIVERIES_MAX = 20
"""How often the broker gives out a message that nobody settles: it may be what kills us."""

HANDLE_SECONDS_MAX = 60
AGAIN_SECONDS_MIN = 0.5
AGAIN_SECONDS_MAX = 30.0
WHY_CHARACTERS_MAX = 500

FAILURES, WHY = "x-rowlock-failures", "x-rowlock-reason"
"""The headers that say how often a message failed, and why the last time."""

Handle = Callable[[bytes], Awaitable[None]]


class Hopeless(Exception):
    """There is no use in trying this message again; the sentence says why."""


class BrokerQueue:
    """Handles what the exchange has under a key, each message at least once and several at a time.

    A message is acknowledged when it was handled, or is kept elsewhere: in a queue whose time to live is the
    pause, from where the broker puts it back, or in `<name>.dead`. All of them are quorum queues: the broker
    has what it took in safety, also on its way between them.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        key: str,
        handle: Handle,
        pauses_milliseconds: Sequence[int] = PAUSES_MILLISECONDS,
    ) -> None:
        self._settings = settings
        self.name = f"{settings.amqp_exchange}.{name}"
        self._key = key
        self._handle = handle
        self._pauses_milliseconds = pauses_milliseconds
        self.ready = asyncio.Event()
        """Set once the queue is there: from then on nothing is published past it."""

    @property
    def dead(self) -> str:
        return f"{self.name}.dead"

    def _retry(self, pause_milliseconds: int) -> str:
        return f"{self.name}.retry.{pause_milliseconds}"

    async def run(self) -> NoReturn:
        """Go on until cancelled; when the broker is away, come back as soon as it does."""
        again_seconds = AGAIN_SECONDS_MIN
        while True:
            try:
                await self._consume()
                again_seconds = AGAIN_SECONDS_MIN
                log.warning("%s: the broker went away", self.name)
            except Exception as error:  # whatever the broker does, it is asked again
                log.warning("%s cannot be consumed: %s: %s", self.name, type(error).__name__, error)
            await asyncio.sleep(again_seconds)
            again_seconds = min(2 * again_seconds, AGAIN_SECONDS_MAX)

    async def _consume(self) -> None:
        """Take what comes until the connection, the channel or the queue is lost."""
        connection = await connected(self._settings)
        try:
            channel = await connection.channel(on_return_raises=True)
            await channel.set_qos(IN_HAND_MAX)
            await self._declare(channel)
            queue = await channel.get_queue(self.name, ensure=False)
            lost = asyncio.Event()
            underneath: Any = await channel.get_underlay_channel()
            underneath.on_consumer_cancel_callbacks.add(lambda _: lost.set())
            channel.close_callbacks.add(lambda *_: lost.set())
            await queue.consume(partial(self._take, channel))
            await lost.wait()
        finally:
            await let_go(connection)

    async def _declare(self, channel: "AbstractChannel") -> None:
        exchange = await declared_exchange(channel, self._settings)
        await channel.declare_queue(self.dead, durable=True, arguments=_QUORUM)
        to_dead = _handing_on(self.dead) | {"x-delivery-limit": DELIVERIES_MAX}
        queue = await channel.declare_queue(self.name, durable=True, arguments=to_dead)
        for pause in self._pauses_milliseconds:
            back = _handing_on(self.name) | {"x-message-ttl": pause}
            await channel.declare_queue(self._retry(pause), durable=True, arguments=back)
        await queue.bind(exchange, self._key)
        self.ready.set()

    async def _take(self, channel: "AbstractChannel", message: "AbstractIncomingMessage") -> None:
        """Handle a message and settle it; if that fails too, the broker gives it out again."""
        try:
            try:
                async with asyncio.timeout(HANDLE_SECONDS_MAX):
                    await self._handle(message.body)
            except Exception as error:  # whatever a message does, the others are handled
                await self._put_aside(channel, message, error)
            await message.ack()
        except Exception as error:
            log.warning("%s: message %s was not settled: %s", self.name, message.message_id, error)
            await channel.close()

    async def _put_aside(
        self, channel: "AbstractChannel", message: "AbstractIncomingMessage", error: Exception
    ) -> None:
        """Keep a copy where it waits for its next try, or with the dead letters, confirmed by the broker."""
        from aio_pika import DeliveryMode, Message

        failures = _failures(message) + 1
        is_last = isinstance(error, Hopeless) or failures > len(self._pauses_milliseconds)
        why = str(error) if isinstance(error, Hopeless) else f"{type(error).__name__}: {error}"
        log.warning(
            "%s: message %s, failure %d%s: %s",
            self.name,
            message.message_id,
            failures,
            ", given up" if is_last else "",
            why,
        )
        copy = Message(
            message.body,
            headers={FAILURES: failures, WHY: why[:WHY_CHARACTERS_MAX]},
            message_id=message.message_id,
            type=message.type,
            timestamp=message.timestamp,
            content_type=message.content_type,
            app_id=message.app_id,
            delivery_mode=DeliveryMode.PERSISTENT,
        )
        to = self.dead if is_last else self._retry(self._pauses_milliseconds[failures - 1])
        await channel.default_exchange.publish(copy, to, timeout=HANDLE_SECONDS_MAX)


_QUORUM: dict[str, Any] = {"x-queue-type": "quorum"}


def _handing_on(queue: str) -> dict[str, Any]:
    """A queue that hands on to another what it does not keep, and forgets it when that has it."""
    return _QUORUM | {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def _failures(message: "AbstractIncomingMessage") -> int:
    """How often a message failed; a header that others made up counts for nothing."""
    failures = message.headers.get(FAILURES)
    return failures if isinstance(failures, int) and failures > 0 else 0
