"""A ticket's QR code: what it says, and its picture."""

from asyncio import get_running_loop
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import segno
import strawberry

from auth.qr_codes import QrCode

DRAWN_AT_ONCE_MAX = 2
MASK = 0
"""One for all: choosing the best of eight takes five times as long, and what is sealed is noise already."""

_threads = ThreadPoolExecutor(DRAWN_AT_ONCE_MAX, thread_name_prefix="qr")


@strawberry.type(
    description="A ticket as a QR code, good for a minute; a fresh one comes with each question."
)
class TicketQr:
    payload: str = strawberry.field(
        description="What the code says: sealed, so that only the house reads it."
    )
    generated_at: datetime = strawberry.field(description="When it was made, by the database's clock.")
    expires_at: datetime = strawberry.field(description="Until when it is good: show a fresh one before.")
    ttl_seconds: int = strawberry.field(description="How long it is good in all.")

    @classmethod
    def of(cls, code: QrCode, payload: str) -> "TicketQr":
        return cls(
            payload=payload,
            generated_at=code.issued_at,
            expires_at=code.expires_at,
            ttl_seconds=int((code.expires_at - code.issued_at).total_seconds()),
        )

    @strawberry.field(description="The code itself, an SVG to be shown as it is.")
    async def svg(self) -> str:
        # Who waits for a thread is bounded by what a picture costs in the limits of an operation.
        return await get_running_loop().run_in_executor(_threads, draw, self.payload)


def draw(payload: str) -> str:
    """Draw a payload as an SVG that scales to wherever it is put, with the quiet zone around it."""
    code = segno.make_qr(payload, error="m", mask=MASK, boost_error=False)
    return code.svg_inline(omitsize=True, light="white")
