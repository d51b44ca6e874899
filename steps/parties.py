"""The two whose a transfer is: it is found, permitted and locked in one call, and its people in another."""

from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.transfers import Transfer
from steps.locks import lock_buyer, lock_seat, lock_ticket_alone, lock_transfer
from steps.person_locks import lock_users
from steps.refusals import RefusalCode, Refused
from steps.replay import transfer_now


async def locked_transfer(
    tx: Transaction, *, caller_id: UUID, any_party: bool = False, event_id: UUID, transfer_id: UUID
) -> Transfer:
    """Lock a transfer with its buyer at the event, its seat and its ticket; return it as it is by then.

    To whoever is neither of the two it is not there, unless the caller may see `any_party`'s.
    """
    found = await transfer_now(tx, event_id, transfer_id)  # what is asked of it here never changes
    if not (any_party or is_party(found, caller_id)):
        raise Refused(RefusalCode.TRANSFER_NOT_FOUND)
    await lock_buyer(tx, event_id, found.buyer_id)
    await lock_seat(tx, event_id, found.index)
    await lock_ticket_alone(tx, event_id, found.ticket_id)
    await lock_transfer(tx, event_id, transfer_id)
    return await transfer_now(tx, event_id, transfer_id)


def is_party(transfer: Transfer, user_id: UUID) -> bool:
    """Say whether somebody gives the ticket, or gets it."""
    return user_id in {transfer.seller_id, transfer.buyer_id}


def not_in(transfer: Transfer, *statuses: str) -> Refused | None:
    """Say that a transfer is in none of these states, if so."""
    if transfer.status in statuses:
        return None
    said = transfer.status.replace("_OTP", "").lower()
    return Refused(RefusalCode.TRANSFER_INVALID_STATE, f"This transfer is {said}: this is not possible now.")


async def lock_parties(tx: Transaction, *user_ids: UUID) -> dict[UUID, Record]:
    """Lock these people, and refuse if one of them has no account any more, or may not use it."""
    found = await lock_users(tx, user_ids)
    if not all(user_id in found and found[user_id]["active"] for user_id in user_ids):
        raise Refused(RefusalCode.USER_NOT_FOUND)
    return found
