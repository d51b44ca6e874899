"""An open order: whatever is done to it, by whomever, its watcher has it as it is now."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from database import Database
from jobs.refund_cancelled import refund_cancelled_once
from jobs.release_holds import release_holds_once
from models.orders import Order
from models.tickets import ticket_of
from models.transactions import TransactionStatus
from schema import ids
from steps.activate_ticket import activate_ticket
from steps.cancel_ticket import cancel_ticket
from steps.confirm import confirm_order
from steps.delete_ticket import delete_ticket
from steps.refund_ticket import refund_ticket
from steps.refund_transaction import refund_transaction
from steps.settle import settle_by_hand
from steps.transact import transact
from tests import cards, doors, life, transfers
from tests.cards import begun_for, bought_by_card, charged, let_card_lapse, opened_for
from tests.doors import SCANNER, ticket_at
from tests.paying import settled
from tests.serving import Server
from tests.steps.test_order_items import add, remove
from tests.transfers import transferred
from tests.watched import SEE_ORDER, WATCH_ORDER, Act, Scene, has_it_as_it_is, new_scene
from tests.world import hold, pay, refund


async def pays_among_others(scene: Scene) -> tuple[Order, Act]:
    order, payments = await scene.held(0), scene.server.app.state.house.payments
    named = {"buyer_id": scene.alice.id, "event_id": order.event_id, "order_id": order.id, "key": None}
    return order, partial(payments.pay, **named)


async def pays(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    return order, partial(pay, scene.database, scene.alice, order)


async def adds(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    return order, partial(add, scene.database, scene.alice, order, [1])


async def removes(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0, 1)
    return order, partial(remove, scene.database, scene.alice, order, [1])


async def cancels(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    return order, partial(cards.cancelled, scene.database, order)


async def is_confirmed(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    named = {"cashier_id": SCANNER, "event_id": order.event_id, "order_id": order.id}
    return order, partial(transact, scene.database, confirm_order, **named)


async def is_refunded(scene: Scene) -> tuple[Order, Act]:
    order = await scene.paid(0, 1)
    return order, partial(refund, scene.database, scene.alice, order)


async def ends_a_ticket(step: Any, scene: Scene) -> tuple[Order, Act]:
    order = await scene.paid(0, 1)
    ticket = ticket_of(await ticket_at(scene.database, scene.event.id, 1))
    return order, partial(life.ended, scene.database, step, scene.alice, ticket)


async def loses_a_ticket(scene: Scene) -> tuple[Order, Act]:
    order, end = await ends_a_ticket(cancel_ticket, scene)
    ticket = await ticket_at(scene.database, scene.event.id, 1)
    await end()
    named = {"actor_id": SCANNER, "event_id": order.event_id, "ticket_id": ticket["id"]}
    return order, partial(transact, scene.database, delete_ticket, **named)


async def comes_in(scene: Scene) -> tuple[Order, Act]:
    order = await scene.paid(0)
    return order, partial(doors.checked_in, scene.database, await ticket_at(scene.database, scene.event.id))


async def goes_out(scene: Scene) -> tuple[Order, Act]:
    order, enter = await comes_in(scene)
    await enter()
    return order, partial(doors.undone, scene.database, await ticket_at(scene.database, scene.event.id))


async def begins_by_card(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    return order, partial(opened_for, scene.database, order)


async def card_is(played: str, scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    reference = (await begun_for(scene.database, order, scene.provider)).reference
    return order, partial(settled, scene.database, await scene.provider.play(reference, played))


async def is_settled_by_hand(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    payment = await opened_for(scene.database, order)
    said = {"status": TransactionStatus.FAILED, "reason": "It was never paid"}
    named = {"actor_id": SCANNER, "user_id": scene.alice.id, "id": payment.id}
    return order, partial(transact, scene.database, settle_by_hand, **named, **said)


async def is_validated(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    await opened_for(scene.database, order)
    ticket = await ticket_at(scene.database, scene.event.id)
    named = {"actor_id": SCANNER, "event_id": order.event_id, "ticket_id": ticket["id"]}
    return order, partial(transact, scene.database, activate_ticket, **named, seats_per_buyer_max=9)


async def comes_too_late(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    news = await charged(scene.database, order, scene.provider)
    await let_card_lapse(scene.database, order)
    await hold(scene.database, scene.bob, scene.event, [0])
    return order, partial(settled, scene.database, news)


async def money_is_sent_back(scene: Scene) -> tuple[Order, Act]:
    order = await bought_by_card(scene.database, scene.alice, scene.event, scene.provider, 0)
    await refund(scene.database, scene.alice, order)
    return order, partial(cards.repaired, scene.database, scene.provider)


async def is_corrected(scene: Scene) -> tuple[Order, Act]:
    order = await scene.paid(0)
    find = "SELECT id FROM movements WHERE kind = 'PURCHASE' AND reference = $1"
    ((id,),) = await scene.database.rows(find, order.id)
    named = {"actor_id": SCANNER, "user_id": scene.alice.id, "id": id, "amount": None}
    return order, partial(transact, scene.database, refund_transaction, **named, reason="It rained in")


async def is_swept(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    await opened_for(scene.database, order)
    await let_card_lapse(scene.database, order)
    return order, partial(release_holds_once, scene.database)


async def loses_its_seat(scene: Scene) -> tuple[Order, Act]:
    order = await scene.held(0)
    await opened_for(scene.database, order)
    await let_card_lapse(scene.database, order)
    return order, partial(hold, scene.database, scene.bob, scene.event, [0])


async def is_called_off(scene: Scene) -> tuple[Order, Act]:
    order = await scene.paid(0)
    await life.called_off(scene.database, scene.event)
    return order, partial(refund_cancelled_once, scene.database)


async def gives_a_ticket(scene: Scene) -> tuple[Order, Act]:
    order = await scene.paid(0)
    ticket = ticket_of(await ticket_at(scene.database, scene.event.id))
    return order, partial(transferred, scene.database, scene.alice, ticket, scene.bob)


async def gets_a_ticket_back(scene: Scene) -> tuple[Order, Act]:
    order = await scene.paid(0)
    ticket = ticket_of(await ticket_at(scene.database, scene.event.id))
    given = await transferred(scene.database, scene.alice, ticket, scene.bob)
    return order, partial(transfers.undone, scene.database, given)


ORDERS: list[Callable[[Scene], Awaitable[tuple[Order, Act]]]] = [
    pays_among_others,
    pays,
    adds,
    removes,
    cancels,
    is_confirmed,
    is_refunded,
    partial(ends_a_ticket, refund_ticket),
    partial(ends_a_ticket, cancel_ticket),
    loses_a_ticket,
    comes_in,
    goes_out,
    begins_by_card,
    partial(card_is, "succeeded"),
    partial(card_is, "failed"),
    is_settled_by_hand,
    is_validated,
    comes_too_late,
    money_is_sent_back,
    is_corrected,
    is_swept,
    loses_its_seat,
    is_called_off,
    gives_a_ticket,
    gets_a_ticket_back,
]


async def test_whatever_is_done_to_an_order_its_watcher_has_it_as_it_is(
    database: Database, never_by_itself: None, server: Server
) -> None:
    for case in ORDERS:
        scene = await new_scene(database, server)
        order, act = await case(scene)
        id = ids.order_id(order.event_id, order.id)
        await has_it_as_it_is(scene, WATCH_ORDER, SEE_ORDER, id, act)
