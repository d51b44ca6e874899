"""What a code is asked for, by its purpose: whose thing it is, where the code goes, and what follows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from auth.codes import CodeObject, Codes
from database import Transaction
from messages.message import Address, Draft
from models.codes import CodePurpose
from models.deliveries import DeliveryKind
from steps.cancel import cancel_order
from steps.codes import void_codes
from steps.confirm_transfer import consent, not_confirmable
from steps.deliver import post
from steps.end_transfer import fail_transfer
from steps.locks import lock_order
from steps.parties import locked_transfer
from steps.pay import not_pending
from steps.person_locks import lock_code, lock_user
from steps.refusals import RefusalCode, Refused, invalid
from steps.replay import order_now, transfer_now

NO_NEW_EMAIL = "No new e-mail address waits to be confirmed; say it with updateUser."

TAKE_EMAIL = """
    UPDATE users u SET email = $2 FROM users before WHERE u.id = $1 AND before.id = $1
    RETURNING before.email AS before, u.language"""

Reference = tuple[UUID, ...]
"""The key of a thing; its last part is the thing's own id, which the code is bound to."""


@dataclass(frozen=True)
class Purpose:
    """The decisions that differ from purpose to purpose.

    `lock` locks the thing, refuses a stranger, and returns why it needs no code any more, if so. `address`
    says where a code for it goes. `confirm` does what the right code allows, `give_up` what the last wrong
    one brings about.
    """

    lock: Callable[[Transaction, UUID, Reference], Awaitable[Refused | None]]
    address: Callable[[Transaction, Codes, Record], Awaitable[Address]]
    confirm: Callable[[Transaction, "Confirmed"], Awaitable[object]]
    give_up: Callable[[Transaction, UUID, Reference], Awaitable[None]]


@dataclass(frozen=True)
class Confirmed:
    """A code that was right, and for which thing; and how many seats a buyer may have at an event."""

    codes: Codes
    code: Record
    reference: Reference
    seats_per_buyer_max: int


async def _lock_order(tx: Transaction, user_id: UUID, reference: Reference) -> Refused | None:
    order = await lock_order(tx, *reference)
    if order is None or order["buyer_id"] != user_id:
        raise Refused(RefusalCode.ORDER_NOT_FOUND)
    # The lock was waited for; whether the hold has lapsed is asked now.
    return not_pending((await order_now(tx, *reference)).status)


async def _own_address(tx: Transaction, codes: Codes, user: Record) -> Address:
    return codes.envelopes.address_of(user["email"], user["phone"])


async def _cancel_order(tx: Transaction, user_id: UUID, reference: Reference) -> None:
    event_id, order_id = reference
    await cancel_order(tx, caller_id=user_id, any_buyer=False, event_id=event_id, order_id=order_id)


async def _lock_account(tx: Transaction, user_id: UUID, reference: Reference) -> Refused | None:
    if reference != (user_id,) or await lock_user(tx, user_id) is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    return None


async def _new_email(tx: Transaction, codes: Codes, user: Record) -> Address:
    last = await lock_code(tx, CodeObject(user["id"], CodePurpose.EMAIL, user["id"]))
    if last is None or last["digest"] is None or last["verified_at"]:
        raise invalid("input.referenceId", NO_NEW_EMAIL)
    return Address(DeliveryKind.EMAIL, last["sent_to"])


async def _take_email(tx: Transaction, confirmed: Confirmed) -> None:
    """Give an account the address that was proven, and tell the owner of the old one."""
    user_id, new = confirmed.code["user_id"], Address(DeliveryKind.EMAIL, confirmed.code["sent_to"])
    taken = await tx.row(TAKE_EMAIL, user_id, new.at)
    assert taken is not None, "who confirms a code is locked"
    await void_codes(tx, user_id, CodePurpose.PASSWORD)
    old = Address(DeliveryKind.EMAIL, taken["before"])
    draft = Draft(old, taken["language"], "email_changed", {"address": new.masked})
    await post(tx, confirmed.codes.envelopes, user_id, draft)


async def _lock_transfer(tx: Transaction, user_id: UUID, reference: Reference) -> Refused | None:
    event_id, transfer_id = reference
    transfer = await locked_transfer(tx, caller_id=user_id, event_id=event_id, transfer_id=transfer_id)
    return await not_confirmable(tx, transfer)


async def _confirm_transfer(tx: Transaction, confirmed: Confirmed) -> None:
    person = confirmed.code["user_id"]
    transfer = await transfer_now(tx, *confirmed.reference)
    await consent(tx, transfer, [person], person, confirmed.seats_per_buyer_max)


async def _fail_transfer(tx: Transaction, _: UUID, reference: Reference) -> None:
    await fail_transfer(tx, *reference)


async def _nothing(*_: object) -> None:
    """What needs no more than to be known."""


PURPOSES = {
    CodePurpose.PURCHASE: Purpose(_lock_order, _own_address, confirm=_nothing, give_up=_cancel_order),
    CodePurpose.TRANSFER: Purpose(
        _lock_transfer, _own_address, confirm=_confirm_transfer, give_up=_fail_transfer
    ),
    CodePurpose.EMAIL: Purpose(_lock_account, _new_email, confirm=_take_email, give_up=_nothing),
}
