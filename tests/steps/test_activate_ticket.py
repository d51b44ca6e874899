"""Making a ticket good that waited for its payment."""

import asyncio
from uuid import UUID

from asyncpg import Record

from database import Database
from models.columns import new_id
from models.tickets import Ticket
from steps.activate_ticket import activate_ticket
from steps.idempotency import Key
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.doors import a_ticket, checked_in, ticket_at
from tests.world import everything, refusal_of, until_somebody_waits


async def activated(
    database: Database, ticket: Record, key: Key | None = None, id: UUID | None = None
) -> Ticket:
    return await transact(
        database, activate_ticket, event_id=ticket["event_id"], ticket_id=id or ticket["id"], key=key
    )


async def set_status(database: Database, status: str, seat: str = "S") -> None:
    async with database.transaction() as tx:
        await tx.rows("UPDATE tickets SET status = $1", status)
        await tx.rows(
            """UPDATE seats SET status = $1, held_until = CASE WHEN $1 = 'H' THEN now() END
               WHERE index = 0""",
            seat,
        )


async def test_a_ticket_that_waited_is_good_and_comes_in(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await set_status(database, "PENDING")
    made = await activated(database, ticket)
    assert (made.id, made.status, made.version) == (ticket["id"], "ACTIVE", ticket["version"])
    await checked_in(database, await ticket_at(database, ticket["event_id"]))


async def test_a_repeat_answers_with_the_ticket_as_it_is(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await set_status(database, "PENDING")
    key = Key.of(new_id(), "activateTicket", "k", {})
    await activated(database, ticket, key)
    before = await everything(database)
    assert (await activated(database, ticket, key)).status == "ACTIVE"
    assert await everything(database) == before
    assert (await refusal_of(activated(database, ticket))).code is RefusalCode.TICKET_INVALID_STATE


async def test_only_a_ticket_that_waits_and_is_paid_is_made_good(database: Database) -> None:
    _, ticket = await a_ticket(database)
    for status, seat in (("ACTIVE", "S"), ("CANCELLED", "S"), ("REFUNDED", "S"), ("PENDING", "H")):
        await set_status(database, status, seat)
        before = await everything(database)
        refused = await refusal_of(activated(database, ticket))
        assert refused.code is RefusalCode.TICKET_INVALID_STATE
        assert await everything(database) == before
    assert (await refusal_of(activated(database, ticket, id=new_id()))).code is RefusalCode.TICKET_NOT_FOUND


async def test_who_activates_waits_for_who_cancels(database: Database) -> None:
    _, ticket = await a_ticket(database)
    await set_status(database, "PENDING")
    async with database.transaction() as cancelling:
        await cancelling.rows("UPDATE tickets SET status = 'CANCELLED', version = version + 1")
        second = asyncio.create_task(activated(database, ticket))
        await until_somebody_waits(database)
    assert (await refusal_of(second)).code is RefusalCode.TICKET_INVALID_STATE
