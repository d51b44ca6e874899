"""Begin a transfer: one person asks, and both are sent a code."""

from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from auth.codes import CodeObject, Codes
from database import Transaction
from models.codes import CodePurpose
from models.columns import new_id
from models.notifications import NotificationKind
from models.tickets import LIVE_TICKET
from models.transfers import Transfer
from steps.codes import OBJECTS_PER_HOUR_MAX, issue_code
from steps.end_transfer import tell_of_failed
from steps.idempotency import Key, claim
from steps.ledger import BALANCE
from steps.locks import lock_seat, lock_ticket_alone
from steps.notify import notify, of_transfer
from steps.parties import lock_parties
from steps.refusals import RefusalCode, Refused, invalid
from steps.replay import transfer_now
from steps.transferable import TransferRules, refuse_too_many_seats, transfer_facts

ASKED_PER_HOUR_MAX = OBJECTS_PER_HOUR_MAX // 2
"""So often may others ask an owner, to whom the rest of their codes is left for what they want themselves."""

ONLY_A_GIFT = "This ticket was sold in another currency than that of credits: it can only be a gift."

INDEX_OF_TICKET = "SELECT index FROM tickets WHERE event_id = $1 AND id = $2"
TICKET_OF_SEAT = f"SELECT id FROM tickets WHERE event_id = $1 AND index = $2 AND {LIVE_TICKET}"
IS_PUBLIC = "SELECT status <> 'DRAFT' FROM events WHERE id = $1"
PERSON = "SELECT id FROM users WHERE lower(email) = lower($1)"

# Nothing of this ticket is pending any more, so what still stands so is past its time.
FAIL_LAPSED = """
    UPDATE transfers SET status = 'FAILED'
    WHERE event_id = $1 AND ticket_id = $2 AND status = 'PENDING_OTP' RETURNING *"""

# There for the buyer to be locked by, before their seats are counted.
KNOW_BUYER = "INSERT INTO buyers (event_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"

BEGIN = """
    INSERT INTO transfers (event_id, id, ticket_id, index, ticket_version, seller_id, buyer_id, price_minor,
        currency, expires_at)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, least(
        statement_timestamp() + make_interval(secs => $10), starts_at - make_interval(mins => $11))
    FROM events WHERE id = $1"""
"""The last two: seconds that it waits, and minutes before the event at which it is too late."""


@dataclass(frozen=True)
class Wanted:
    """A ticket by its id, as its owner knows it, or by its seat, which is all that others see of it."""

    event_id: UUID
    ticket_id: UUID | None = None
    index: int | None = None


async def initiate_transfer(
    tx: Transaction,
    *,
    codes: Codes,
    caller_id: UUID,
    wanted: Wanted,
    buyer: UUID | str | None,
    price_minor: int,
    currency: str,
    rules: TransferRules,
    key: Key | None = None,
) -> Transfer:
    """Offer one's ticket to a buyer, by id or e-mail address, or ask for somebody else's; both get a code.

    Nothing changes hands yet. Refuses a ticket that may not change hands now, or not for a price, since it
    was sold in another currency (TRANSFER_NOT_ALLOWED), or is about to already (TRANSFER_IN_PROGRESS), and a
    buyer who has not enough credits, or too many seats.
    """
    if price_minor < 0:
        raise invalid("input.price", "The price must not be less than 0.")
    id = new_id()
    begun_before = await claim(tx, key, made=id)
    if begun_before is not None:
        return await transfer_now(tx, wanted.event_id, begun_before)
    ticket = await _locked_ticket(tx, wanted, caller_id)
    buyer_id = await _buyer_id(tx, caller_id if buyer is None else buyer)
    _refuse_others(ticket, caller_id, buyer_id)
    if price_minor and ticket["currency"] != currency:
        raise Refused(RefusalCode.TRANSFER_NOT_ALLOWED, ONLY_A_GIFT)
    facts = await transfer_facts(tx, ticket, closes_minutes=rules.closes_minutes)
    if facts["is_pending"]:
        raise Refused(RefusalCode.TRANSFER_IN_PROGRESS)
    if facts["times"] >= rules.transfers_per_ticket_max:
        raise Refused(RefusalCode.TRANSFER_NOT_ALLOWED, "This ticket has changed hands too often.")
    await refuse_too_many_seats(tx, wanted.event_id, buyer_id, rules.seats_per_buyer_max)
    await tx.rows(KNOW_BUYER, wanted.event_id, buyer_id)
    await tell_of_failed(tx, await tx.rows(FAIL_LAPSED, wanted.event_id, ticket["id"]))
    named = (wanted.event_id, id, ticket["id"], ticket["index"], ticket["version"], ticket["owner_id"])
    await tx.rows(BEGIN, *named, buyer_id, price_minor, currency, rules.seconds, rules.closes_minutes)
    await _send_codes(tx, codes, id, caller_id, ticket["owner_id"], buyer_id)
    balance_minor = await tx.value(BALANCE, buyer_id, currency) or 0
    refuse_if_missing(price_minor - balance_minor, currency, is_told=buyer_id == caller_id)
    transfer = await transfer_now(tx, wanted.event_id, id)
    asked_id = ticket["owner_id"] if buyer_id == caller_id else buyer_id
    await notify(tx, *of_transfer(NotificationKind.TRANSFER_REQUESTED, transfer, asked_id))
    return transfer


async def _locked_ticket(tx: Transaction, wanted: Wanted, caller_id: UUID) -> Record:
    """Lock the seat and the ticket. A ticket of somebody else by its id is as one that is not there."""
    event_id, ticket_id, index = wanted.event_id, wanted.ticket_id, wanted.index
    if ticket_id is not None:
        index = await tx.value(INDEX_OF_TICKET, event_id, ticket_id)
    elif not await tx.value(IS_PUBLIC, event_id):
        raise Refused(RefusalCode.SEAT_NOT_FOUND)
    if index is None:
        raise Refused(RefusalCode.TICKET_NOT_FOUND)
    if not await lock_seat(tx, event_id, index):
        raise Refused(RefusalCode.SEAT_NOT_FOUND)
    ticket_id = ticket_id or await tx.value(TICKET_OF_SEAT, event_id, index)
    if ticket_id is None:
        raise Refused(RefusalCode.TICKET_NOT_FOUND, "Nobody has a ticket for this seat.")
    ticket = await lock_ticket_alone(tx, event_id, ticket_id)
    was_given = ticket is not None and wanted.ticket_id and ticket["owner_id"] != caller_id
    if ticket is None or was_given:  # meanwhile
        raise Refused(RefusalCode.TICKET_NOT_FOUND)
    return ticket


async def _buyer_id(tx: Transaction, buyer: UUID | str) -> UUID:
    found = buyer if isinstance(buyer, UUID) else await tx.value(PERSON, buyer.strip())
    if found is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    assert isinstance(found, UUID)
    return found


def _refuse_others(ticket: Record, caller_id: UUID, buyer_id: UUID) -> None:
    if ticket["owner_id"] == buyer_id:
        raise Refused(RefusalCode.SELF_TRANSFER)
    if caller_id not in {ticket["owner_id"], buyer_id}:
        raise Refused(RefusalCode.NOT_SEAT_OWNER)


async def _send_codes(
    tx: Transaction, codes: Codes, transfer_id: UUID, caller_id: UUID, owner_id: UUID, buyer_id: UUID
) -> None:
    for user_id, user in (await lock_parties(tx, owner_id, buyer_id)).items():
        is_asked = user_id == owner_id != caller_id
        about = CodeObject(user_id, CodePurpose.TRANSFER, transfer_id)
        to = codes.envelopes.address_of(user["email"], user["phone"])
        terms = {"language": user["language"], "pause_seconds": codes.pause_seconds}
        terms |= {"objects_per_hour_max": ASKED_PER_HOUR_MAX} if is_asked else {}
        await issue_code(tx, codes, about, to, codes.make(), **terms)


def refuse_if_missing(missing_minor: int, currency: str, *, is_told: bool) -> None:
    """Refuse a buyer who has not enough credits; how much is missing is told to nobody else."""
    if missing_minor > 0:
        missing = (missing_minor, currency) if is_told else None
        raise Refused(RefusalCode.INSUFFICIENT_CREDITS, missing=missing)
