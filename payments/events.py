"""Events as Stripe writes and signs them, which the simulated provider does too."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from stripe import SignatureVerificationError, WebhookSignature

from payments.provider import News, Said, WebhookRefused

TOLERANCE_SECONDS = 300
CLIENT_SECRET, METADATA = "client_secret", ("rowlock_user", "rowlock_payment")
EVENTS = {
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
}


def read_event(body: bytes, signature: str | None, secret: str) -> News | None:
    """What a signed event says about one of our payments; None for all that is not about one.

    The signature is over the raw body and its time, which may be 5 minutes off, before or after ours.
    """
    try:
        WebhookSignature.verify_header(body, signature, secret, TOLERANCE_SECONDS)
    except (SignatureVerificationError, UnicodeDecodeError):
        raise WebhookRefused("The signature is missing, wrong or too old.") from None
    if signed_at(signature or "") > time.time() + TOLERANCE_SECONDS:
        raise WebhookRefused("The signature is from the future.")
    try:
        event = orjson.loads(body)
        kind, intent = event["type"], event["data"]["object"]
        return news_of(intent, kind) if kind in EVENTS else None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WebhookRefused("This is not an event as Stripe writes them.") from None


def signed_at(signature: str) -> int:
    """The first time that a signature's header names, which is the one that is signed."""
    times = [part.partition("=")[2] for part in signature.split(",") if part.startswith("t=")]
    return int(times[0])


def news_of(intent: Mapping[str, Any], kind: str = "") -> News | None:
    """What a PaymentIntent says; None if it is none that we have begun."""
    metadata = intent.get("metadata") or {}
    if not all(name in metadata for name in METADATA):
        return None
    failure = intent.get("last_payment_error") or {}
    return News(
        user_id=UUID(metadata[METADATA[0]]),
        payment_id=UUID(metadata[METADATA[1]]),
        reference=str(intent["id"]),
        said=_said(intent, kind, has_failed=bool(failure)),
        amount_minor=int(intent.get("amount_received", intent["amount"]) or 0),
        currency=str(intent["currency"]).upper(),
        reason=failure.get("message"),
        client_secret=intent.get(CLIENT_SECRET),
    )


def _said(intent: Mapping[str, Any], kind: str, *, has_failed: bool) -> Said:
    match intent["status"]:
        case "succeeded":
            return Said.SUCCEEDED
        case "canceled":
            return Said.CANCELLED
    return Said.FAILED if has_failed or kind == "payment_intent.payment_failed" else Said.WAITING
