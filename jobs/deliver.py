"""Sends what is due: taken in hand in one transaction, sent in none, settled in another."""

import asyncio
import logging
import random

from asyncpg import Record

from auth.seals import Unreadable
from database import Database
from messages.envelopes import Envelopes
from messages.message import Undeliverable
from messages.post import Post
from models.deliveries import DeliveryState
from steps.deliver import claim_deliveries, put_off_delivery, settle_delivery
from steps.transact import transact

log = logging.getLogger("rowlock.deliver")

DELIVERIES_MAX = 20
SEND_SECONDS_MAX = 20  # well under the time for which a delivery is in hand
ATTEMPTS_MAX = 12
PAUSE_SECONDS_MIN = 2
PAUSE_SECONDS_MAX = 3_600


async def deliver_once(database: Database, envelopes: Envelopes, post: Post) -> int:
    """Try what is due, a bounded number at a time; return how many were tried."""
    due = await transact(database, claim_deliveries, deliveries_max=DELIVERIES_MAX)
    tried = (_deliver(database, envelopes, post, row) for row in due)
    for outcome in await asyncio.gather(*tried, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    return len(due)


async def _deliver(database: Database, envelopes: Envelopes, post: Post, row: Record) -> None:
    name = {"user_id": row["user_id"], "delivery_id": row["id"]}
    try:
        async with asyncio.timeout(SEND_SECONDS_MAX):
            await post.send(envelopes.open(row))
    except Exception as error:  # whatever a provider does, the other deliveries go on
        is_last = isinstance(error, Undeliverable | Unreadable) or row["attempts"] >= ATTEMPTS_MAX
        log.warning(
            "delivery %s by %s, attempt %d%s: %s: %s",
            row["id"],
            row["kind"],
            row["attempts"],
            ", given up" if is_last else "",
            type(error).__name__,
            error,
        )
        if is_last:
            await transact(database, settle_delivery, **name, state=DeliveryState.DEAD)
        else:
            pause = pause_seconds(row["attempts"])
            await transact(database, put_off_delivery, **name, attempts=row["attempts"], seconds=pause)
    else:
        await transact(database, settle_delivery, **name)


def pause_seconds(attempts: int) -> float:
    """How long to wait after so many attempts: twice as long each time, up to an hour, and never in step."""
    longest = min(PAUSE_SECONDS_MIN * 2.0 ** (attempts - 1), PAUSE_SECONDS_MAX)
    return random.uniform(longest / 2, longest)  # noqa: S311
