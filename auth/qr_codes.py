"""What a ticket's QR code says: sealed, so that only the house can make and read it, and soon too old."""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from auth.seals import Seals, Unreadable
from settings import Settings

LIFE = timedelta(seconds=60)
PURPOSE = "ticket QR codes"
CHARACTERS = 112
_PLACE = b"a ticket at the door"
_WORDS = struct.Struct(">16s16sIQQ")
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class QrCode:
    """A ticket at the version that it had, and from when to when the code is good."""

    event_id: UUID
    ticket_id: UUID
    version: int
    issued_at: datetime
    expires_at: datetime


class QrCodes:
    """Writes and reads codes; the first of the house's keys writes, each that is listed reads."""

    def __init__(self, settings: Settings) -> None:
        self._seals = Seals(PURPOSE, settings)

    def issue(self, event_id: UUID, ticket_id: UUID, version: int, now: datetime) -> tuple[QrCode, str]:
        """Make a code that is good from now on, and what it says."""
        code = QrCode(event_id, ticket_id, version, now, now + LIFE)
        ticks = ((moment - _BEGINNING) // _TICK for moment in (code.issued_at, code.expires_at))
        plain = _WORDS.pack(event_id.bytes, ticket_id.bytes, version, *ticks)
        return code, base64.urlsafe_b64encode(self._seals.seal(plain, _PLACE)).decode()

    def read(self, payload: str) -> QrCode | None:
        """Read a code, however old; None for one that is not ours, or was tampered with.

        Only the one spelling that we write is read.
        """
        try:
            if len(payload) != CHARACTERS:
                return None
            sealed = base64.urlsafe_b64decode(payload)
            if base64.urlsafe_b64encode(sealed).decode() != payload:
                return None
            event, ticket, version, *ticks = _WORDS.unpack(self._seals.open(sealed, _PLACE))
        except (Unreadable, binascii.Error, ValueError, struct.error):
            return None
        issued_at, expires_at = (_BEGINNING + tick * _TICK for tick in ticks)
        return QrCode(UUID(bytes=event), UUID(bytes=ticket), version, issued_at, expires_at)
