"""Global ids: opaque to clients, strict for us; the id of a thing of an event carries the event."""

import base64
import binascii
import struct
from uuid import UUID

import strawberry

from schema.errors import invalid_id

_LENGTH_MAX = 64
INDEX_MAX = 2**31 - 1
TIER_MAX = 2**15 - 1


def event_id(event: UUID) -> strawberry.ID:
    return _made("ev", event.bytes)


def venue_id(venue: UUID) -> strawberry.ID:
    return _made("ve", venue.bytes)


def hall_id(hall: UUID) -> strawberry.ID:
    return _made("ha", hall.bytes)


def user_id(user: UUID) -> strawberry.ID:
    return _made("us", user.bytes)


def tier_id(event: UUID, number: int) -> strawberry.ID:
    return _made("ti", event.bytes + struct.pack(">H", number))


def seat_id(event: UUID, index: int) -> strawberry.ID:
    return _made("se", event.bytes + struct.pack(">I", index))


def order_id(event: UUID, order: UUID) -> strawberry.ID:
    return _made("or", event.bytes + order.bytes)


def ticket_id(event: UUID, ticket: UUID) -> strawberry.ID:
    return _made("tk", event.bytes + ticket.bytes)


def session_id(user: UUID, session: UUID) -> strawberry.ID:
    return _made("ss", user.bytes + session.bytes)


def kind_of(id: str) -> str:
    """What kind of thing an id claims to name; INVALID_ID when it claims nothing that we know."""
    kind = id.partition("_")[0]
    if kind not in _NAMES:
        raise invalid_id("anything here")
    return kind


def read_event(id: str) -> UUID:
    return UUID(bytes=_read(id, "ev", 16))


def read_venue(id: str) -> UUID:
    return UUID(bytes=_read(id, "ve", 16))


def read_hall(id: str) -> UUID:
    return UUID(bytes=_read(id, "ha", 16))


def read_user(id: str) -> UUID:
    return UUID(bytes=_read(id, "us", 16))


def read_tier(id: str) -> tuple[UUID, int]:
    return _read_numbered(id, "ti", 2, TIER_MAX)


def read_seat(id: str) -> tuple[UUID, int]:
    return _read_numbered(id, "se", 4, INDEX_MAX)


def read_order(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "or")


def read_ticket(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "tk")


def read_session(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "ss")


_NAMES = {
    "ev": "an event",
    "ve": "a venue",
    "ha": "a hall",
    "us": "a user",
    "ti": "a price tier",
    "se": "a seat",
    "or": "an order",
    "tk": "a ticket",
    "ss": "a session",
}


def _made(kind: str, payload: bytes) -> strawberry.ID:
    return strawberry.ID(f"{kind}_{base64.urlsafe_b64encode(payload).decode().rstrip('=')}")


def _read(id: str, kind: str, length: int) -> bytes:
    """Read an id's payload; only the one spelling that we make is accepted."""
    found, _, text = id.partition("_")
    if found == kind and len(id) <= _LENGTH_MAX and text.isascii():
        try:
            payload = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            payload = b""
        if len(payload) == length and _made(kind, payload) == id:
            return payload
    raise invalid_id(_NAMES[kind])


def _read_numbered(id: str, kind: str, length: int, number_max: int) -> tuple[UUID, int]:
    payload = _read(id, kind, 16 + length)
    number = int.from_bytes(payload[16:], "big")
    if number > number_max:
        raise invalid_id(_NAMES[kind])
    return UUID(bytes=payload[:16]), number


def _read_pair(id: str, kind: str) -> tuple[UUID, UUID]:
    payload = _read(id, kind, 32)
    return UUID(bytes=payload[:16]), UUID(bytes=payload[16:])
