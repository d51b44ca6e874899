"""Writes what money did in a period, so that it reconciles to the cent."""

import csv
import io
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from database import Database
from models.money import to_major

MOVEMENTS_AT_ONCE_MAX = 1_000

COLUMNS = (
    *("entry", "at", "account", "event", "amount", "currency"),
    *("kind", "user", "reference", "actor", "reason", "id"),
)

SIDES = """(
    SELECT id, user_id, currency, kind, event_id, reference, actor_id, reason, created_at,
        credit AS account, amount_minor AS minor FROM movements
    UNION ALL
    SELECT id, user_id, currency, kind, event_id, reference, actor_id, reason, created_at,
        debit, -amount_minor FROM movements) s
    WHERE ($1::uuid IS NULL OR s.user_id = $1 AND s.account = 'CREDITS')"""
"""What each movement does to each of its two accounts; of the person $1 to their credits alone."""

BALANCES = f"""
    SELECT s.account, CASE s.account WHEN 'REVENUE' THEN s.event_id END AS event_id, s.currency,
        sum(s.minor)::bigint AS minor
    FROM {SIDES} AND s.created_at < $2 GROUP BY 1, 2, 3 ORDER BY 1, 3, 2"""

MOVED = f"""
    SELECT * FROM {SIDES} AND s.created_at >= $2 AND s.created_at < $3
        AND (s.created_at, s.id, s.account) > ($4, $5, $6)
    ORDER BY s.created_at, s.id, s.account LIMIT {MOVEMENTS_AT_ONCE_MAX}"""

Account = tuple[str, UUID | None, str]


class NotOver(Exception):
    """The period is not over, or money was still on its way into it."""


async def statement_lines(
    database: Database, from_: datetime, to: datetime, user_id: UUID | None = None
) -> AsyncIterator[str]:
    """The lines of a CSV: what each account had, what moved, and what each has then.

    `from_` is the period's first moment, `to` the one after its last, in UTC if they do not say. Of a person
    it is their credits; else all accounts of the house, where each movement has two lines, and all together
    are zero. Amounts are in major units, positive for what came to the account. Raises `NotOver` when the
    lines do not add up, since the period goes on.
    """
    from_, to = (at if at.tzinfo else at.replace(tzinfo=UTC) for at in (from_, to))
    balances, closing = [await _balances(database, user_id, at) for at in (from_, to)]
    accounts = sorted(closing, key=lambda account: (account[0], account[2], str(account[1])))
    yield _line(COLUMNS)
    for account in accounts:
        yield _balance("OPENING", from_, account, balances[account])
    async for row in _moved(database, user_id, from_, to):
        balances[_account(row)] += row["minor"]
        yield _movement(row)
    for account in accounts:
        yield _balance("CLOSING", to, account, balances[account])
    if balances != closing:
        raise NotOver("Money is still moving in this period: ask again when it is over.")


async def _balances(database: Database, user_id: UUID | None, at: datetime) -> Counter[Account]:
    rows = await database.rows(BALANCES, user_id, at)
    return Counter({_account(row): row["minor"] for row in rows})


async def _moved(
    database: Database, user_id: UUID | None, from_: datetime, to: datetime
) -> AsyncIterator[Record]:
    """Every side of a movement in a period, in the order of time, a thousand at a time."""
    last: tuple[Any, ...] = (from_, UUID(int=0), "")
    while rows := await database.rows(MOVED, user_id, from_, to, *last):
        for row in rows:
            yield row
        last = tuple(rows[-1][column] for column in ("created_at", "id", "account"))


def _account(row: Record) -> Account:
    return row["account"], row["event_id"] if row["account"] == "REVENUE" else None, row["currency"]


def _balance(entry: str, at: datetime, account: Account, minor: int) -> str:
    name, event_id, currency = account
    return _line((entry, at.isoformat(), name, event_id, to_major(minor, currency), currency))


def _movement(row: Record) -> str:
    about = [row[column] for column in ("kind", "user_id", "reference", "actor_id", "reason", "id")]
    amount = to_major(row["minor"], row["currency"])
    at = row["created_at"].isoformat()
    return _line(("MOVEMENT", at, row["account"], row["event_id"], amount, row["currency"], *about))


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([*values, *[""] * (len(COLUMNS) - len(values))])
    return text.getvalue()
