"""Every way in which something happens to people that they are notified of, by the same steps as in life.

Each way sets the scene, and returns what is to be done then: alice is its first person, bob the other one.
"""

from uuid import UUID

from jobs.release_holds import release_holds_once
from models.orders import Order
from models.tickets import ticket_of
from models.transactions import TransactionStatus
from steps.activate_ticket import activate_ticket
from steps.cancel import cancel_order
from steps.cancel_ticket import cancel_ticket
from steps.confirm import confirm_order
from steps.delete_order import delete_order
from steps.pay_together import Payments
from steps.refund_ticket import refund_ticket
from steps.refund_transaction import refund_transaction
from steps.settle import settle_by_hand
from tests.cards import begun_for, bought_by_card, charged, let_card_lapse, opened_for, repaired
from tests.carts import checked_out, put_seats
from tests.codes import code_sent_to, flagged_user, order_reference, other_than, requested, verified
from tests.doors import ticket_at
from tests.life import called_off, ended, paid_out
from tests.paying import begun, settled
from tests.steps.scene import Act, Scene, Told, Way, three_times
from tests.steps.ways_of_transfers import TRANSFER_WAYS
from tests.transfers import (
    transferred,
)
from tests.world import CURRENCY, hold, let_lapse, new_event, pay, priced, refund

SEATS_MAX = {"seats_per_buyer_max": 20}


def of(order: Order) -> dict[str, UUID]:
    return {"event_id": order.event_id, "order_id": order.id}


async def pay_with_credits(s: Scene) -> Act:
    return pay(s.database, s.alice, await s.held(0, 1))


async def pay_together_with_others(s: Scene) -> Act:
    order = await s.held(0)
    return Payments(s.database, CURRENCY).pay(buyer_id=s.alice.id, **of(order), key=None)


async def pay_nothing(s: Scene) -> Act:
    order = await hold(s.database, s.alice, await new_event(s.database, await priced(price="0.00")), [0])
    return pay(s.database, s.alice, order)


async def pay_what_was_in_a_cart(s: Scene) -> Act:
    await put_seats(s.database, s.alice, s.event, 0, 1)
    (order,) = await checked_out(s.database, s.alice)
    return pay(s.database, s.alice, order)


async def pay_by_card(s: Scene) -> Act:
    news = await charged(s.database, await s.held(0), s.provider)
    return settled(s.database, news)


async def pay_by_card_unheard(s: Scene) -> Act:
    await charged(s.database, await s.held(0), s.provider)
    return repaired(s.database, s.provider)


async def settle_by_an_admin(s: Scene) -> Act:
    payment = await opened_for(s.database, await s.held(0))
    said = {"user_id": s.alice.id, "id": payment.id, "status": TransactionStatus.SUCCESS}
    return s.do(settle_by_hand, actor_id=s.house.id, reason="By transfer", **said)


async def activate_by_hand(s: Scene) -> Act:
    await opened_for(s.database, await s.held(0, 1))
    ticket = await ticket_at(s.database, s.event.id, 0)
    named = {"event_id": s.event.id, "ticket_id": ticket["id"]}
    return s.do(activate_ticket, actor_id=s.house.id, **named, **SEATS_MAX)


async def confirm_at_the_counter(s: Scene) -> Act:
    return s.do(confirm_order, cashier_id=s.house.id, **of(await s.held(0)))


async def cancel_ones_order(s: Scene) -> Act:
    return s.do(cancel_order, caller_id=s.alice.id, any_buyer=False, **of(await s.held(0)))


async def cancel_anybodys_order(s: Scene) -> Act:
    return s.do(cancel_order, caller_id=s.house.id, any_buyer=True, **of(await s.held(0)))


async def three_wrong_codes_for_an_order(s: Scene) -> Act:
    reference = order_reference(await s.held(0))
    await requested(s.database, await flagged_user(s.database, s.alice), reference)
    wrong = other_than(await code_sent_to(s.database, s.alice))
    return three_times(lambda: verified(s.database, s.alice, reference, wrong))


async def delete_what_is_held(s: Scene) -> Act:
    return s.do(delete_order, **of(await s.held(0)))


async def delete_what_has_lapsed(s: Scene) -> Act:
    await let_lapse(s.database, order := await s.held(0))
    return s.do(delete_order, **of(order))


async def sweep(s: Scene) -> Act:
    await let_lapse(s.database, await s.held(0))
    return release_holds_once(s.database)


async def sweep_what_others_have_taken(s: Scene) -> Act:
    await let_lapse(s.database, await s.held(0, 1))
    await hold(s.database, s.bob, s.event, [1])
    return release_holds_once(s.database)


async def refund_an_order(s: Scene) -> Act:
    return refund(s.database, s.alice, await s.paid(0, 1))


async def refund_an_order_by_card(s: Scene) -> Act:
    order = await bought_by_card(s.database, s.alice, s.event, s.provider, 0)
    return refund(s.database, s.house, order, any_buyer=True)


async def refund_a_purchase(s: Scene) -> Act:
    await s.paid(0)
    rows = await s.database.rows("SELECT id FROM movements WHERE kind = 'PURCHASE'")
    named = {"user_id": s.alice.id, "id": rows[0]["id"], "amount": None}
    return s.do(refund_transaction, actor_id=s.house.id, **named, reason="A kindness")


async def pay_by_card_too_late(s: Scene) -> Act:
    news = await charged(s.database, order := await s.held(0), s.provider)
    await let_card_lapse(s.database, order)
    await hold(s.database, s.bob, s.event, [0])
    return settled(s.database, news)


async def cancel_a_given_ticket(s: Scene) -> Act:
    return ended(s.database, cancel_ticket, s.bob, await s.given())


async def refund_a_given_ticket(s: Scene) -> Act:
    return ended(s.database, refund_ticket, s.bob, await s.given())


async def refund_a_gift_in_another_currency(s: Scene) -> Act:
    async with s.database.transaction() as tx:
        for table in ("events", "tiers"):
            await tx.rows(f"UPDATE {table} SET currency = 'USD'")
    await bought_by_card(s.database, s.alice, s.event, s.provider, 0)
    ticket = ticket_of(await ticket_at(s.database, s.event.id))
    await transferred(s.database, s.alice, ticket, s.bob, price_minor=0)
    return ended(s.database, refund_ticket, s.bob, ticket)


async def top_up(s: Scene) -> Act:
    news = await begun(s.database, s.alice, s.provider)
    return settled(s.database, await s.provider.play(news.reference, "succeeded"))


async def call_an_event_off(s: Scene) -> Act:
    """Alice has two orders and a hold, and gave one of her tickets to bob, who has another of his own."""
    await s.paid(1, 2)
    await s.paid(3)
    await s.held(4)
    await s.given(5)
    await pay(s.database, s.bob, await hold(s.database, s.bob, s.event, [6]))
    held = await hold(s.database, s.house, s.event, [7])
    await begun_for(s.database, held, s.provider)
    await called_off(s.database, s.event)
    return paid_out(s.database)


CONFIRMED: Told = {"alice": ["ORDER_CONFIRMED"]}
CANCELLED: Told = {"alice": ["ORDER_CANCELLED"]}
EXPIRED: Told = {"alice": ["HOLD_EXPIRED"]}
REFUNDED: Told = {"alice": ["ORDER_REFUNDED"]}

WAYS: dict[Way, Told] = TRANSFER_WAYS | {
    pay_with_credits: CONFIRMED,
    pay_together_with_others: CONFIRMED,
    pay_nothing: CONFIRMED,
    pay_what_was_in_a_cart: CONFIRMED,
    pay_by_card: CONFIRMED,
    pay_by_card_unheard: CONFIRMED,
    settle_by_an_admin: CONFIRMED,
    confirm_at_the_counter: CONFIRMED,
    activate_by_hand: {"alice": ["ORDER_CONFIRMED", "TICKET_ACTIVATED"]},
    cancel_ones_order: CANCELLED,
    cancel_anybodys_order: CANCELLED,
    three_wrong_codes_for_an_order: CANCELLED,
    delete_what_is_held: CANCELLED,
    delete_what_has_lapsed: EXPIRED,
    sweep: EXPIRED,
    sweep_what_others_have_taken: EXPIRED,
    refund_an_order: REFUNDED,
    refund_an_order_by_card: REFUNDED,
    refund_a_purchase: REFUNDED,
    pay_by_card_too_late: REFUNDED,
    cancel_a_given_ticket: {"bob": ["TICKET_CANCELLED"]},
    refund_a_given_ticket: {"bob": ["TICKET_REFUNDED"]},
    refund_a_gift_in_another_currency: {"alice": ["TICKET_REFUNDED"], "bob": ["TICKET_REFUNDED"]},
    top_up: {"alice": ["TOP_UP_SUCCEEDED"]},
    call_an_event_off: {
        "alice": ["EVENT_CANCELLED"],
        "bob": ["EVENT_CANCELLED"],
        "house": ["EVENT_CANCELLED"],
    },
}
"""What each of them is notified of by it, in this order, and nobody else of anything."""
