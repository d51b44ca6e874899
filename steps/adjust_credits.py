"""Put a balance right: a movement with a reason, by an ADMIN."""

from uuid import UUID

from database import Transaction
from models.columns import new_id
from models.ledger import AccountKind, MovementKind
from models.transactions import Transaction as Entry
from steps.idempotency import Key, claim
from steps.ledger import move
from steps.person_locks import lock_user
from steps.refusals import Inputs, RefusalCode, Refused
from steps.replay import transaction_now

REASON_CHARACTERS_MAX = 500


async def adjust_credits(
    tx: Transaction,
    *,
    actor_id: UUID,
    user_id: UUID,
    amount_minor: int,
    currency: str,
    reason: str,
    key: Key | None = None,
) -> Entry:
    """Give credits to a person, or take them when the amount is negative, and say why.

    Refuses to take more than there is (INSUFFICIENT_CREDITS). Under a `key` that was used before it answers
    with what that made.
    """
    inputs = Inputs()
    inputs.check(amount_minor != 0, "input.amount", "The amount must not be 0.")
    inputs.check_text(reason, "input.reason", "reason", REASON_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    id = new_id()
    made_before = await claim(tx, key, made=id)
    if made_before is not None:
        return await transaction_now(tx, user_id, made_before)
    if await lock_user(tx, user_id) is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    await move(
        tx,
        id=id,
        user_id=user_id,
        amount_minor=amount_minor,
        currency=currency,
        other=AccountKind.CORRECTIONS,
        kind=MovementKind.ADJUSTMENT,
        actor_id=actor_id,
        reason=reason.strip(),
    )
    return await transaction_now(tx, user_id, id)
