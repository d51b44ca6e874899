"""The payment provider's webhook: what became of a payment.

    POST /webhooks/stripe

200 says that it is taken in, or nothing for us; after anything else the provider sends it again.
"""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse

from payments.provider import WebhookRefused
from schema.context import House
from steps.refusals import Refused
from steps.settle import settle_payment
from steps.transact import Unavailable, transact

BODY_BYTES_MAX = 256 * 1024
BODY_SECONDS_MAX = 10


async def stripe_webhook(request: Request) -> JSONResponse:
    """Settle the payment that a signed event speaks of; the same event again changes nothing."""
    house: House = request.app.state.house
    if house.provider is None:
        return _no(404, "No payment provider is set.")
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            body = await _body(request)
    except TimeoutError:
        return _no(408, f"A request has to be here within {BODY_SECONDS_MAX} seconds.")
    if body is None:
        return _no(413, f"An event has at most {BODY_BYTES_MAX:,} bytes.")
    try:
        news = house.provider.hear(body, request.headers.get("stripe-signature"))
        if news is not None:
            await transact(
                house.database,
                settle_payment,
                provider=house.provider.name,
                news=news,
                seats_per_buyer_max=house.settings.seats_per_buyer_max,
                envelopes=house.codes.envelopes,
            )
    except WebhookRefused as refused:
        return _no(400, str(refused))
    except (Refused, Unavailable) as error:
        return _no(503, str(error))
    return JSONResponse({"received": True})


async def _body(request: Request) -> bytes | None:
    """The raw body, or None as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


def _no(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)
