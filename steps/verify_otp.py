"""Confirm a code."""

from uuid import UUID

from auth.codes import CodeObject, Codes
from database import Transaction
from messages.message import address_at
from models.codes import TRIES_MAX, CodePurpose
from steps.code_purposes import PURPOSES, Confirmed, Reference
from steps.codes import Otp, try_code
from steps.person_locks import lock_code
from steps.refusals import RefusalCode, Refused


async def verify_otp(
    tx: Transaction,
    *,
    codes: Codes,
    user_id: UUID,
    purpose: CodePurpose,
    reference: Reference,
    code: str,
    seats_per_buyer_max: int,
) -> Otp | Refused:
    """Take the code that a person was sent for a thing of theirs.

    The right one works once; a repeat of it gets the same answer and does nothing. A wrong one is counted,
    although the answer is a no, and the third one gives up what the code was for.
    """
    decisions = PURPOSES[purpose]
    problem = await decisions.lock(tx, user_id, reference)
    last = await lock_code(tx, CodeObject(user_id, purpose, reference[-1]))
    if problem is not None and not (last and last["tries"] == TRIES_MAX):
        raise problem
    if last is None:
        raise Refused(RefusalCode.OTP_EXPIRED)
    outcome = await try_code(tx, codes, CodeObject(user_id, purpose, reference[-1]), last, code)
    if isinstance(outcome, Refused):
        if outcome.code is RefusalCode.OTP_MAX_RETRIES:
            await decisions.give_up(tx, user_id, reference)
        return outcome
    if outcome:
        await decisions.confirm(tx, Confirmed(codes, last, reference, seats_per_buyer_max))
    to = address_at(last["sent_to"])
    return Otp(True, to.masked, last["expires_at"], TRIES_MAX - last["tries"])
