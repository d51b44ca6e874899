"""Statements of a period reconcile to the cent: for a person, and for the whole house."""

import csv
import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from database import Database
from jobs.statement import MOVEMENTS_AT_ONCE_MAX, NotOver, statement_lines
from payments.simulated import SimulatedProvider
from tests.cards import bought_by_card, repaired
from tests.paying import balance, topped_up
from tests.world import hold, new_event, new_user, pay, refund

LONG_AGO, FAR_OFF = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

Line = dict[str, str]


async def statement(
    database: Database, from_: datetime = LONG_AGO, to: datetime = FAR_OFF, user_id: UUID | None = None
) -> list[Line]:
    return list(csv.DictReader([line async for line in statement_lines(database, from_, to, user_id)]))


def of(lines: list[Line], entry: str) -> list[Line]:
    return [line for line in lines if line["entry"] == entry]


def sums(lines: list[Line]) -> Counter[tuple[str, str, str]]:
    """What the lines come to for each account; of a REVENUE account by its event."""
    found: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        event = line["event"] if line["account"] == "REVENUE" else ""
        found[line["account"], event, line["currency"]] += Decimal(line["amount"])  # type: ignore[assignment]
    return found


async def now(database: Database) -> datetime:
    rows = await database.rows("SELECT statement_timestamp() AS now")
    moment: datetime = rows[0]["now"]
    return moment


async def test_every_period_of_a_house_opens_as_the_one_before_closed_and_is_zero_in_all(
    database: Database,
) -> None:
    provider, marks = SimulatedProvider(database, "a secret"), [LONG_AGO]
    event, other = await new_event(database), await new_event(database)
    alice = await new_user(database, credits_minor=5_000)
    marks.append(await now(database))
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    by_card = await bought_by_card(database, alice, other, provider, 0, 1)
    await topped_up(database, alice, provider)
    marks.append(await now(database))
    await refund(database, alice, order)
    await refund(database, alice, by_card)
    marks.append(await now(database))
    await repaired(database, provider)
    marks.append(FAR_OFF)
    closed: Counter[tuple[str, str, str]] = Counter()
    for from_, to in itertools.pairwise(marks):
        lines = await statement(database, from_, to)
        opening, moved, closing = (sums(of(lines, entry)) for entry in ("OPENING", "MOVEMENT", "CLOSING"))
        assert opening == closed
        closed = closing
        opening.update(moved)
        assert opening == closing
        assert sum(closing.values()) == 0
    left = {account: amount for account, amount in closed.items() if amount}
    assert left == {
        ("CREDITS", "", "EUR"): 75,
        ("PROVIDER", "", "EUR"): -25,
        ("CORRECTIONS", "", "EUR"): -50,
    }


async def test_a_persons_statement_ends_with_their_balance_and_tells_why(database: Database) -> None:
    provider, event = SimulatedProvider(database, "a secret"), await new_event(database)
    alice, bob = [await new_user(database, credits_minor=5_000) for _ in range(2)]
    order = await pay(database, alice, await hold(database, alice, event, [0]))
    await bought_by_card(database, alice, event, provider, 1)
    await pay(database, bob, await hold(database, bob, event, [2]))
    lines = await statement(database, user_id=alice.id)
    assert [(line["kind"], line["amount"]) for line in of(lines, "MOVEMENT")] == [
        ("ADJUSTMENT", "50.00"),
        ("PURCHASE", "-10.00"),
    ]
    assert of(lines, "MOVEMENT")[0]["reason"] == "for a test"
    assert of(lines, "MOVEMENT")[1]["reference"] == str(order.id)
    assert [line["amount"] for line in of(lines, "OPENING")] == ["0.00"]
    assert [line["amount"] for line in of(lines, "CLOSING")] == ["40.00"]
    assert await balance(database, alice) == 4_000


async def test_a_period_takes_its_first_moment_in_and_leaves_the_one_after_it_out(database: Database) -> None:
    await new_user(database, credits_minor=100)
    (row,) = await database.rows("SELECT created_at AS at FROM movements")
    for from_, to, moved in (
        (row["at"], FAR_OFF, 2),
        (row["at"] + timedelta(microseconds=1), FAR_OFF, 0),
        (LONG_AGO, row["at"], 0),
        (LONG_AGO.replace(tzinfo=None), FAR_OFF.replace(tzinfo=None), 2),
    ):
        assert len(of(await statement(database, from_, to), "MOVEMENT")) == moved


async def test_more_than_is_read_at_once_is_all_there_though_much_is_of_one_moment(
    database: Database,
) -> None:
    alice = await new_user(database, credits_minor=1_000_000)
    many = MOVEMENTS_AT_ONCE_MAX + 10
    async with database.transaction() as tx:
        await tx.rows(
            """INSERT INTO movements (user_id, id, debit, credit, amount_minor, currency, kind, reason)
               SELECT $1, gen_random_uuid(), 'CORRECTIONS', 'CREDITS', 1, 'EUR', 'ADJUSTMENT', 'many'
               FROM generate_series(1, $2)""",
            alice.id,
            many,
        )
    assert len(of(await statement(database, user_id=alice.id), "MOVEMENT")) == many + 1
    assert len(of(await statement(database), "MOVEMENT")) == 2 * (many + 1)


async def test_a_statement_of_a_period_in_which_money_moves_says_so(database: Database) -> None:
    await new_user(database, credits_minor=100)
    lines = statement_lines(database, LONG_AGO, FAR_OFF)
    async for line in lines:
        if line.startswith("OPENING"):
            break
    await new_user(database, credits_minor=100)
    with pytest.raises(NotOver, match="still moving"):
        async for _ in lines:
            pass
