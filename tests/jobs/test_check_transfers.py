"""`rowlock check` names what is wrong with transfers, also when it was broken behind the steps' backs."""

from collections.abc import Sequence

import pytest

from database import Database
from jobs.check_invariants import INVARIANTS, violations
from jobs.relay import number_changes_once
from live.bus import Bus
from tests.codes import code_sent_to, other_than
from tests.transfers import bought, confirmed, disputed, initiated, transferred, undone
from tests.world import hold, new_event, new_user, pay, refusal_of

PLANTED_IN_TRANSFERS: dict[str, Sequence[Sequence[str]]] = {
    "12. A transfer that was done moved its price from the buyer to the seller, and no other moved any": (
        ("DELETE FROM movements WHERE kind = 'TRANSFER' AND debit = 'CREDITS'",),
        ("DELETE FROM movements WHERE kind = 'TRANSFER' AND credit = 'CREDITS'",),
        ("UPDATE movements SET amount_minor = amount_minor + 1 WHERE kind = 'TRANSFER'",),
        ("UPDATE transfers SET status = 'FAILED', completed_at = NULL WHERE status = 'COMPLETED'",),
        (
            """UPDATE transfers SET status = 'COMPLETED', completed_at = now(), seller_confirmed = true,
                   buyer_confirmed = true WHERE status = 'PENDING_OTP'""",
        ),
    ),
    "12. What moved for a transfer is of one of its two": (
        ("UPDATE movements SET reference = gen_random_uuid() WHERE kind = 'DISPUTE'",),
        ("UPDATE transfers SET buyer_id = gen_random_uuid()",),
    ),
    "12. A ticket belongs to the buyer of its last transfer, or else of its order": (
        ("UPDATE tickets SET owner_id = gen_random_uuid() WHERE index = 0",),
        ("UPDATE tickets SET owner_id = gen_random_uuid() WHERE index = 3",),
        ("UPDATE transfers SET status = 'REVERSED', reversed_at = now() WHERE status = 'COMPLETED'",),
    ),
    "12. Escrow has the price of a transfer while it is disputed, and else nothing of it": (
        ("UPDATE transfers SET status = 'COMPLETED' WHERE status = 'DISPUTED'",),
        ("UPDATE transfers SET status = 'DISPUTED', disputed_at = now() WHERE status = 'COMPLETED'",),
        ("DELETE FROM movements WHERE kind = 'REVERSAL'",),
    ),
    "12. What was undone went back to its buyer": (
        ("DELETE FROM movements WHERE kind = 'REVERSAL'",),
        (
            """UPDATE movements m SET user_id = t.seller_id FROM transfers t
               WHERE m.kind = 'REVERSAL' AND t.id = m.reference""",
        ),
    ),
    "12. What a seller owes of a transfer is what the house lent": (
        ("UPDATE transfers SET receivable_minor = receivable_minor - 1 WHERE receivable_minor > 0",),
        ("DELETE FROM movements WHERE debit = 'RECEIVABLES'",),
    ),
    "17. After the third wrong try its transfer has failed": (
        ("UPDATE codes SET tries = 3, digest = NULL, verified_at = NULL",),
        ("UPDATE transfers SET status = 'CANCELLED' WHERE status = 'FAILED'",),
    ),
}
EACH = [
    pytest.param(invariant, statements, id=f"{invariant} ({number})")
    for invariant, ways in PLANTED_IN_TRANSFERS.items()
    for number, statements in enumerate(ways)
]


class Planted(Exception):
    """Ends the transaction that a violation was planted in."""


async def world(database: Database) -> None:
    """A transfer in each state; what was disputed was spent before, in part."""
    alice = await new_user(database, credits_minor=6_000)
    bob = await new_user(database, credits_minor=9_000)
    event = await new_event(database)
    tickets = [await bought(database, alice, event, index) for index in range(6)]
    await transferred(database, alice, tickets[0], bob)
    await undone(database, await transferred(database, alice, tickets[1], bob, price_minor=500))
    dear = await transferred(database, alice, tickets[2], bob, price_minor=4_000)
    await pay(database, alice, await hold(database, alice, await new_event(database), [0, 1, 2]))
    await disputed(database, bob, dear)
    failing = await initiated(database, alice, tickets[4], bob)
    wrong = other_than(await code_sent_to(database, bob))
    for _ in range(3):
        await refusal_of(confirmed(database, bob, failing, buyer_otp=wrong))
    await initiated(database, alice, tickets[5], bob)
    await number_changes_once(database, Bus(None))


async def test_nothing_is_wrong_with_what_the_steps_made(database: Database) -> None:
    await world(database)
    assert await violations(database) == []
    states = await database.rows("SELECT DISTINCT status FROM transfers")
    assert {row["status"] for row in states} == {
        "COMPLETED",
        "REVERSED",
        "DISPUTED",
        "FAILED",
        "PENDING_OTP",
    }


@pytest.mark.parametrize(("invariant", "statements"), EACH)
async def test_a_planted_violation_is_named(
    database: Database, invariant: str, statements: Sequence[str]
) -> None:
    await world(database)
    with pytest.raises(Planted):
        async with database.transaction() as tx:
            assert not await tx.rows(INVARIANTS[invariant])
            for statement in statements:
                await tx.rows(statement)
            found = [row[0] for row in await tx.rows(INVARIANTS[invariant])]
            assert found
            assert "event" in found[0] or "user" in found[0]
            raise Planted
