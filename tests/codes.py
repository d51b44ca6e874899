"""Codes as a person gets them: asked for, read from what was sent, and typed."""

import re
from uuid import UUID

from asyncpg import Record

from auth.codes import Codes
from database import Database, Transaction
from messages.envelopes import Envelopes
from messages.letters import Letters
from messages.message import Draft
from models.codes import CodePurpose
from models.orders import Order
from models.users import User
from settings import read_settings
from steps.code_purposes import Reference
from steps.codes import Otp
from steps.permit import set_flagged
from steps.refusals import Refused
from steps.request_otp import request_otp
from steps.transact import transact
from steps.verify_otp import verify_otp

SETTINGS = read_settings()
CODES = Codes(SETTINGS.model_copy(update={"code_pause_seconds": 0}))
PAUSING = Codes(SETTINGS)
ENVELOPES = Envelopes(SETTINGS)
LETTERS = Letters(SETTINGS)


def order_reference(order: Order) -> Reference:
    return (order.event_id, order.id)


async def flagged_user(database: Database, user: User) -> User:
    return await transact(database, set_flagged, user_id=user.id, flagged=True)


async def requested(
    database: Database,
    user: User,
    reference: Reference,
    purpose: CodePurpose = CodePurpose.PURCHASE,
    codes: Codes = CODES,
) -> Otp:
    return await transact(
        database, request_otp, codes=codes, user_id=user.id, purpose=purpose, reference=reference
    )


async def verified(
    database: Database,
    user: User,
    reference: Reference,
    code: str,
    purpose: CodePurpose = CodePurpose.PURCHASE,
    codes: Codes = CODES,
) -> Otp:
    return await transact(
        database,
        verify_otp,
        codes=codes,
        user_id=user.id,
        purpose=purpose,
        reference=reference,
        code=code,
        seats_per_buyer_max=SETTINGS.seats_per_buyer_max,
    )


async def tried(
    tx: Transaction,
    user: User,
    reference: Reference,
    code: str,
    purpose: CodePurpose = CodePurpose.PURCHASE,
) -> Otp | Refused:
    """Confirm a code within a transaction that is open."""
    return await verify_otp(
        tx,
        codes=CODES,
        user_id=user.id,
        purpose=purpose,
        reference=reference,
        code=code,
        seats_per_buyer_max=SETTINGS.seats_per_buyer_max,
    )


async def waiting_messages(database: Database, user_id: UUID) -> list[Draft]:
    """What is still to be written and sent to a person, in the order in which it was posted."""
    rows = await database.rows(
        "SELECT * FROM deliveries WHERE owner_id = $1 AND sealed IS NOT NULL ORDER BY id", user_id
    )
    return [_draft(row) for row in rows]


def _draft(row: Record) -> Draft:
    draft = ENVELOPES.open(row)
    assert isinstance(draft, Draft)
    return draft


async def code_sent_to(database: Database, user: User) -> str:
    """The last code, of the message that is to be sent."""
    return str((await waiting_messages(database, user.id))[-1].facts["code"])


def code_in(body: str) -> str:
    found = re.search(r": (\S+)\n", body)
    assert found
    return found[1]


def other_than(code: str) -> str:
    """A code that is wrong."""
    return f"{(int(code) + 1) % 1_000_000:06}"
