"""Ask for a code."""

from uuid import UUID

from auth.codes import CodeObject, Codes
from database import Transaction
from models.codes import CodePurpose
from steps.code_purposes import PURPOSES, Reference
from steps.codes import Otp, issue_code
from steps.person_locks import lock_user
from steps.refusals import RefusalCode, Refused


async def request_otp(
    tx: Transaction, *, codes: Codes, user_id: UUID, purpose: CodePurpose, reference: Reference
) -> Otp:
    """Send a person a code for a thing of theirs that waits for one; the last code is void.

    Refuses a thing that is not theirs, as one that is not there, and one that is past needing a code.
    """
    decisions = PURPOSES[purpose]
    problem = await decisions.lock(tx, user_id, reference)
    if problem is not None:
        raise problem
    user = await lock_user(tx, user_id)
    if user is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    to = await decisions.address(tx, codes, user)
    about = CodeObject(user_id, purpose, reference[-1])
    terms = {"language": user["language"], "pause_seconds": codes.pause_seconds}
    return await issue_code(tx, codes, about, to, codes.make(), **terms)
