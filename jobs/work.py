"""All that happens by itself: a server does it beside its requests, a worker does nothing else."""

import asyncio
import signal
import sys
from contextlib import suppress
from functools import partial

from database import Database
from jobs.confirm_purchases import Confirmer, purchases_of
from jobs.deliver import Deliverer
from jobs.fail_transfers import fail_transfers_once
from jobs.forget_carts import forget_carts_once
from jobs.forget_codes import forget_codes_once
from jobs.forget_deliveries import forget_deliveries_once
from jobs.forget_keys import forget_keys_once
from jobs.forget_notifications import forget_notifications_once
from jobs.forget_sessions import forget_sessions_once
from jobs.loop import Job, Jobs
from jobs.refund_cancelled import refund_cancelled_once
from jobs.relay import Relay, trim_changes_once
from jobs.release_holds import release_holds_once
from jobs.send_refunds import send_refunds_once
from jobs.settle_payments import settle_payments_once
from jobs.tell_endpoints import forget_announcements_once, let_broker_listen_once, tell_endpoints_once
from jobs.tell_people import tell_people_once
from live.bus import Bus
from live.ending import end
from live.news import News
from messages.broker import BrokerSender
from messages.envelopes import Envelopes
from messages.post import post_of
from messages.webhooks import WebhookSender
from observing import tracing
from payments.providers import provider_of
from settings import Settings

RELEASE_SECONDS = 1.0
DELIVER_SECONDS = 0.5
TELL_PAUSE_SECONDS = 0.2  # letters are written no faster than they can be sent
SETTLE_SECONDS = 30.0
REFUND_SECONDS = 5.0
CANCELLED_SECONDS = 2.0
TIDY_SECONDS = 300.0
QUEUE_SECONDS_MAX = 10.0
SHARE_BESIDE = 0.25
"""For how much of the time letters are written beside servers; a worker by itself writes all the time."""


class Work:
    """The jobs of one process. The relay runs in each, since each knows best what it has just committed.

    `letters_share` is for how much of the time letters are written, on processors that others need.
    """

    def __init__(
        self, settings: Settings, database: Database, bus: Bus, letters_share: float = SHARE_BESIDE
    ) -> None:
        self.relay = Relay(database, bus)
        database.on_commit = self.relay.wake
        self.provider = provider_of(settings, database)
        self._webhooks = WebhookSender(settings, database)
        envelopes = Envelopes(settings)
        self.purchases = purchases_of(settings, Confirmer(settings, database, self.provider, envelopes))
        self.broker = BrokerSender(settings) if settings.amqp_url else None
        self._post = post_of(settings, database, self._webhooks, self.broker, letters_share)
        self._deliverer = Deliverer(database, envelopes, self._post)
        jobs = [self.relay.job]
        if settings.jobs_in_server:
            terms = (settings.seats_per_buyer_max, envelopes)
            tell_people = partial(tell_people_once, database, envelopes)
            settle = partial(settle_payments_once, database, self.provider, *terms)
            jobs += [
                Job("release holds", partial(release_holds_once, database), RELEASE_SECONDS),
                Job("fail transfers", partial(fail_transfers_once, database), RELEASE_SECONDS),
                Job("tell endpoints", partial(tell_endpoints_once, database, envelopes), DELIVER_SECONDS),
                Job("tell people", tell_people, DELIVER_SECONDS, TELL_PAUSE_SECONDS),
                Job("deliver", self._deliverer.deliver_once, DELIVER_SECONDS),
                Job("settle payments", settle, SETTLE_SECONDS),
                Job("send refunds", partial(send_refunds_once, database, self.provider), REFUND_SECONDS),
                Job("refund cancelled", partial(refund_cancelled_once, database), CANCELLED_SECONDS),
                Job("trim the change log", partial(trim_changes_once, database), TIDY_SECONDS),
                Job("forget idempotency keys", partial(forget_keys_once, database), TIDY_SECONDS),
                Job("forget sessions", partial(forget_sessions_once, database), TIDY_SECONDS),
                Job("forget carts", partial(forget_carts_once, database), TIDY_SECONDS),
                Job("forget codes", partial(forget_codes_once, database), TIDY_SECONDS),
                Job("forget notifications", partial(forget_notifications_once, database), TIDY_SECONDS),
                Job("forget announcements", partial(forget_announcements_once, database), TIDY_SECONDS),
                Job("forget deliveries", partial(forget_deliveries_once, database), TIDY_SECONDS),
            ]
            if self.broker:
                jobs.append(
                    Job("let the broker listen", partial(let_broker_listen_once, database), TIDY_SECONDS)
                )
        self._jobs = Jobs(jobs)

    async def start(self) -> None:
        await self._jobs.start()

    async def stop(self) -> None:
        await self._jobs.stop()
        await self._deliverer.stop()
        await self._post.close()
        await self._webhooks.close()
        if self.broker:
            await self.broker.close()
        if self.provider:
            await self.provider.close()


async def run_worker(settings: Settings, *, confirms: bool = False, is_beside: bool = False) -> None:
    """Do the jobs, and perhaps confirm purchases that the broker tells of, until SIGINT or SIGTERM.

    A worker beside servers goes on until its standard input ends.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stop.set)
    if is_beside:
        loop.add_reader(sys.stdin, stop.set)
    database, bus = Database(settings), Bus(settings.redis_url)
    news = News(bus)
    database.on_touched = news.tell
    settings = settings.model_copy(update={"jobs_in_server": True})
    work = Work(settings, database, bus, SHARE_BESIDE if is_beside else 1)
    await bus.start()
    await news.start()
    confirming = [asyncio.create_task(work.purchases.run(), name="confirm purchases")] if confirms else []
    if confirming:
        with suppress(TimeoutError):  # what it publishes itself is not to be missed
            async with asyncio.timeout(QUEUE_SECONDS_MAX):
                await work.purchases.ready.wait()
    await work.start()
    await stop.wait()
    if is_beside:
        loop.remove_reader(sys.stdin)
    await end(confirming)
    await work.stop()
    await news.stop()
    await bus.stop()
    await database.close()
    await tracing.stop()
