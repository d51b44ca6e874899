"""One-time codes as rows: a new one voids the last, a wrong one counts, a right one is verified once."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from auth.codes import CodeObject, Codes
from database import Transaction
from messages.message import Address, Draft
from models.codes import TRIES_MAX, CodePurpose
from steps.deliver import post
from steps.person_locks import lock_code
from steps.refusals import RefusalCode, Refused

OBJECTS_PER_HOUR_MAX = 20
"""For so many things may a person get a code for the same purpose within an hour: three guesses at each."""

SENT_LATELY = """
    SELECT count(*) AS objects, min(sent_at) + interval '1 hour' AS next_at, statement_timestamp() AS now
    FROM codes WHERE user_id = $1 AND purpose = $2 AND sent_at > statement_timestamp() - interval '1 hour'"""

ISSUE = """
    INSERT INTO codes (user_id, purpose, object_id, digest, tries, sent_to, delivery_id, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, statement_timestamp() + make_interval(secs => $8))
    ON CONFLICT (user_id, purpose, object_id) DO UPDATE SET digest = excluded.digest, tries = excluded.tries,
        sent_to = excluded.sent_to, delivery_id = excluded.delivery_id, sent_at = statement_timestamp(),
        expires_at = excluded.expires_at, verified_at = NULL
    RETURNING expires_at"""

NO_MORE_SENT = """
    UPDATE deliveries SET state = 'DEAD', sealed = NULL, next_attempt_at = statement_timestamp()
    WHERE owner_id = $1 AND id = ANY($2::uuid[]) AND state = 'PENDING'"""

COUNT_TRY = f"""
    UPDATE codes SET tries = tries + 1, digest = CASE WHEN tries + 1 < {TRIES_MAX} THEN digest END,
        verified_at = CASE WHEN tries + 1 < {TRIES_MAX} THEN verified_at END
    WHERE user_id = $1 AND purpose = $2 AND object_id = $3 RETURNING tries"""

VERIFY = """
    UPDATE codes SET verified_at = least(statement_timestamp(), expires_at)
    WHERE user_id = $1 AND purpose = $2 AND object_id = $3 AND verified_at IS NULL RETURNING 1"""

UNVERIFY = """
    UPDATE codes SET digest = NULL, verified_at = NULL
    WHERE user_id = $1 AND purpose = $2 AND object_id = $3 AND verified_at IS NOT NULL"""

VOID = """
    UPDATE codes SET digest = NULL, verified_at = NULL
    WHERE user_id = $1 AND digest IS NOT NULL AND ($2::text IS NULL OR purpose = $2) RETURNING delivery_id"""

FORGET = """
    WITH old AS (
        SELECT user_id, purpose, object_id FROM codes
        WHERE expires_at < statement_timestamp() - interval '1 day' ORDER BY expires_at LIMIT $1
    ), gone AS (
        DELETE FROM codes c USING old
        WHERE c.user_id = old.user_id AND c.purpose = old.purpose AND c.object_id = old.object_id
            AND c.expires_at < statement_timestamp() - interval '1 day' RETURNING 1
    )
    SELECT count(*) FROM gone"""


@dataclass(frozen=True)
class Otp:
    """How it stands with a code: whether it was verified, where it was sent, how often it may be wrong."""

    verified: bool
    sent_to: str
    expires_at: datetime
    attempts_left: int


async def issue_code(
    tx: Transaction,
    codes: Codes,
    about: CodeObject,
    to: Address,
    code: str,
    *,
    language: str,
    pause_seconds: int,
    objects_per_hour_max: int | None = None,
) -> Otp:
    """Send a new code to a person who is locked. It voids the last one, but not the count of wrong tries.

    The count begins anew where the last code was verified, or was wrong too often and its time is over.
    Refuses a code too soon after the last one, and codes for too many things within an hour, which are 20 or
    as many as the caller says, with when it makes sense.
    """
    last = await lock_code(tx, about)
    lately = await tx.row(SENT_LATELY, about.user_id, about.purpose)
    assert lately is not None, "a count is always there"
    _refuse_too_soon(last, lately, pause_seconds, objects_per_hour_max or OBJECTS_PER_HOUR_MAX)
    counts_on = last and not last["verified_at"] and last["tries"] < TRIES_MAX
    tries = last["tries"] if last and counts_on else 0
    if last:
        await tx.rows(NO_MORE_SENT, about.user_id, [last["delivery_id"]])
    facts = {"purpose": about.purpose.value, "code": code, "minutes": max(1, codes.seconds // 60)}
    draft = Draft(to, language, "code", facts)
    sent = await post(tx, codes.envelopes, about.user_id, draft, expires_in_seconds=codes.seconds)
    digest = codes.digest(code, about)
    expires_at = await tx.value(ISSUE, *about, digest, tries, to.at, sent, codes.seconds)
    return Otp(False, to.masked, expires_at, TRIES_MAX - tries)


def _refuse_too_soon(last: Record | None, facts: Record, pause_seconds: int, objects_max: int) -> None:
    now = facts["now"]
    if last and last["tries"] == TRIES_MAX and last["expires_at"] > now:
        seconds = _seconds(last["expires_at"] - now)
        raise Refused(RefusalCode.OTP_MAX_RETRIES, retry_after_seconds=seconds)
    next_at = now
    if last:
        next_at = last["sent_at"] + timedelta(seconds=pause_seconds)
    elif facts["objects"] >= objects_max:
        next_at = facts["next_at"]
    if next_at > now:
        seconds = _seconds(next_at - now)
        message = f"A code was sent before; you may ask for another one in {seconds} seconds."
        raise Refused(RefusalCode.BUSY, message, retry_after_seconds=seconds)


def _seconds(pause: timedelta) -> int:
    return math.ceil(pause.total_seconds())


async def try_code(
    tx: Transaction, codes: Codes, about: CodeObject, last: Record, code: str
) -> bool | Refused:
    """Judge a code, and verify it if it is right; True if this verified it, False if it was before."""
    return await judge_code(tx, codes, about, last, code) or await verify_code(tx, about)


async def judge_code(
    tx: Transaction, codes: Codes, about: CodeObject, last: Record, code: str
) -> Refused | None:
    """Compare a code with the last one that was sent, which is locked; say why it is not that, if so.

    A wrong one is counted, which only stays if the refusal is returned; the third one voids the code.
    """
    now = await tx.value("SELECT statement_timestamp()")
    if last["tries"] == TRIES_MAX:
        raise Refused(RefusalCode.OTP_MAX_RETRIES)
    if last["digest"] is None or last["expires_at"] <= now:
        raise Refused(RefusalCode.OTP_EXPIRED)
    if codes.is_code(code, about, last["digest"]):
        return None
    left = TRIES_MAX - await tx.value(COUNT_TRY, *about)
    if not left:
        return Refused(RefusalCode.OTP_MAX_RETRIES)
    return Refused(RefusalCode.OTP_INVALID, attempts_left=left)


async def verify_code(tx: Transaction, about: CodeObject) -> bool:
    """Note that the last code was the right one; False if it was noted before."""
    return await tx.row(VERIFY, *about) is not None


async def void_codes(tx: Transaction, user_id: UUID, purpose: CodePurpose | None = None) -> None:
    """Let no code of a person be good for anything, or for one purpose, nor be sent any more.

    Wrong tries stay counted. Whoever does so holds the lock on the person.
    """
    voided = await tx.rows(VOID, user_id, purpose)
    await tx.rows(NO_MORE_SENT, user_id, [row["delivery_id"] for row in voided])


async def unverify_code(tx: Transaction, user_id: UUID, order_id: UUID) -> None:
    """Let a code that was verified for an order count no longer; another has to be asked for."""
    await tx.rows(UNVERIFY, user_id, CodePurpose.PURCHASE, order_id)


async def forget_codes(tx: Transaction, *, codes_max: int) -> int:
    """Delete codes that have been over for a day, at most so many; return how many."""
    deleted: int = await tx.value(FORGET, codes_max)
    return deleted
