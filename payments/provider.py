"""What the house asks of a payment provider, and what it learns from one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from models.payments import Payment, ProviderName, Refund


class ProviderAway(Exception):
    """The provider does not answer, or not as it should; nothing is known of what it did."""


class WebhookRefused(Exception):
    """What came to the webhook is not from the provider, or not as it writes; the message says what."""


class Said(StrEnum):
    """What a provider says of a payment: only CANCELLED and SUCCEEDED are its last word."""

    WAITING = "WAITING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True)
class News:
    """What became of one payment, by our own name for it (`user_id`, `payment_id`) and the provider's.

    The amount is what the provider has received, in minor units.
    """

    user_id: UUID
    payment_id: UUID
    reference: str
    said: Said
    amount_minor: int
    currency: str
    reason: str | None = None
    client_secret: str | None = None


@dataclass(frozen=True)
class RefundNews:
    """What became of a refund, by the provider's name for it: if not WAITING or SUCCEEDED, nothing can."""

    reference: str | None
    said: Said


class Provider(Protocol):
    """Takes money for us. Each call goes over a network: never under a lock or with a connection held.

    They raise `ProviderAway`.
    """

    name: ProviderName

    async def begin(self, payment: Payment) -> News:
        """Begin a payment, or find the one that was begun under its id; with a `client_secret`."""

    async def ask(self, reference: str) -> News:
        """Say what has become of a payment; with a `client_secret`."""

    async def cancel(self, reference: str) -> News:
        """End a payment that nobody has paid, so that nobody can any more."""

    async def refund(self, refund: Refund, reference: str) -> RefundNews:
        """Pay a part of a payment back, or find the refund that was made under its id."""

    def hear(self, body: bytes, signature: str | None) -> News | None:
        """Read what came to the webhook: None if it is nothing for us. Raises `WebhookRefused`."""

    async def close(self) -> None:
        """Let go of its connections."""
