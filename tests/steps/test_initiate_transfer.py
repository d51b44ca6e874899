"""Beginning a transfer: who may, for which tickets, and what both are sent."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.tickets import Ticket
from models.users import User
from steps.idempotency import Key
from steps.initiate_transfer import Wanted, initiate_transfer
from steps.permit import deactivate_user
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.codes import code_sent_to, waiting_messages
from tests.transfers import (
    PRICE_MINOR,
    RULES,
    bought,
    cancelled,
    codes_of,
    confirmed,
    confirmed_in,
    disputed,
    initiated,
    initiating,
    let_time_be_over,
    owner_of,
    transfer_of,
    transferred,
    undone,
)
from tests.world import everything, hold, new_draft, new_event, new_user, refusal_of, until_somebody_waits


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=PRICE_MINOR, email="Bob@example.com")


@pytest.fixture
async def ticket(database: Database, alice: User) -> Ticket:
    return await bought(database, alice)


async def test_an_owner_offers_a_ticket_and_both_get_a_code(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    for number, buyer in enumerate((bob, "bob@EXAMPLE.com ")):
        transfer = await initiated(database, alice, ticket, buyer)
        assert (transfer.status, transfer.price_minor) == ("PENDING_OTP", PRICE_MINOR)
        assert (transfer.seller_id, transfer.buyer_id) == (alice.id, bob.id)
        assert (transfer.seller_confirmed, transfer.buyer_confirmed) == (False, False)
        seconds = (transfer.expires_at - transfer.created_at).total_seconds()
        assert seconds == RULES.seconds
        for person in (alice, bob):
            assert len(await waiting_messages(database, person.id)) == number + 1
            assert (await code_sent_to(database, person)).isdigit()
        assert await owner_of(database, ticket) == alice.id
        await cancelled(database, bob, transfer)
    assert await violations(database) == []


async def test_somebody_asks_for_a_ticket_by_its_seat(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, bob, ticket, by_seat=True)
    assert (transfer.seller_id, transfer.buyer_id) == (alice.id, bob.id)
    assert len(await waiting_messages(database, alice.id)) == 1
    await cancelled(database, alice, transfer)
    transfer = await initiated(database, bob, ticket, bob, by_seat=True, price_minor=0)
    assert transfer.price_minor == 0
    await cancelled(database, alice, transfer)
    transfer = await initiated(database, alice, ticket, bob, by_seat=True)
    assert transfer.seller_id == alice.id


async def test_who_may_not_begin_a_transfer(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    carol = await new_user(database)
    before = await everything(database)
    for attempt, code in (
        (initiated(database, bob, ticket), RefusalCode.TICKET_NOT_FOUND),
        (initiated(database, bob, ticket, carol), RefusalCode.TICKET_NOT_FOUND),
        (initiated(database, bob, ticket, carol, by_seat=True), RefusalCode.NOT_SEAT_OWNER),
        (initiated(database, alice, ticket), RefusalCode.SELF_TRANSFER),
        (initiated(database, alice, ticket, by_seat=True), RefusalCode.SELF_TRANSFER),
        (initiated(database, alice, ticket, alice), RefusalCode.SELF_TRANSFER),
        (initiated(database, bob, ticket, alice, by_seat=True), RefusalCode.SELF_TRANSFER),
        (initiated(database, alice, ticket, "nobody@example.com"), RefusalCode.USER_NOT_FOUND),
        (initiated(database, alice, ticket, bob, price_minor=-1), RefusalCode.VALIDATION_ERROR),
    ):
        assert (await refusal_of(attempt)).code is code
    unknown = initiating(alice, ticket, bob) | {"buyer": uuid4()}
    assert (await refusal_of(transact(database, initiate_transfer, **unknown))).code is (
        RefusalCode.USER_NOT_FOUND
    )
    assert await everything(database) == before


async def test_tickets_and_seats_that_are_not_there(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    draft = await new_draft(database)
    before = await everything(database)
    for wanted, code in (
        (Wanted(ticket.event_id, ticket_id=UUID(int=1)), RefusalCode.TICKET_NOT_FOUND),
        (Wanted(UUID(int=1), ticket_id=ticket.id), RefusalCode.TICKET_NOT_FOUND),
        (Wanted(ticket.event_id, index=1), RefusalCode.TICKET_NOT_FOUND),
        (Wanted(ticket.event_id, index=99), RefusalCode.SEAT_NOT_FOUND),
        (Wanted(UUID(int=1), index=0), RefusalCode.SEAT_NOT_FOUND),
        (Wanted(draft.id, index=0), RefusalCode.SEAT_NOT_FOUND),
    ):
        attempt = transact(database, initiate_transfer, **initiating(alice, ticket, bob) | {"wanted": wanted})
        assert (await refusal_of(attempt)).code is code
    assert await everything(database) == before


@pytest.mark.parametrize("status", ["PENDING", "CHECKED_IN", "CANCELLED", "REFUNDED"])
async def test_only_an_active_ticket_goes(
    database: Database, alice: User, bob: User, ticket: Ticket, status: str
) -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE tickets SET status = $1", status)
    before = await everything(database)
    refused = await refusal_of(initiated(database, alice, ticket, bob))
    assert refused.code is RefusalCode.TICKET_INVALID_STATE
    assert await everything(database) == before


@pytest.mark.parametrize(
    "change",
    [
        "starts_at = now() + interval '59 minutes 59 seconds', ends_at = now() + interval '3 hours'",
        "starts_at = now() - interval '3 hours', ends_at = now() - interval '1 hour'",
        "status = 'CANCELLED'",
    ],
)
async def test_an_event_that_begins_soon_is_over_or_cancelled_is_too_late(
    database: Database, alice: User, bob: User, ticket: Ticket, change: str
) -> None:
    async with database.transaction() as tx:
        await tx.rows(f"UPDATE events SET {change}")
    before = await everything(database)
    refused = await refusal_of(initiated(database, alice, ticket, bob))
    assert refused.code is RefusalCode.TRANSFER_NOT_ALLOWED
    assert await everything(database) == before


async def test_a_transfer_waits_no_longer_than_tickets_may_change_hands(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE events SET starts_at = now() + interval '70 minutes', ends_at = now() + interval '1 day'"
        )
    transfer = await initiated(database, alice, ticket, bob)
    assert 590 < (transfer.expires_at - transfer.created_at).total_seconds() <= 600


async def test_a_ticket_goes_only_so_often_and_what_was_undone_does_not_count(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    rules = replace(RULES, transfers_per_ticket_max=2)
    carol = await new_user(database, credits_minor=10_000)
    transfer = await transferred(database, alice, ticket, bob, rules=rules)
    await undone(database, transfer)
    await transferred(database, alice, ticket, bob, rules=rules)
    await transferred(database, bob, ticket, carol, rules=rules)
    before = await everything(database)
    refused = await refusal_of(initiated(database, carol, ticket, alice, rules=rules, price_minor=0))
    assert refused.code is RefusalCode.TRANSFER_NOT_ALLOWED
    assert await everything(database) == before


async def test_what_is_disputed_stays_where_it_is(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    await disputed(database, alice, await transferred(database, alice, ticket, bob))
    before = await everything(database)
    refused = await refusal_of(initiated(database, bob, ticket, alice, price_minor=0))
    assert refused.code is RefusalCode.TRANSFER_NOT_ALLOWED
    assert await everything(database) == before


async def test_a_buyers_credits_are_looked_at_and_told_to_nobody_else(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    price_minor = PRICE_MINOR + 1
    offered = await refusal_of(initiated(database, alice, ticket, bob, price_minor=price_minor))
    assert (offered.code, offered.missing) == (RefusalCode.INSUFFICIENT_CREDITS, None)
    asked = await refusal_of(initiated(database, bob, ticket, by_seat=True, price_minor=price_minor))
    assert (asked.code, asked.missing) == (RefusalCode.INSUFFICIENT_CREDITS, (1, "EUR"))
    poor = await new_user(database)
    refused = await refusal_of(initiated(database, poor, ticket, by_seat=True))
    assert refused.missing == (PRICE_MINOR, "EUR")
    assert await database.rows("SELECT 1 FROM transfers") == []


async def test_who_is_deactivated_neither_gives_nor_gets(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    await transact(database, deactivate_user, user_id=bob.id)
    refused = await refusal_of(initiated(database, alice, ticket, bob))
    assert refused.code is RefusalCode.USER_NOT_FOUND
    assert await database.rows("SELECT 1 FROM transfers") == []


async def test_a_buyer_gets_no_more_seats_than_one_may_have(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    rules = replace(RULES, seats_per_buyer_max=2)
    await hold(database, bob, await new_event(database), [0, 1])
    held = await hold(database, bob, Event(id=ticket.event_id), [1, 2])
    before = await everything(database)
    refused = await refusal_of(initiated(database, alice, ticket, bob, rules=rules))
    assert refused.code is RefusalCode.TOO_MANY_SEATS
    assert await everything(database) == before
    async with database.transaction() as tx:
        await tx.rows("UPDATE orders SET status = 'CANCELLED', held_until = NULL WHERE id = $1", held.id)
    assert (await initiated(database, alice, ticket, bob, rules=rules)).status == "PENDING_OTP"


async def test_one_transfer_of_a_ticket_waits_at_a_time(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    carol = await new_user(database, credits_minor=PRICE_MINOR)
    first = await initiated(database, alice, ticket, bob)
    before = await everything(database)
    for attempt in (
        initiated(database, alice, ticket, carol),
        initiated(database, alice, ticket, bob),
        initiated(database, carol, ticket, by_seat=True),
    ):
        assert (await refusal_of(attempt)).code is RefusalCode.TRANSFER_IN_PROGRESS
    assert await everything(database) == before
    await let_time_be_over(database, first)
    second = await initiated(database, alice, ticket, carol)
    assert (await transfer_of(database, first)).status == "FAILED"
    assert second.status == "PENDING_OTP"
    rows = await database.rows("SELECT status FROM transfers ORDER BY id")
    assert [row["status"] for row in rows] == ["FAILED", "PENDING_OTP"]


async def test_of_two_offers_of_one_ticket_at_once_the_second_waits_and_is_refused(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    carol = await new_user(database, credits_minor=PRICE_MINOR)
    async with database.transaction() as tx:
        await initiate_transfer(tx, **initiating(alice, ticket, bob))
        second = asyncio.create_task(refusal_of(initiated(database, carol, ticket, by_seat=True)))
        await until_somebody_waits(database)
    assert (await second).code is RefusalCode.TRANSFER_IN_PROGRESS
    assert len(await database.rows("SELECT 1 FROM transfers")) == 1


async def test_who_gives_a_ticket_away_meanwhile_has_none_to_offer(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    codes = await codes_of(database, alice, bob)
    async with database.transaction() as tx:
        await confirmed_in(tx, alice, transfer, **codes)
        offering = asyncio.create_task(refusal_of(initiated(database, alice, ticket, bob, price_minor=0)))
        await until_somebody_waits(database)
    assert (await offering).code is RefusalCode.TICKET_NOT_FOUND


async def test_thirty_twins_under_one_key_begin_one_transfer_with_one_code_each(
    database: Database, alice: User, bob: User, ticket: Ticket
) -> None:
    key = Key.of(alice.id, "initiateTransfer", "once", {})
    twins = await asyncio.gather(*(initiated(database, alice, ticket, bob, key=key) for _ in range(30)))
    assert len({twin.id for twin in twins}) == 1
    assert len(await waiting_messages(database, bob.id)) == 1
    after = await confirmed(database, bob, twins[0], **await codes_of(database, alice, bob))
    assert after.status == "COMPLETED"
    assert (await initiated(database, alice, ticket, bob, key=key)).status == "COMPLETED"
