"""Every way in which something happens to people that they are notified of, by the same steps as in life.

Each way sets the scene, and returns what is to be done then: alice is its first person, bob the other one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from database import Database
from jobs.fail_transfers import fail_transfers_once
from jobs.release_holds import release_holds_once
from models.catalogue import Event
from models.codes import CodePurpose
from models.orders import Order
from models.tickets import Ticket, ticket_of
from models.transactions import TransactionStatus
from models.users import User
from payments.simulated import SimulatedProvider
from steps.activate_ticket import activate_ticket
from steps.cancel import cancel_order
from steps.cancel_ticket import cancel_ticket
from steps.confirm import confirm_order
from steps.delete_order import delete_order
from steps.delete_ticket import delete_ticket
from steps.delete_user import delete_user
from steps.pay_together import Payments
from steps.refund_ticket import refund_ticket
from steps.refund_transaction import refund_transaction
from steps.refusals import Refused
from steps.settle import settle_by_hand
from steps.transact import transact
from tests.cards import begun_for, bought_by_card, charged, let_card_lapse, opened_for, repaired
from tests.carts import checked_out, put_seats
from tests.codes import code_sent_to, flagged_user, order_reference, other_than, requested, verified
from tests.doors import ticket_at
from tests.life import called_off, ended, paid_out
from tests.paying import begun, settled
from tests.transfers import (
    bought,
    cancelled,
    codes_of,
    confirmed,
    disputed,
    initiated,
    let_time_be_over,
    rejected,
    transferred,
    undone,
)
from tests.world import CURRENCY, hold, let_lapse, new_event, new_user, pay, priced, refund

SEATS_MAX = {"seats_per_buyer_max": 20}


@dataclass(frozen=True)
class Scene:
    """An event, two people with credits, and somebody who works for the house."""

    database: Database
    event: Event
    alice: User
    bob: User
    house: User
    provider: SimulatedProvider

    async def do(self, step: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
        return await transact(self.database, step, **arguments)

    async def held(self, *indexes: int) -> Order:
        return await hold(self.database, self.alice, self.event, list(indexes))

    async def paid(self, *indexes: int) -> Order:
        return await pay(self.database, self.alice, await self.held(*indexes))

    async def ticket(self, index: int = 0) -> Ticket:
        return await bought(self.database, self.alice, self.event, index)

    async def given(self, index: int = 0) -> Ticket:
        """A ticket that alice bought and bob owns."""
        await transferred(self.database, self.alice, await self.ticket(index), self.bob)
        return ticket_of(await ticket_at(self.database, self.event.id, index))


async def scene_of(database: Database) -> Scene:
    alice, bob = [await new_user(database, credits_minor=20_000) for _ in range(2)]
    house, provider = await new_user(database), SimulatedProvider(database, "a secret")
    return Scene(database, await new_event(database), alice, bob, house, provider)


Act = Awaitable[object]
Way = Callable[[Scene], Awaitable[Act]]


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


async def three_times(attempt: Callable[[], Awaitable[object]]) -> None:
    for _ in range(3):
        try:
            await attempt()
        except Refused:
            continue
        raise AssertionError("a wrong code is refused")


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


async def offer_a_ticket(s: Scene) -> Act:
    return initiated(s.database, s.alice, await s.ticket(), s.bob)


async def ask_for_a_ticket(s: Scene) -> Act:
    return initiated(s.database, s.bob, await s.ticket(), by_seat=True)


async def confirm_a_transfer(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    return confirmed(s.database, s.alice, transfer, **await codes_of(s.database, s.alice, s.bob))


async def three_wrong_codes_for_a_transfer(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    wrong = other_than(await code_sent_to(s.database, s.bob))
    return three_times(lambda: confirmed(s.database, s.bob, transfer, buyer_otp=wrong))


async def three_wrong_codes_by_themselves(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    wrong, reference = other_than(await code_sent_to(s.database, s.bob)), (transfer.event_id, transfer.id)
    return three_times(lambda: verified(s.database, s.bob, reference, wrong, CodePurpose.TRANSFER))


async def let_a_transfer_lapse(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    await let_time_be_over(s.database, transfer)
    return fail_transfers_once(s.database)


async def begin_another_transfer_after_one_that_lapsed(s: Scene) -> Act:
    ticket = await s.ticket()
    await let_time_be_over(s.database, await initiated(s.database, s.alice, ticket, s.bob))
    return initiated(s.database, s.alice, ticket, s.bob)


async def delete_a_ticket_that_was_on_its_way(s: Scene) -> Act:
    ticket = await s.ticket()
    await initiated(s.database, s.alice, ticket, s.bob)
    await ended(s.database, cancel_ticket, s.alice, ticket)
    return s.do(delete_ticket, actor_id=s.house.id, event_id=s.event.id, ticket_id=ticket.id)


async def give_a_transfer_up(s: Scene) -> Act:
    return cancelled(s.database, s.alice, await initiated(s.database, s.alice, await s.ticket(), s.bob))


async def let_the_house_end_a_transfer(s: Scene) -> Act:
    transfer = await initiated(s.database, s.alice, await s.ticket(), s.bob)
    return cancelled(s.database, s.house, transfer, any_party=True)


async def delete_who_was_to_get_a_ticket(s: Scene) -> Act:
    await initiated(s.database, s.alice, await s.ticket(), s.bob)
    return s.do(delete_user, user_id=s.bob.id)


async def dispute_a_transfer(s: Scene) -> Act:
    return disputed(s.database, s.alice, await transferred(s.database, s.alice, await s.ticket(), s.bob))


async def reject_a_dispute(s: Scene) -> Act:
    transfer = await transferred(s.database, s.alice, await s.ticket(), s.bob)
    return rejected(s.database, await disputed(s.database, s.bob, transfer))


async def reverse_a_transfer(s: Scene) -> Act:
    return undone(s.database, await transferred(s.database, s.alice, await s.ticket(), s.bob))


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


Told = dict[str, list[str]]
CONFIRMED: Told = {"alice": ["ORDER_CONFIRMED"]}
CANCELLED: Told = {"alice": ["ORDER_CANCELLED"]}
EXPIRED: Told = {"alice": ["HOLD_EXPIRED"]}
REFUNDED: Told = {"alice": ["ORDER_REFUNDED"]}
FAILED: Told = {"alice": ["TRANSFER_FAILED"], "bob": ["TRANSFER_FAILED"]}

WAYS: dict[Way, Told] = {
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
    offer_a_ticket: {"bob": ["TRANSFER_REQUESTED"]},
    ask_for_a_ticket: {"alice": ["TRANSFER_REQUESTED"]},
    confirm_a_transfer: {"alice": ["TRANSFER_COMPLETED"], "bob": ["TRANSFER_COMPLETED"]},
    three_wrong_codes_for_a_transfer: FAILED,
    three_wrong_codes_by_themselves: FAILED,
    let_a_transfer_lapse: FAILED,
    begin_another_transfer_after_one_that_lapsed: FAILED | {"bob": ["TRANSFER_FAILED", "TRANSFER_REQUESTED"]},
    delete_a_ticket_that_was_on_its_way: FAILED,
    give_a_transfer_up: {"bob": ["TRANSFER_FAILED"]},
    let_the_house_end_a_transfer: FAILED,
    delete_who_was_to_get_a_ticket: {"alice": ["TRANSFER_FAILED"]},
    dispute_a_transfer: {"bob": ["TRANSFER_DISPUTED"]},
    reject_a_dispute: {"alice": ["TRANSFER_COMPLETED"], "bob": ["TRANSFER_COMPLETED"]},
    reverse_a_transfer: {"alice": ["TRANSFER_REVERSED"], "bob": ["TRANSFER_REVERSED"]},
    top_up: {"alice": ["TOP_UP_SUCCEEDED"]},
    call_an_event_off: {
        "alice": ["EVENT_CANCELLED"],
        "bob": ["EVENT_CANCELLED"],
        "house": ["EVENT_CANCELLED"],
    },
}
"""What each of them is notified of by it, in this order, and nobody else of anything."""
