"""A provider that only plays: it ships, keeps its own table, and speaks Stripe's language at the webhook."""

import hashlib
import hmac
import time
from typing import Any

import orjson
from stripe import WebhookSignature

from database import Database
from models.columns import new_id
from models.payments import Payment, ProviderName, Refund
from payments.events import METADATA, news_of, read_event
from payments.provider import News, ProviderAway, RefundNews, Said

BEGIN = """
    INSERT INTO simulated_payments (reference, user_id, payment_id, amount_minor, currency, status)
    VALUES ($1, $2, $3, $4, $5, 'requires_payment_method')
    ON CONFLICT (reference) DO UPDATE SET reference = excluded.reference RETURNING *"""
CHANGE = """
    UPDATE simulated_payments SET status = $2
    WHERE reference = $1 AND status NOT IN ('succeeded', 'canceled')"""
REFUND = """
    INSERT INTO simulated_refunds (reference, payment_reference, amount_minor) VALUES ($1, $2, $3)
    ON CONFLICT (reference) DO NOTHING"""
FIND = "SELECT * FROM simulated_payments WHERE reference = $1"
DECLINED = {"message": "The card was declined."}


class SimulatedProvider:
    """Takes no money. A person plays the customer, with `rowlock pay-card`."""

    name = ProviderName.SIMULATED

    def __init__(self, database: Database, secret_key: str) -> None:
        self._database = database
        self._secret = secret_key

    async def begin(self, payment: Payment) -> News:
        row = (f"pi_simulated_{payment.id.hex}", payment.user_id, payment.id)
        async with self._database.transaction() as tx:
            begun = await tx.row(BEGIN, *row, payment.amount_minor, payment.currency)
        return _news(self._intent(begun))

    async def ask(self, reference: str) -> News:
        return _news(self._intent(await self._find(reference)))

    async def cancel(self, reference: str) -> News:
        return await self.play(reference, "canceled")

    async def refund(self, refund: Refund, reference: str) -> RefundNews:
        name = f"re_simulated_{refund.id.hex}"
        async with self._database.transaction() as tx:
            await tx.rows(REFUND, name, reference, refund.amount_minor)
        return RefundNews(name, Said.SUCCEEDED)

    def hear(self, body: bytes, signature: str | None) -> News | None:
        return read_event(body, signature, self._keyed("webhook"))

    async def close(self) -> None:
        """It has no connections of its own."""

    async def play(self, reference: str, status: str) -> News:
        """What the customer does: the intent's next status, unless it has had its last."""
        async with self._database.transaction() as tx:
            await tx.rows(CHANGE, reference, status)
        return await self.ask(reference)

    async def reference_of(self, client_secret: str) -> str | None:
        """The payment that a client secret is for, if there is one."""
        reference = client_secret.partition("_secret_")[0]
        rows = await self._database.rows(FIND, reference)
        known = rows and hmac.compare_digest(self._client_secret(reference), client_secret)
        return reference if known else None

    async def event(self, reference: str) -> tuple[bytes, str]:
        """The event that tells of a payment as it is now, and the signature that goes with it."""
        intent = self._intent(await self._find(reference))
        kind = {"succeeded": "succeeded", "canceled": "canceled"}.get(intent["status"], "payment_failed")
        event = {
            "id": f"evt_simulated_{new_id().hex}",
            "object": "event",
            "type": f"payment_intent.{kind}",
            "created": int(time.time()),
            "data": {"object": intent},
        }
        body = orjson.dumps(event)
        return body, WebhookSignature.generate_signature_header(body.decode(), self._keyed("webhook"))

    async def _find(self, reference: str) -> Any:
        rows = await self._database.rows(FIND, reference)
        if not rows:
            raise ProviderAway("the simulated provider has no such payment")
        return rows[0]

    def _intent(self, row: Any) -> dict[str, Any]:
        status, ids = row["status"], (row["user_id"], row["payment_id"])
        return {
            "id": row["reference"],
            "object": "payment_intent",
            "status": "requires_payment_method" if status == "failed" else status,
            "amount": row["amount_minor"],
            "amount_received": row["amount_minor"] if status == "succeeded" else 0,
            "currency": row["currency"].lower(),
            "client_secret": self._client_secret(row["reference"]),
            "last_payment_error": DECLINED if status == "failed" else None,
            "metadata": dict(zip(METADATA, map(str, ids), strict=True)),
        }

    def _client_secret(self, reference: str) -> str:
        return f"{reference}_secret_{self._keyed(reference)[:24]}"

    def _keyed(self, purpose: str) -> str:
        return hmac.new(self._secret.encode(), f"simulated {purpose}".encode(), hashlib.sha256).hexdigest()


def _news(intent: dict[str, Any]) -> News:
    news = news_of(intent)
    assert news is not None, "its payments are all ours"
    return news
