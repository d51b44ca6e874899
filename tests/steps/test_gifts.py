"""Tickets sold in another currency than that of credits: given away, and paid back to their card."""

import pytest

from database import Database
from jobs.check_invariants import violations
from models.tickets import Ticket, ticket_of
from models.users import User
from payments.simulated import SimulatedProvider
from steps.refund_ticket import refund_ticket
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.cards import bought_by_card, paid_back, repaired
from tests.doors import ticket_at
from tests.transfers import initiated, owner_of, transferred
from tests.world import everything, new_event, new_user, refusal_of


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


async def sold_for_dollars(database: Database, provider: SimulatedProvider) -> tuple[User, Ticket]:
    event, alice = await new_event(database), await new_user(database)
    async with database.transaction() as tx:
        for table in ("events", "tiers"):
            await tx.rows(f"UPDATE {table} SET currency = 'USD'")
    await bought_by_card(database, alice, event, provider, 0)
    return alice, ticket_of(await ticket_at(database, event.id))


async def test_it_is_given_for_no_price(database: Database, provider: SimulatedProvider) -> None:
    alice, ticket = await sold_for_dollars(database, provider)
    bob = await new_user(database, credits_minor=5_000)
    before = await everything(database)
    refused = await refusal_of(initiated(database, alice, ticket, bob, price_minor=1))
    assert (refused.code, "gift" in str(refused)) == (RefusalCode.TRANSFER_NOT_ALLOWED, True)
    assert await everything(database) == before
    await transferred(database, alice, ticket, bob, price_minor=0)
    assert await owner_of(database, ticket) == bob.id


async def test_who_gives_it_up_gets_nothing_and_the_card_all_of_it(
    database: Database, provider: SimulatedProvider
) -> None:
    alice, ticket = await sold_for_dollars(database, provider)
    bob = await new_user(database)
    gift = await transferred(database, alice, ticket, bob, price_minor=0)
    named = {"event_id": gift.event_id, "ticket_id": ticket.id}
    await transact(database, refund_ticket, caller_id=bob.id, any_owner=False, **named, hours_before=0)
    await repaired(database, provider)
    assert await paid_back(database) == [1_000]
    assert await database.rows("SELECT 1 FROM accounts WHERE user_id = $1", bob.id) == []
    assert await database.rows("SELECT 1 FROM accounts WHERE balance_minor > 0") == []
    rows = await database.rows("SELECT status FROM seats WHERE index = 0")
    assert [row["status"] for row in rows] == ["A"]
    assert await violations(database) == []
