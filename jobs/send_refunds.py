"""Sends what is owed to a card by the provider, until the provider says that it is paid."""

import asyncio
import logging

from asyncpg import Record

from database import Database
from payments.provider import Provider, ProviderAway, RefundNews, Said
from steps.refunds import claim_refunds, refund_of, settle_refund
from steps.transact import transact

log = logging.getLogger("rowlock.refunds")

REFUNDS_MAX = 20
ASK_SECONDS_MAX = 60


async def send_refunds_once(database: Database, provider: Provider | None) -> int:
    """Send refunds that are due, at most 20 at a time; return how many were sent."""
    if provider is None:
        return 0
    due = await transact(database, claim_refunds, provider=provider.name, refunds_max=REFUNDS_MAX)
    await asyncio.gather(*(_send(database, provider, row) for row in due))
    return len(due)


async def _send(database: Database, provider: Provider, row: Record) -> None:
    if row["paid_by"] is None:  # an ADMIN said that it was paid, of which the provider knows nothing
        news = RefundNews(None, Said.FAILED)
        await transact(database, settle_refund, user_id=row["user_id"], refund_id=row["id"], news=news)
        return
    try:
        async with asyncio.timeout(ASK_SECONDS_MAX):
            news = await provider.refund(refund_of(row), row["paid_by"])
    except (ProviderAway, TimeoutError) as error:
        log.warning("refund %s: the provider does not answer: %s", row["id"], error)
        return
    await transact(database, settle_refund, user_id=row["user_id"], refund_id=row["id"], news=news)
