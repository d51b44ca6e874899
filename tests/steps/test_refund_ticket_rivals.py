"""A ticket that is paid back while somebody else wants something of it: one of them gets it, whole."""

import asyncio

import pytest

from database import Database
from jobs.check_invariants import violations
from models.orders import Order
from models.tickets import Ticket, ticket_of
from models.users import User
from payments.simulated import SimulatedProvider
from steps.check_in import verify_ticket
from steps.idempotency import Key
from steps.refund import refund_order
from steps.refund_ticket import refund_ticket
from steps.refusals import RefusalCode
from tests.cards import tickets_of
from tests.doors import code_of, here_to, scan, ticket_at, undone
from tests.life import ended, ending
from tests.transfers import (
    bought,
    credits_of,
)
from tests.world import (
    hold,
    new_event,
    new_user,
    pay,
    refund,
    refusal_of,
    until_somebody_waits,
)


@pytest.fixture
def provider(database: Database) -> SimulatedProvider:
    return SimulatedProvider(database, "a secret")


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=5_000)


async def refunded(
    database: Database, caller: User, ticket: Ticket, *, any_owner: bool = False, key: Key | None = None
) -> Ticket:
    return await ended(database, refund_ticket, caller, ticket, any_owner=any_owner, key=key)


async def live(database: Database, order: Order, index: int) -> Ticket:
    return ticket_of(await ticket_at(database, order.event_id, index))


async def test_refunds_at_once_under_one_key_pay_once(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    key = Key.of(alice.id, "refundTicket", "k", {"ticket": ticket.id})
    done = await asyncio.gather(*(refunded(database, alice, ticket, key=key) for _ in range(5)))
    assert {one.status for one in done} == {"REFUNDED"}
    assert await credits_of(database, alice) == 5_000
    assert await violations(database) == []


async def test_a_refund_of_the_order_waits_for_that_of_a_ticket_and_pays_the_rest(
    database: Database, alice: User
) -> None:
    order = await pay(database, alice, await hold(database, alice, await new_event(database), [0, 1]))
    ticket = await live(database, order, 0)
    async with database.transaction() as tx:
        await refund_ticket(tx, **ending(alice, ticket))
        whole = asyncio.create_task(refund(database, alice, order))
        await until_somebody_waits(database)
    assert ((await whole).status, (await whole).refunded_minor) == ("REFUNDED", 2_000)
    assert (await credits_of(database, alice), await tickets_of(database, order)) == (5_000, "RR")
    assert await violations(database) == []


async def test_a_refund_of_a_ticket_waits_for_that_of_the_order_and_pays_nothing(
    database: Database, alice: User
) -> None:
    order = await pay(database, alice, await hold(database, alice, await new_event(database), [0, 1]))
    ticket = await live(database, order, 0)
    async with database.transaction() as tx:
        await refund_order(
            tx,
            caller_id=alice.id,
            any_buyer=False,
            event_id=order.event_id,
            order_id=order.id,
            hours_before=24,
        )
        one = asyncio.create_task(refusal_of(refunded(database, alice, ticket)))
        await until_somebody_waits(database)
    assert (await one).code is RefusalCode.TICKET_INVALID_STATE
    assert await credits_of(database, alice) == 5_000
    assert await violations(database) == []


async def test_a_scan_waits_for_a_refund_and_lets_nobody_in(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    record = await ticket_at(database, ticket.event_id)
    async with database.transaction() as tx:
        await refund_ticket(tx, **ending(alice, ticket))
        at_the_door = asyncio.create_task(scan(database, code_of(record), here_to(record)))
        await until_somebody_waits(database)
    assert (await at_the_door).result == "CANCELLED"
    assert await violations(database) == []


async def test_a_refund_waits_for_a_scan_and_pays_nothing(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    record = await ticket_at(database, ticket.event_id)
    async with database.transaction() as tx:
        await verify_ticket(tx, scanner_id=alice.id, door=here_to(record), code=code_of(record))
        late = asyncio.create_task(refusal_of(refunded(database, alice, ticket)))
        await until_somebody_waits(database)
    assert (await late).code is RefusalCode.TICKET_INVALID_STATE
    assert await credits_of(database, alice) == 4_000
    await undone(database, record)
    assert (await refunded(database, alice, ticket)).status == "REFUNDED"
    assert await violations(database) == []


async def test_it_may_be_too_late_once_a_refund_has_waited(database: Database, alice: User) -> None:
    ticket = await bought(database, alice)
    async with database.transaction() as rival:
        await rival.rows("SELECT 1 FROM tickets FOR NO KEY UPDATE")
        waiting = asyncio.create_task(refusal_of(refunded(database, alice, ticket)))
        await until_somebody_waits(database)
        await rival.rows("UPDATE events SET starts_at = statement_timestamp()")
    assert (await waiting).code is RefusalCode.REFUND_NOT_ALLOWED
    assert await credits_of(database, alice) == 4_000
