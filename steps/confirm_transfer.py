"""Confirm a transfer: once both have, ticket and credits change hands, all at once or not at all."""

from collections.abc import Collection, Mapping
from uuid import UUID

from auth.codes import CodeObject, Codes
from database import Transaction
from models.announcements import AnnouncementKind
from models.codes import TRIES_MAX, CodePurpose
from models.notifications import NotificationKind
from models.transfers import Transfer
from steps.announce import announce_transfer
from steps.codes import judge_code, verify_code
from steps.end_transfer import fail_transfer
from steps.escrow import pay_seller
from steps.idempotency import Key, claim, give_up
from steps.initiate_transfer import refuse_if_missing
from steps.locks import lock_accounts, lock_ticket_alone
from steps.notify import notify, of_transfer
from steps.parties import lock_parties, locked_transfer, not_in
from steps.person_locks import lock_code
from steps.refusals import RefusalCode, Refused, invalid
from steps.replay import transfer_now
from steps.transferable import refuse_too_many_seats, transfer_facts

CONSENT = """
    UPDATE transfers SET seller_confirmed = seller_confirmed OR seller_id = ANY($3::uuid[]),
        buyer_confirmed = buyer_confirmed OR buyer_id = ANY($3::uuid[])
    WHERE event_id = $1 AND id = $2 RETURNING seller_confirmed AND buyer_confirmed"""

HAND_OVER = """
    WITH given AS (
        UPDATE tickets SET owner_id = $4, version = version + 1
        WHERE event_id = $1 AND id = $3 AND owner_id = $5 RETURNING id
    )
    UPDATE transfers SET status = 'COMPLETED', completed_at = statement_timestamp()
    WHERE event_id = $1 AND id = $2 AND ticket_id = (SELECT id FROM given)
        AND expires_at > statement_timestamp() RETURNING id"""
"""$1 event, $2 transfer, $3 ticket, $4 buyer, $5 seller."""


async def confirm_transfer(
    tx: Transaction,
    *,
    codes: Codes,
    caller_id: UUID,
    event_id: UUID,
    transfer_id: UUID,
    seller_otp: str | None,
    buyer_otp: str | None,
    seats_per_buyer_max: int,
    key: Key | None = None,
) -> Transfer | Refused:
    """Take the caller's code for a transfer of theirs, or both codes at once.

    A wrong one is counted, although the answer is a no, and the third one of a person fails the transfer.
    With the last one that was missing the ticket is the buyer's and the price the seller's.
    """
    confirmed_before = await claim(tx, key, made=transfer_id) is not None
    transfer = await locked_transfer(tx, caller_id=caller_id, event_id=event_id, transfer_id=transfer_id)
    if confirmed_before:
        return transfer
    given = {transfer.seller_id: seller_otp, transfer.buyer_id: buyer_otp}
    said = {person: code for person, code in sorted(given.items()) if code is not None}
    if caller_id not in said:
        own = "sellerOtp" if caller_id == transfer.seller_id else "buyerOtp"
        raise invalid(f"input.{own}", "Say your own code, and the other one at most beside it.")
    refused = await _judge(tx, codes, transfer, said)
    if refused is not None:
        await give_up(tx, key)
        return refused
    for person in said:
        await verify_code(tx, CodeObject(person, CodePurpose.TRANSFER, transfer.id))
    return await consent(tx, transfer, said, caller_id, seats_per_buyer_max)


async def not_confirmable(tx: Transaction, transfer: Transfer) -> Refused | None:
    """Lock the people of a transfer that waits for codes; say why it does not, if so."""
    problem = not_in(transfer, "PENDING_OTP")
    if problem is None:
        await lock_parties(tx, transfer.seller_id, transfer.buyer_id)
    return problem


async def _judge(
    tx: Transaction, codes: Codes, transfer: Transfer, said: Mapping[UUID, str]
) -> Refused | None:
    """Say which of these codes is wrong first, which was counted; none is verified yet."""
    problem = await not_confirmable(tx, transfer)
    for person, code in said.items():
        about = CodeObject(person, CodePurpose.TRANSFER, transfer.id)
        last = await lock_code(tx, about)
        if problem is not None and not (last and last["tries"] == TRIES_MAX):
            raise problem
        if last is None:
            raise Refused(RefusalCode.OTP_EXPIRED)
        wrong = await judge_code(tx, codes, about, last, code)
        if wrong is not None:
            if wrong.code is RefusalCode.OTP_MAX_RETRIES:
                await fail_transfer(tx, transfer.event_id, transfer.id)
            return wrong
    return None


async def consent(
    tx: Transaction,
    transfer: Transfer,
    people: Collection[UUID],
    caller_id: UUID,
    seats_per_buyer_max: int,
) -> Transfer:
    """Note that these people want a transfer that is locked; once both do, let it happen."""
    key = (transfer.event_id, transfer.id)
    if await tx.value(CONSENT, *key, list(people)):
        await _hand_over(tx, transfer, caller_id, seats_per_buyer_max)
    return await transfer_now(tx, *key)


async def _hand_over(tx: Transaction, transfer: Transfer, caller_id: UUID, seats_per_buyer_max: int) -> None:
    """Give the ticket to the buyer and the price to the seller, if all that it depends on is still so."""
    seller_id, buyer_id, currency = transfer.seller_id, transfer.buyer_id, transfer.currency
    ticket = await lock_ticket_alone(tx, transfer.event_id, transfer.ticket_id)
    assert ticket is not None, "what is locked, and not over, is there"
    await transfer_facts(tx, ticket)
    await refuse_too_many_seats(tx, transfer.event_id, buyer_id, seats_per_buyer_max)
    balances = await lock_accounts(tx, [seller_id, buyer_id], currency)
    missing_minor = transfer.price_minor - balances.get(buyer_id, 0)
    refuse_if_missing(missing_minor, currency, is_told=caller_id == buyer_id)
    named = (transfer.event_id, transfer.id, transfer.ticket_id, buyer_id, seller_id)
    if await tx.row(HAND_OVER, *named) is None:  # its time ended while the accounts were waited for
        raise Refused(RefusalCode.TRANSFER_INVALID_STATE, "The time to confirm this transfer is over.")
    await pay_seller(tx, transfer, actor_id=caller_id)
    await announce_transfer(tx, AnnouncementKind.TRANSFER_COMPLETED, transfer)
    await notify(tx, *of_transfer(NotificationKind.TRANSFER_COMPLETED, transfer))
