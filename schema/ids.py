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
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def event_id(event: UUID) -> strawberry.ID:
    return _made(b"ev_", event.bytes)


def venue_id(venue: UUID) -> strawberry.ID:
    return _made(b"ve_", venue.bytes)


def hall_id(hall: UUID) -> strawberry.ID:
    return _made(b"ha_", hall.bytes)


def user_id(user: UUID) -> strawberry.ID:
    return _made(b"us_", user.bytes)


def tier_id(event: UUID, number: int) -> strawberry.ID:
    return _made(b"ti_", event.bytes + struct.pack(">H", number))


def seat_id(event: UUID, index: int) -> strawberry.ID:
    return _made(b"se_", event.bytes + struct.pack(">I", index))


def order_id(event: UUID, order: UUID) -> strawberry.ID:
    return _made(b"or_", event.bytes + order.bytes)


def ticket_id(event: UUID, ticket: UUID) -> strawberry.ID:
    return _made(b"tk_", event.bytes + ticket.bytes)


def transfer_id(event: UUID, transfer: UUID) -> strawberry.ID:
    return _made(b"tr_", event.bytes + transfer.bytes)


def session_id(user: UUID, session: UUID) -> strawberry.ID:
    return _made(b"ss_", user.bytes + session.bytes)


def transaction_id(user: UUID, transaction: UUID) -> strawberry.ID:
    return _made(b"tx_", user.bytes + transaction.bytes)


def cart_id(user: UUID) -> strawberry.ID:
    return _made(b"ca_", user.bytes)


def cart_item_id(item: UUID) -> strawberry.ID:
    return _made(b"ci_", item.bytes)


def entry_id(event: UUID, scan: UUID) -> strawberry.ID:
    return _made(b"en_", event.bytes + scan.bytes)


def endpoint_id(endpoint: UUID) -> strawberry.ID:
    return _made(b"we_", endpoint.bytes)


def notification_id(user: UUID, notification: UUID) -> strawberry.ID:
    return _made(b"no_", user.bytes + notification.bytes)


def delivery_id(owner: UUID, delivery: UUID) -> strawberry.ID:
    return _made(b"dl_", owner.bytes + delivery.bytes)


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


def read_transfer(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "tr")


def read_session(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "ss")


def read_transaction(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "tx")


def read_cart(id: str) -> UUID:
    return UUID(bytes=_read(id, "ca", 16))


def read_cart_item(id: str) -> UUID:
    return UUID(bytes=_read(id, "ci", 16))


def read_entry(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "en")


def read_endpoint(id: str) -> UUID:
    return UUID(bytes=_read(id, "we", 16))


def read_notification(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "no")


def read_delivery(id: str) -> tuple[UUID, UUID]:
    return _read_pair(id, "dl")


_NAMES = {
    "ev": "an event",
    "ve": "a venue",
    "ha": "a hall",
    "us": "a user",
    "ti": "a price tier",
    "se": "a seat",
    "or": "an order",
    "tk": "a ticket",
    "tr": "a transfer",
    "ss": "a session",
    "tx": "a transaction",
    "ca": "a cart",
    "ci": "an item of a cart",
    "no": "a notification",
    "en": "an entry of the log of a door",
    "we": "a webhook endpoint",
    "dl": "a delivery",
}


def _made(prefix: bytes, payload: bytes) -> strawberry.ID:
    text = binascii.b2a_base64(payload, newline=False).translate(_URL_SAFE, b"=")
    return strawberry.ID((prefix + text).decode())


def _read(id: str, kind: str, length: int) -> bytes:
    """Read an id's payload; only the one spelling that we make is accepted."""
    found, _, text = id.partition("_")
    if found == kind and len(id) <= _LENGTH_MAX and text.isascii():
        try:
            payload = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except binascii.Error:
            payload = b""
        if len(payload) == length and _made(f"{kind}_".encode(), payload) == id:
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
