"""A ticket that is scanned while it changes hands: either is whole, and the other sees it."""

import asyncio

from database import Database
from jobs.check_invariants import violations
from models.transfers import Transfer
from models.users import User
from steps.check_in import Door, verify_ticket
from steps.refusals import RefusalCode
from tests.doors import SCANNER, code_of, scan, ticket_at
from tests.transfers import bought, codes_of, confirmed, confirmed_in, credits_of, initiated
from tests.world import new_event, new_user, refusal_of, until_somebody_waits


async def offered(database: Database) -> tuple[User, User, Transfer]:
    """A seller, a buyer, and what one offers the other."""
    event, alice = await new_event(database), await new_user(database, credits_minor=3_000)
    bob = await new_user(database, credits_minor=3_000)
    return alice, bob, await initiated(database, alice, await bought(database, alice, event), bob)


async def test_who_confirms_waits_for_a_scan_and_finds_the_ticket_used(database: Database) -> None:
    alice, bob, transfer = await offered(database)
    codes, ticket = await codes_of(database, alice, bob), await ticket_at(database, transfer.event_id)
    door = Door(event_id=transfer.event_id)
    async with database.transaction() as tx:
        await verify_ticket(tx, scanner_id=SCANNER, door=door, code=code_of(ticket))
        rival = asyncio.create_task(refusal_of(confirmed(database, bob, transfer, **codes)))
        await until_somebody_waits(database)
    assert (await rival).code is RefusalCode.TRANSFER_INVALID_STATE
    assert (await ticket_at(database, transfer.event_id))["owner_id"] == alice.id
    assert [await credits_of(database, user) for user in (alice, bob)] == [2_000, 3_000]
    assert await violations(database) == []


async def test_a_scan_waits_for_who_confirms_and_the_old_code_is_dead(database: Database) -> None:
    alice, bob, transfer = await offered(database)
    codes, ticket = await codes_of(database, alice, bob), await ticket_at(database, transfer.event_id)
    async with database.transaction() as tx:
        await confirmed_in(tx, bob, transfer, **codes)
        rival = asyncio.create_task(scan(database, code_of(ticket), Door(event_id=transfer.event_id)))
        await until_somebody_waits(database)
    assert (await rival).result == "NOT_FOUND"
    now = await ticket_at(database, transfer.event_id)
    assert (now["owner_id"], now["status"]) == (bob.id, "ACTIVE")
    assert await violations(database) == []
