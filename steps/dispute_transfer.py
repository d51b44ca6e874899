"""Transfers that one of the two regrets: disputed, and then undone or confirmed by the house."""

from uuid import UUID

from database import Transaction
from models.announcements import AnnouncementKind
from models.notifications import NotificationKind
from models.transfers import DONE, Transfer
from steps.announce import announce_transfer
from steps.escrow import pay_back, put_aside, release
from steps.idempotency import Key, claim
from steps.locks import lock_accounts, lock_ticket_alone
from steps.notify import notify, of_transfer
from steps.parties import locked_transfer, not_in
from steps.person_locks import lock_user
from steps.refusals import Inputs, RefusalCode, Refused
from steps.replay import transfer_now

REASON_CHARACTERS_MAX = 500

IN_TIME = """
    SELECT completed_at + make_interval(hours => $3) > statement_timestamp() FROM transfers
    WHERE event_id = $1 AND id = $2"""

HAS_MOVED_ON = f"""
    SELECT EXISTS (
        SELECT FROM transfers t WHERE t.event_id = $1 AND t.ticket_id = $3 AND t.{DONE}
            AND t.completed_at > (SELECT completed_at FROM transfers WHERE event_id = $1 AND id = $2))"""
"""$1 event, $2 transfer, $3 its ticket."""

DISPUTE = """
    UPDATE transfers SET status = 'DISPUTED', receivable_minor = $3, dispute_reason = $4,
        disputed_at = statement_timestamp()
    WHERE event_id = $1 AND id = $2"""

REJECT = """
    UPDATE transfers SET status = 'COMPLETED', receivable_minor = 0 WHERE event_id = $1 AND id = $2"""

REVERSE = """
    WITH given_back AS (
        UPDATE tickets SET owner_id = $4, version = version + 1
        WHERE event_id = $1 AND id = $3 AND owner_id = $5 RETURNING id
    )
    UPDATE transfers SET status = 'REVERSED', receivable_minor = $6, reversed_at = statement_timestamp()
    WHERE event_id = $1 AND id = $2 AND ticket_id = (SELECT id FROM given_back) RETURNING id"""
"""$1 event, $2 transfer, $3 ticket, $4 seller, $5 buyer, $6 what the seller owes the house."""


async def dispute_transfer(
    tx: Transaction,
    *,
    caller_id: UUID,
    event_id: UUID,
    transfer_id: UUID,
    reason: str,
    hours: int,
    key: Key | None = None,
) -> Transfer:
    """Put the proceeds of a transfer aside until the house decides; until then the ticket stays where it is.

    Either of the two may, once, within so many hours, and while the ticket has not changed hands again.
    """
    inputs = Inputs()
    inputs.check_text(reason, "input.reason", "reason", REASON_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    disputed_before = await claim(tx, key, made=transfer_id) is not None
    transfer = await locked_transfer(tx, caller_id=caller_id, event_id=event_id, transfer_id=transfer_id)
    if disputed_before:
        return transfer
    if (problem := not_in(transfer, "COMPLETED")) is not None:
        raise problem
    if transfer.disputed_at is not None:
        raise Refused(RefusalCode.TRANSFER_INVALID_STATE, "The house has decided on this already.")
    if not await tx.value(IN_TIME, event_id, transfer_id, hours):
        raise Refused(RefusalCode.TRANSFER_NOT_ALLOWED, "The time to dispute this transfer is over.")
    await _refuse_if_moved_on(tx, transfer)
    spent_minor = await put_aside(tx, transfer, actor_id=caller_id)
    await tx.rows(DISPUTE, event_id, transfer_id, spent_minor, reason.strip())
    await announce_transfer(tx, AnnouncementKind.TRANSFER_DISPUTED, transfer)
    other_id = transfer.buyer_id if caller_id == transfer.seller_id else transfer.seller_id
    await notify(tx, *of_transfer(NotificationKind.TRANSFER_DISPUTED, transfer, other_id))
    return await transfer_now(tx, event_id, transfer_id)


async def reject_dispute(
    tx: Transaction, *, actor_id: UUID, event_id: UUID, transfer_id: UUID, key: Key | None = None
) -> Transfer:
    """Let a disputed transfer stand: the proceeds are the seller's again, less what they owe for them."""
    rejected_before = await claim(tx, key, made=transfer_id) is not None
    transfer = await _locked(tx, actor_id, event_id, transfer_id)
    if rejected_before:
        return transfer
    if (problem := not_in(transfer, "DISPUTED")) is not None:
        raise problem
    await release(tx, transfer, actor_id=actor_id)
    await tx.rows(REJECT, event_id, transfer_id)
    await notify(tx, *of_transfer(NotificationKind.TRANSFER_COMPLETED, transfer))
    return await transfer_now(tx, event_id, transfer_id)


async def reverse_transfer(
    tx: Transaction, *, actor_id: UUID, event_id: UUID, transfer_id: UUID, key: Key | None = None
) -> Transfer:
    """Undo a transfer, disputed or not: the ticket is the seller's again, the price the buyer's.

    Refuses one whose ticket has changed hands again, or was used, cancelled or paid back.
    """
    reversed_before = await claim(tx, key, made=transfer_id) is not None
    transfer = await _locked(tx, actor_id, event_id, transfer_id)
    if reversed_before:
        return transfer
    if (problem := not_in(transfer, "COMPLETED", "DISPUTED")) is not None:
        raise problem
    await _refuse_if_moved_on(tx, transfer)
    ticket = await lock_ticket_alone(tx, event_id, transfer.ticket_id)
    if ticket is None or ticket["status"] != "ACTIVE":
        raise Refused(RefusalCode.TICKET_INVALID_STATE, "The ticket was used, cancelled or paid back.")
    if await lock_user(tx, transfer.seller_id) is None:
        raise Refused(RefusalCode.USER_NOT_FOUND, "The seller has no account any more.")
    await lock_accounts(tx, [transfer.seller_id, transfer.buyer_id], transfer.currency)
    owed_minor = transfer.receivable_minor
    if transfer.status == "COMPLETED":
        owed_minor = await put_aside(tx, transfer, actor_id=actor_id)
    await pay_back(tx, transfer, actor_id=actor_id)
    named = (event_id, transfer_id, transfer.ticket_id, transfer.seller_id, transfer.buyer_id, owed_minor)
    done = await tx.row(REVERSE, *named)
    assert done is not None, "a ticket that has not moved on is its last buyer's"
    await announce_transfer(tx, AnnouncementKind.TRANSFER_REVERSED, transfer)
    await notify(tx, *of_transfer(NotificationKind.TRANSFER_REVERSED, transfer))
    return await transfer_now(tx, event_id, transfer_id)


async def _locked(tx: Transaction, actor_id: UUID, event_id: UUID, transfer_id: UUID) -> Transfer:
    return await locked_transfer(
        tx, caller_id=actor_id, any_party=True, event_id=event_id, transfer_id=transfer_id
    )


async def _refuse_if_moved_on(tx: Transaction, transfer: Transfer) -> None:
    if await tx.value(HAS_MOVED_ON, transfer.event_id, transfer.id, transfer.ticket_id):
        raise Refused(RefusalCode.TRANSFER_NOT_ALLOWED, "The ticket has changed hands again since.")
