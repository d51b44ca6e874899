"""Stripe: PaymentIntents, by its own library."""

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from stripe import HTTPXClient, InvalidRequestError, PaymentIntent, StripeClient, StripeError

from models.payments import Payment, ProviderName, Refund
from payments.events import METADATA, news_of, read_event
from payments.provider import News, ProviderAway, RefundNews, Said

OUR_REFUND = "rowlock_refund"
SAID = {"succeeded": Said.SUCCEEDED, "pending": Said.WAITING, "requires_action": Said.WAITING}
REFUNDS_LISTED_MAX = 100

API_VERSION = "2026-10-28.endive"
ANSWER_SECONDS_MAX = 10
RETRIES_MAX = 2


class StripeProvider:
    """Takes cards by Stripe. `url` is where its API is; another one is a stand-in."""

    name = ProviderName.STRIPE

    def __init__(self, secret_key: str, webhook_secret: str, url: str | None = None) -> None:
        self._webhook_secret = webhook_secret
        self._http = HTTPXClient(timeout=ANSWER_SECONDS_MAX)
        self._client = StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            http_client=self._http,
            max_network_retries=RETRIES_MAX,
            base_addresses={"api": url} if url else None,
        )
        self._intents = self._client.v1.payment_intents
        self._refunds = self._client.v1.refunds

    async def begin(self, payment: Payment) -> News:
        params: Any = {
            "amount": payment.amount_minor,
            "currency": payment.currency.lower(),
            "payment_method_types": ["card"],  # others may take days, and a hold does not
            "metadata": dict(zip(METADATA, (str(payment.user_id), str(payment.id)), strict=True)),
        }
        return await _news(self._intents.create_async(params, {"idempotency_key": str(payment.id)}))

    async def ask(self, reference: str) -> News:
        return await _news(self._intents.retrieve_async(reference))

    async def cancel(self, reference: str) -> News:
        with asking(), suppress(InvalidRequestError):  # it may have been paid a moment before
            await self._intents.cancel_async(reference)
        return await self.ask(reference)

    async def refund(self, refund: Refund, reference: str) -> RefundNews:
        # Stripe forgets an idempotency key after a day; what bears our id it does not.
        listing: Any = {"payment_intent": reference, "limit": REFUNDS_LISTED_MAX}
        params: Any = {
            "payment_intent": reference,
            "amount": refund.amount_minor,
            "metadata": {OUR_REFUND: str(refund.id)},
        }
        with asking():
            listed = (await self._refunds.list_async(listing)).data
            ours = [one for one in listed if _is_ours(one.to_dict(), refund)]
            made = ours or [await self._refunds.create_async(params, {"idempotency_key": str(refund.id)})]
        return RefundNews(made[0].id, SAID.get(made[0].status or "", Said.FAILED))

    def hear(self, body: bytes, signature: str | None) -> News | None:
        return read_event(body, signature, self._webhook_secret)

    async def close(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]


@contextmanager
def asking() -> Iterator[None]:
    """Tell every way in which Stripe does not answer as the one that the house knows."""
    try:
        yield
    except StripeError as error:
        raise ProviderAway(f"Stripe: {type(error).__name__}, status {error.http_status}") from error


def _is_ours(made: Mapping[str, Any], refund: Refund) -> bool:
    return (made.get("metadata") or {}).get(OUR_REFUND) == str(refund.id)


async def _news(answer: Awaitable[PaymentIntent]) -> News:
    with asking():
        news = news_of((await answer).to_dict())
    if news is None:
        raise ProviderAway("Stripe: this is none of our payments")
    return news
