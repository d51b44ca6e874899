"""Confirms purchases that the broker tells of: the payment is validated, and the buyer gets a mail."""

import asyncio
from typing import Any

from database import Database
from jobs.tell_people import tell_people_once
from messages.broker_queue import BrokerQueue, Hopeless
from messages.envelopes import Envelopes
from models.announcements import AnnouncementKind
from payments.provider import Provider
from schema.purchases import NotAPurchase, Purchase, purchase_in
from settings import Settings
from steps.check_purchase import Checked, check_purchase
from steps.notify_of_purchase import notify_of_purchase
from steps.refusals import RefusalCode, Refused
from steps.settle import settle_payment
from steps.transact import transact

ASK_SECONDS_MAX = 30


class NotPaidYet(Exception):
    """Nobody has paid the order so far; that may come."""


class Confirmer:
    """Does for each purchase what is still to be done for it; usually that is nothing but to look."""

    def __init__(
        self, settings: Settings, database: Database, provider: Provider | None, envelopes: Envelopes
    ) -> None:
        self._database = database
        self._envelopes = envelopes
        self._provider = provider
        self._terms: dict[str, Any] = {
            "seats_per_buyer_max": settings.seats_per_buyer_max,
            "envelopes": envelopes,
        }

    async def confirm(self, body: bytes) -> None:
        """Confirm a purchase, and see to its mail. Once more changes nothing.

        Raises `Hopeless` for what is no valid purchase, and anything else for what may pass by itself.
        """
        try:
            purchase = purchase_in(body)
            checked = await self._check(purchase)
            if checked.ask:
                await self._settle(checked.ask)
                checked = await self._check(purchase)
        except NotAPurchase as error:
            raise Hopeless(str(error)) from None
        except Refused as refused:
            if refused.code is RefusalCode.BUSY:
                raise
            raise Hopeless(str(refused)) from None
        if not checked.is_paid:
            raise NotPaidYet("nobody has paid the order so far")
        names = {"event_id": purchase.event_id, "order_id": purchase.order_id}
        buyer_id = checked.order.buyer_id
        if not await transact(self._database, notify_of_purchase, buyer_id=buyer_id, **names):
            await tell_people_once(self._database, self._envelopes)

    async def _check(self, purchase: Purchase) -> Checked:
        return await transact(self._database, check_purchase, **vars(purchase))

    async def _settle(self, reference: str) -> None:
        """Ask the provider what became of a payment, and take it into the books."""
        if self._provider is None:
            return
        async with asyncio.timeout(ASK_SECONDS_MAX):
            news = await self._provider.ask(reference)
        terms = {"provider": self._provider.name, "news": news, **self._terms}
        await transact(self._database, settle_payment, **terms)


def purchases_of(settings: Settings, confirmer: Confirmer) -> BrokerQueue:
    """The queue of all purchases."""
    return BrokerQueue(settings, "confirm", AnnouncementKind.TICKET_PURCHASED, confirmer.confirm)
