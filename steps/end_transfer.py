"""Transfers that end before anything changed hands: cancelled, failed, or past their time."""

from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.columns import plain_row
from models.notifications import NotificationKind
from models.topics import transfer_topic
from models.transfers import Transfer
from steps.idempotency import Key, claim
from steps.locks import LAPSED_TRANSFERS
from steps.notify import notify, of_transfer
from steps.parties import locked_transfer, not_in
from steps.replay import transfer_now

END = """
    UPDATE transfers SET status = $3 WHERE event_id = $1 AND id = $2 AND status = 'PENDING_OTP' RETURNING *"""

FAIL_LAPSED = f"""
    WITH lapsed AS MATERIALIZED ({LAPSED_TRANSFERS})
    UPDATE transfers t SET status = 'FAILED' FROM lapsed l
    WHERE t.event_id = l.event_id AND t.id = l.id RETURNING t.*"""


async def cancel_transfer(
    tx: Transaction,
    *,
    caller_id: UUID,
    any_party: bool,
    event_id: UUID,
    transfer_id: UUID,
    key: Key | None = None,
) -> Transfer:
    """Give up a transfer that waits for codes: either of the two may, and whoever may for `any_party`."""
    cancelled_before = await claim(tx, key, made=transfer_id) is not None
    transfer = await locked_transfer(
        tx, caller_id=caller_id, any_party=any_party, event_id=event_id, transfer_id=transfer_id
    )
    if cancelled_before:
        return transfer
    if (problem := not_in(transfer, "PENDING_OTP")) is not None:
        raise problem
    await tx.rows(END, event_id, transfer_id, "CANCELLED")
    others = {transfer.seller_id, transfer.buyer_id} - {caller_id}
    await notify(tx, *of_transfer(NotificationKind.TRANSFER_FAILED, transfer, *others))
    return await transfer_now(tx, event_id, transfer_id)


async def fail_transfer(tx: Transaction, event_id: UUID, transfer_id: UUID) -> None:
    """Let a transfer that is locked and waits for codes have failed."""
    await tell_of_failed(tx, await tx.rows(END, event_id, transfer_id, "FAILED"))


async def fail_lapsed_transfers(tx: Transaction, *, transfers_max: int) -> int:
    """Write down that transfers failed whose time is over, which they read as already; return how many."""
    failed = await tx.rows(FAIL_LAPSED, transfers_max)
    await tell_of_failed(tx, failed)
    return len(failed)


async def tell_of_failed(tx: Transaction, failed: Sequence[Record]) -> None:
    """Notify both whose it is of each of these transfers, which have just failed."""
    transfers = [plain_row(Transfer, row) for row in failed]
    tx.touched.update(transfer_topic(transfer.event_id, transfer.id) for transfer in transfers)
    kind = NotificationKind.TRANSFER_FAILED
    await notify(tx, *(notice for transfer in transfers for notice in of_transfer(kind, transfer)))
