"""The second same request gets the first answer."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from database import Transaction
from steps.refusals import RefusalCode, Refused

KEY_CHARACTERS_MAX = 255
KEY_HOURS = 24

TAKE = f"""
    INSERT INTO idempotency_keys AS k (user_id, mutation, key, request, made)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::uuid[])
        AS given (user_id, mutation, key, request, made)
    ORDER BY user_id, mutation, key
    ON CONFLICT (user_id, mutation, key) DO UPDATE
    SET request = excluded.request, made = excluded.made, created_at = excluded.created_at
    WHERE k.created_at <= statement_timestamp() - interval '{KEY_HOURS} hours'
    RETURNING made"""

GIVE_UP = "DELETE FROM idempotency_keys WHERE user_id = $1 AND mutation = $2 AND key = $3"


@dataclass(frozen=True)
class Key:
    """A caller's key for one mutation, and a hash of the input that it stands for."""

    user_id: UUID
    mutation: str
    key: str
    request: bytes

    @classmethod
    def of(cls, user_id: UUID, mutation: str, key: str, request: Mapping[str, Any]) -> "Key":
        text = orjson.dumps(request, option=orjson.OPT_SORT_KEYS, default=str)
        return cls(user_id, mutation, key, hashlib.sha256(text).digest())


async def claim(tx: Transaction, key: Key | None, made: UUID) -> UUID | None:
    """Take the key for what this transaction is about to make; None says that the work is ours to do.

    Otherwise it says what the key's first request made. A twin that is still running is waited for, as long
    as a transaction waits for any row. The key is free again if the transaction rolls back. Refuses another
    input under the same key.
    """
    if key is None:
        return None
    return None if await claim_all(tx, [(key, made)]) else await _made_before(tx, key)


async def claim_all(tx: Transaction, keys: Sequence[tuple[Key, UUID]]) -> set[UUID]:
    """Take each key for what this transaction is about to make; return what is so made for the first time."""
    if not keys:
        return set()
    values = [(key.user_id, key.mutation, key.key, key.request, made) for key, made in keys]
    return {row["made"] for row in await tx.rows(TAKE, *zip(*values, strict=True))}


async def _made_before(tx: Transaction, key: Key) -> UUID:
    first = await tx.row(
        "SELECT request, made FROM idempotency_keys WHERE user_id = $1 AND mutation = $2 AND key = $3",
        key.user_id,
        key.mutation,
        key.key,
    )
    assert first is not None, "a key that is in the way is there to be read"
    if first["request"] != key.request:
        raise Refused(RefusalCode.IDEMPOTENCY_MISMATCH)
    made: UUID = first["made"]
    return made


async def give_up(tx: Transaction, key: Key | None) -> None:
    """Let a key that this transaction took be free, since it ends with a no although it is committed."""
    if key is not None:
        await tx.rows(GIVE_UP, key.user_id, key.mutation, key.key)


async def forget_old_keys(tx: Transaction, *, keys_max: int) -> int:
    """Delete keys that are good no longer, at most so many; return how many."""
    deleted: int = await tx.value(
        f"""WITH old AS (
                SELECT user_id, mutation, key FROM idempotency_keys
                WHERE created_at <= statement_timestamp() - interval '{KEY_HOURS} hours'
                ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
            ), gone AS (
                DELETE FROM idempotency_keys k USING old
                WHERE k.user_id = old.user_id AND k.mutation = old.mutation AND k.key = old.key
                RETURNING 1
            )
            SELECT count(*) FROM gone""",
        keys_max,
    )
    return deleted
