"""An open transfer: whatever is done to it or its ticket, by whomever, its watcher has it as it is now."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from database import Database
from jobs.fail_transfers import fail_transfers_once
from models.codes import TRIES_MAX, CodePurpose
from models.tickets import ticket_of
from models.topics import transfer_topic
from models.transfers import Transfer
from schema import ids
from steps.cancel_ticket import cancel_ticket
from steps.delete_user import delete_user
from steps.refund_ticket import refund_ticket
from steps.transact import transact
from tests import codes, doors, life, transfers
from tests.codes import code_sent_to, other_than
from tests.doors import ticket_at
from tests.serving import Server
from tests.transfers import codes_of, confirmed, confirmed_in, let_time_be_over
from tests.watched import SEE_TRANSFER, WATCH_TRANSFER, Act, Scene, has_it_as_it_is, new_scene
from tests.world import refusal_of


async def seller_confirms(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()
    code = await code_sent_to(scene.database, scene.alice)
    return transfer, partial(confirmed, scene.database, scene.alice, transfer, seller_otp=code)


async def both_confirm(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()
    said = await codes_of(scene.database, scene.alice, scene.bob)
    return transfer, partial(confirmed, scene.database, scene.bob, transfer, **said)


async def verifies_a_code(scene: Scene) -> tuple[Transfer, Act]:
    transfer, code = await scene.offered(), await code_sent_to(scene.database, scene.bob)
    reference = (transfer.event_id, transfer.id)
    return transfer, partial(codes.verified, scene.database, scene.bob, reference, code, CodePurpose.TRANSFER)


async def guesses_too_often(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()
    wrong = other_than(await code_sent_to(scene.database, scene.alice))

    async def guess() -> None:
        for _ in range(TRIES_MAX):
            await refusal_of(confirmed(scene.database, scene.alice, transfer, seller_otp=wrong))

    return transfer, guess


async def cancels(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()
    return transfer, partial(transfers.cancelled, scene.database, scene.bob, transfer)


async def disputes(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.given()
    return transfer, partial(transfers.disputed, scene.database, scene.bob, transfer)


async def is_decided(decide: Any, scene: Scene) -> tuple[Transfer, Act]:
    transfer, dispute = await disputes(scene)
    await dispute()
    return transfer, partial(decide, scene.database, transfer)


async def is_swept(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()

    async def sweep() -> None:
        await let_time_be_over(scene.database, transfer)
        assert await fail_transfers_once(scene.database) == 1

    return transfer, sweep


async def buyer_is_deleted(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()
    return transfer, partial(transact, scene.database, delete_user, user_id=scene.bob.id)


async def ticket_ends(step: Any, scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()
    ticket = ticket_of(await ticket_at(scene.database, scene.event.id))
    return transfer, partial(life.ended, scene.database, step, scene.alice, ticket)


async def ticket_is_used(scene: Scene) -> tuple[Transfer, Act]:
    transfer = await scene.offered()
    ticket = await ticket_at(scene.database, scene.event.id)
    return transfer, partial(doors.checked_in, scene.database, ticket)


TRANSFERS: list[Callable[[Scene], Awaitable[tuple[Transfer, Act]]]] = [
    seller_confirms,
    both_confirm,
    verifies_a_code,
    guesses_too_often,
    cancels,
    disputes,
    partial(is_decided, transfers.undone),
    partial(is_decided, transfers.rejected),
    is_swept,
    buyer_is_deleted,
    partial(ticket_ends, refund_ticket),
    partial(ticket_ends, cancel_ticket),
    ticket_is_used,
]


async def test_whatever_is_done_to_a_transfer_its_watcher_has_it_as_it_is(
    database: Database, never_by_itself: None, server: Server
) -> None:
    for case in TRANSFERS:
        scene = await new_scene(database, server)
        transfer, act = await case(scene)
        id = ids.transfer_id(transfer.event_id, transfer.id)
        await has_it_as_it_is(scene, WATCH_TRANSFER, SEE_TRANSFER, id, act)


async def test_who_confirms_a_transfer_touches_it_also_when_its_ticket_stays(
    database: Database, server: Server
) -> None:
    scene = await new_scene(database, server)
    transfer, code = await scene.offered(), await code_sent_to(scene.database, scene.alice)
    async with database.transaction() as tx:
        await confirmed_in(tx, scene.alice, transfer, seller_otp=code)
        assert transfer_topic(transfer.event_id, transfer.id) in tx.touched
