"""Hold seats for somebody else, who stands at a counter or writes to another system of the house."""

from uuid import UUID

from database import Transaction
from models.orders import Order
from steps.hold import Limits
from steps.idempotency import Key
from steps.refusals import RefusalCode, Refused
from steps.reserve import Selection, reserve_seats


async def reserve_for_other(
    tx: Transaction,
    *,
    buyer_id: UUID,
    event_id: UUID,
    selection: Selection,
    limits: Limits,
    key: Key | None = None,
) -> Order:
    """Hold all of these seats for this buyer, or none, as `reserve_seats` does, without the buyer's limit.

    Refuses a buyer without an account (USER_NOT_FOUND), or with one that is closed (USER_DEACTIVATED).
    """
    active = await tx.value("SELECT active FROM users WHERE id = $1", buyer_id)
    if active is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    if not active:
        raise Refused(RefusalCode.USER_DEACTIVATED)
    return await reserve_seats(
        tx,
        buyer_id=buyer_id,
        event_id=event_id,
        selection=selection,
        limits=limits.without_buyers(),
        key=key,
    )
