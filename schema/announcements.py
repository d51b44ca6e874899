"""What a webhook says: an announcement as receivers read it, with ids as on the API and nothing personal."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any
from uuid import UUID

import orjson
from asyncpg import Record

from models.money import to_major
from schema import ids

VERSION = 1


def payload_of(announcement: Record) -> str:
    """The body of a webhook as JSON; the same announcement always makes the same body."""
    event, order, transfer = (announcement[f"{name}_id"] for name in ("event", "order", "transfer"))
    data: dict[str, Any] = {"eventId": ids.event_id(event)}
    if order:
        data["orderId"] = ids.order_id(event, order)
    if transfer:
        data["transferId"] = ids.transfer_id(event, transfer)
    if announcement["tickets"]:
        data["tickets"] = [_ticket(event, t) for t in announcement["tickets"]]
    at = announcement["created_at"].astimezone(UTC).isoformat(timespec="milliseconds")
    return orjson.dumps(
        {
            "id": str(announcement["id"]),
            "type": announcement["kind"],
            "version": VERSION,
            "timestamp": at.replace("+00:00", "Z"),
            "data": data,
        }
    ).decode()


def _ticket(event: UUID, ticket: Mapping[str, Any]) -> dict[str, Any]:
    amount = to_major(ticket["price_minor"], ticket["currency"])
    return {
        "id": ids.ticket_id(event, UUID(ticket["id"])),
        "seatId": ids.seat_id(event, ticket["index"]),
        "price": {"amount": str(amount), "currency": ticket["currency"]},
    }
