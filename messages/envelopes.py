"""Envelopes: a message as it lies in its delivery row, where nobody reads it who has only the database."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from auth.seals import Seals
from messages.message import Address, Draft, Message, Text
from models.deliveries import DeliveryKind
from settings import Settings

DRAFTED = ("language", "template", "facts")


class Envelopes:
    """Closes and opens envelopes, and knows by what a person is reached."""

    def __init__(self, settings: Settings) -> None:
        self._seals = Seals("deliveries", settings)
        providers = {
            DeliveryKind.EMAIL: settings.smtp_url,
            DeliveryKind.SMS: settings.twilio_account_sid,
        }
        self.sends = {kind for kind, by in providers.items() if by or not settings.is_production}
        """By what somebody sends to people; in production that takes a provider."""

    def address_of(self, email: str, phone: str | None) -> Address:
        """Where a person is told something urgent: by phone, if they gave a number and the house can."""
        if phone and DeliveryKind.SMS in self.sends:
            return Address(DeliveryKind.SMS, phone)
        return Address(DeliveryKind.EMAIL, email)

    def close(self, owner_id: UUID, message: Message | Draft) -> bytes:
        """Seal what a message says, or is to say, for its row."""
        said: object
        if isinstance(message, Draft):
            said = {name: getattr(message, name) for name in DRAFTED}
        else:
            said = [message.text.subject, message.text.body]
        return self._seals.seal(orjson.dumps(said), _place(owner_id, message.id, message.to))

    def open(self, row: Mapping[str, Any]) -> Message | Draft:
        """Read the message of a delivery row that is not erased. Raises `auth.seals.Unreadable`."""
        to = Address(DeliveryKind(row["kind"]), row["recipient"])
        said = orjson.loads(self._seals.open(row["sealed"], _place(row["owner_id"], row["id"], to)))
        if isinstance(said, dict):
            return Draft(to, **said, id=row["id"])
        return Message(row["id"], to, Text(*said))


def _place(owner_id: UUID, delivery_id: UUID, to: Address) -> bytes:
    return owner_id.bytes + delivery_id.bytes + f"{to.kind.value} {to.at}".encode()
