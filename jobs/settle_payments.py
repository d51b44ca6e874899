"""Asks the provider about payments that nobody has settled: webhooks get lost, and processes die."""

import asyncio
import logging
from typing import Any

from asyncpg import Record

from database import Database
from messages.envelopes import Envelopes
from models.layouts import SEATS_PER_EVENT_MAX
from payments.provider import Provider, ProviderAway
from steps.settle import abandon_payment, claim_payments, settle_payment
from steps.transact import transact

log = logging.getLogger("rowlock.settle")

PAYMENTS_MAX = 20
ASK_SECONDS_MAX = 60


async def settle_payments_once(
    database: Database,
    provider: Provider | None,
    seats_per_buyer_max: int = SEATS_PER_EVENT_MAX,
    envelopes: Envelopes | None = None,
) -> int:
    """Ask about payments that are overdue, at most 20 at a time; return how many were asked about.

    A top-up that was not paid within a day, and an order's payment that was not while it was held, is
    cancelled, so that it cannot be paid any more.
    """
    if provider is None:
        return 0
    due = await transact(database, claim_payments, provider=provider.name, payments_max=PAYMENTS_MAX)
    terms = {"seats_per_buyer_max": seats_per_buyer_max, "envelopes": envelopes}
    await asyncio.gather(*(_settle(database, provider, row, terms) for row in due))
    return len(due)


async def _settle(database: Database, provider: Provider, row: Record, terms: dict[str, Any]) -> None:
    reference: str | None = row["provider_reference"]
    if reference is None:
        await transact(database, abandon_payment, user_id=row["user_id"], payment_id=row["id"])
        return
    try:
        async with asyncio.timeout(ASK_SECONDS_MAX):
            news = await (provider.cancel if row["is_old"] else provider.ask)(reference)
    except (ProviderAway, TimeoutError) as error:
        log.warning("payment %s: the provider does not answer: %s", row["id"], error)
        return
    await transact(database, settle_payment, provider=provider.name, news=news, **terms)
