"""What is to be sent, was sent and was given up, for those who look after it; and trying once more."""

import re
from collections.abc import Sequence
from uuid import UUID

from asyncpg import Record

from database import Database, Transaction
from models.deliveries import DeliveryKind, DeliveryState
from models.users import masked_email
from steps.refusals import RefusalCode, Refused

SHOWN_MAX = 1_000
NOTHING = "Nothing that was given up is so called, or what it said is erased."

LIST = """
    SELECT owner_id, id, kind, recipient, state, attempts, next_attempt_at, created_at, answer_status, answer
    FROM deliveries WHERE ($1::text IS NULL OR state = $1) AND ($2::uuid IS NULL OR owner_id = $2)
        AND ($3::uuid IS NULL OR id = $3)
    ORDER BY next_attempt_at DESC LIMIT $4"""

RETRY = """
    UPDATE deliveries SET state = 'PENDING', attempts = 0, next_attempt_at = statement_timestamp()
    WHERE state = 'DEAD' AND sealed IS NOT NULL
        AND ($1::uuid IS NULL OR owner_id = $1) AND ($2::uuid[] IS NULL OR id = ANY($2::uuid[]))
    RETURNING id"""

IS_TO_BE_SENT = "SELECT state = 'PENDING' FROM deliveries WHERE owner_id = $1 AND id = $2"


def shown_recipient(kind: str, recipient: str, owner_id: UUID) -> str:
    """To whom a delivery goes, for those who look after it: a masked address, or whose it is."""
    return masked_email(recipient) if kind == DeliveryKind.EMAIL else str(owner_id)


def shown_answer(answer: str | None, kind: str, recipient: str, owner_id: UUID) -> str | None:
    """What was answered, but for the address: mail servers like to repeat it."""
    shown = shown_recipient(kind, recipient, owner_id)
    return answer and re.sub(re.escape(recipient), lambda _: shown, answer, flags=re.IGNORECASE)


async def list_deliveries(
    database: Database,
    *,
    state: DeliveryState | None = None,
    owner_id: UUID | None = None,
    delivery_id: UUID | None = None,
    deliveries_max: int = SHOWN_MAX,
) -> Sequence[Record]:
    """Deliveries, the last to change first: in a state, of a person or an endpoint, of an id."""
    return await database.rows(LIST, state, owner_id, delivery_id, deliveries_max)


async def retry_deliveries(
    tx: Transaction, *, owner_id: UUID | None, delivery_ids: Sequence[UUID] | None
) -> int:
    """Let what was given up be tried again from the start; return how many these are.

    Of an endpoint or a person alone, if named, and all of it unless ids are given. Refuses if none is.
    """
    found = await tx.rows(RETRY, owner_id, delivery_ids)
    if not found:
        raise Refused(RefusalCode.VALIDATION_ERROR, NOTHING)
    return len(found)


async def retry_delivery(tx: Transaction, *, owner_id: UUID, delivery_id: UUID) -> None:
    """Let one that was given up be tried again from the start; what is to be sent anyway stays as it is."""
    if await tx.rows(RETRY, owner_id, [delivery_id]):
        return
    if not await tx.value(IS_TO_BE_SENT, owner_id, delivery_id):
        raise Refused(RefusalCode.VALIDATION_ERROR, NOTHING)
