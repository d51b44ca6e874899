"""Envelopes: a message as it lies in its delivery row, where nobody reads it who has only the database."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from auth.seals import Seals
from messages.message import Address, Message, Text
from models.deliveries import DeliveryKind
from settings import Settings


class Envelopes:
    """Closes and opens envelopes, and knows by what a person is reached."""

    def __init__(self, settings: Settings) -> None:
        self._seals = Seals("deliveries", settings)
        self._sends_sms = not settings.is_production

    def address_of(self, email: str, phone: str | None) -> Address:
        """Where a person is told something urgent: by phone, if they gave a number and the house can."""
        if phone and self._sends_sms:
            return Address(DeliveryKind.SMS, phone)
        return Address(DeliveryKind.EMAIL, email)

    def close(self, owner_id: UUID, message: Message) -> bytes:
        """Seal what a message says, for its row."""
        said = orjson.dumps([message.text.subject, message.text.body])
        return self._seals.seal(said, _place(owner_id, message.id, message.to))

    def open(self, row: Mapping[str, Any]) -> Message:
        """Read the message of a delivery row that is not erased. Raises `auth.seals.Unreadable`."""
        to = Address(DeliveryKind(row["kind"]), row["recipient"])
        subject, body = orjson.loads(self._seals.open(row["sealed"], _place(row["owner_id"], row["id"], to)))
        return Message(row["id"], to, Text(subject, body))


def _place(owner_id: UUID, delivery_id: UUID, to: Address) -> bytes:
    return owner_id.bytes + delivery_id.bytes + f"{to.kind.value} {to.at}".encode()
