"""Many buyers at few seats, each doing what comes to mind: nothing is sold twice and the books agree."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from database import Database
from jobs.check_invariants import violations
from jobs.relay import number_changes_once
from jobs.release_holds import release_holds_once
from live.bus import Bus
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
from steps.choose import BestAvailable, GeneralAdmission
from steps.idempotency import Key
from steps.pay_together import Payments
from steps.refusals import Refused
from steps.reserve import ChosenSeats
from steps.reserve_together import Reservations
from steps.transact import transact
from tests.world import CURRENCY, LIMITS, Wish, hold, let_lapse, new_event, new_user, pay, priced

BUYERS = 12
ACTIONS_EACH = 60
NUMBERED, STANDING = 12, 6
CREDITS_MINOR = 5_000
ACTIONS = ["hold"] * 8 + ["pay"] * 3 + ["cancel", "lapse", "sweep", "again", "somebody else's"]


Hold = Callable[..., Awaitable[Order]]


def together(database: Database) -> tuple[Hold, Hold]:
    """How buyers of one server hold and pay: with whoever else arrives."""
    reservations, payments = Reservations(database, LIMITS), Payments(database, CURRENCY)

    async def hold_together(
        _: Database, buyer: User, event: Event, wish: Wish, key: Key | None = None
    ) -> Order:
        selection = ChosenSeats(tuple(wish)) if isinstance(wish, list) else wish
        return await reservations.reserve(buyer_id=buyer.id, event_id=event.id, selection=selection, key=key)

    async def pay_together(_: Database, buyer: User, order: Order) -> Order:
        return await payments.pay(buyer_id=buyer.id, event_id=order.event_id, order_id=order.id, key=None)

    return hold_together, pay_together


def alone(_: Database) -> tuple[Hold, Hold]:
    return hold, pay


@dataclass
class Storm:
    """One event, everybody's orders, and what became of each action."""

    database: Database
    event: Event
    hold: Hold
    pay: Hold
    orders: list[Order] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    async def blow(self, buyer: User, dice: random.Random) -> None:
        """Let one buyer act; whatever is no refusal ends the storm."""
        for number in range(ACTIONS_EACH):
            action = dice.choice(ACTIONS)
            key = Key.of(buyer.id, "storm", f"{number // 2}", {"number": number // 2})
            try:
                await self._act(action, buyer, dice, key if dice.random() < 0.3 else None)
                self.outcomes[action] += 1
            except Refused as refused:
                self.outcomes[refused.code] += 1

    async def _act(self, action: str, buyer: User, dice: random.Random, key: Key | None) -> None:
        mine = [order for order in self.orders if order.buyer_id == buyer.id]
        theirs = [order for order in self.orders if order.buyer_id != buyer.id]
        match action:
            case "sweep":
                await release_holds_once(self.database)
            case "pay" | "again" if mine:
                orders = [dice.choice(mine)] * (2 if action == "again" else 1)
                await asyncio.gather(*(self.pay(self.database, buyer, order) for order in orders))
            case "cancel" if mine:
                await self._cancel(buyer, dice.choice(mine))
            case "lapse" if mine:
                await let_lapse(self.database, dice.choice(mine))
            case "somebody else's" if theirs:
                await self.pay(self.database, buyer, dice.choice(theirs))
            case _:
                self.orders.append(await self.hold(self.database, buyer, self.event, _wish(dice), key=key))

    async def _cancel(self, buyer: User, order: Order) -> None:
        await transact(
            self.database,
            cancel_order,
            caller_id=buyer.id,
            any_buyer=False,
            event_id=order.event_id,
            order_id=order.id,
        )


def _wish(dice: random.Random) -> Wish:
    wishes: list[Wish] = [
        dice.sample(range(NUMBERED), dice.randint(1, 4)),
        GeneralAdmission(((1, dice.randint(1, 3)),)),
        BestAvailable(dice.randint(1, 3)),
    ]
    return dice.choice(wishes)


@pytest.mark.parametrize("ways", [alone, together])
@pytest.mark.parametrize("seed", range(2))
async def test_a_storm_of_orders_leaves_every_invariant_whole(
    database: Database, seed: int, ways: Callable[[Database], tuple[Hold, Hold]]
) -> None:
    event = await new_event(database, await priced(rows=2, seats_a_row=NUMBERED // 2, standing=STANDING))
    buyers = [await new_user(database, credits_minor=CREDITS_MINOR) for _ in range(BUYERS)]
    storm = Storm(database, event, *ways(database))
    dice = random.Random(seed)
    await asyncio.gather(*(storm.blow(buyer, random.Random(dice.random())) for buyer in buyers))
    assert storm.outcomes["pay"] > 0, storm.outcomes
    assert storm.outcomes["hold"] > 0, storm.outcomes
    while await number_changes_once(database, Bus(None)):
        pass
    assert await violations(database) == []
    (money,) = await database.rows(
        """SELECT (SELECT sum(balance_minor)::bigint FROM accounts) AS left,
                  (SELECT coalesce(sum(price_minor), 0)::bigint FROM tickets) AS spent,
                  (SELECT coalesce(sum(amount_minor), 0)::bigint FROM movements
                   WHERE kind = 'PURCHASE') AS revenue"""
    )
    assert money["spent"] == money["revenue"] == BUYERS * CREDITS_MINOR - money["left"]


async def test_a_house_is_sold_out_to_the_last_seat_and_no_further(database: Database) -> None:
    event = await new_event(database, await priced(rows=2, seats_a_row=NUMBERED // 2, standing=STANDING))
    buyers = [await new_user(database, credits_minor=50_000) for _ in range(BUYERS)]

    async def buy(buyer: User, dice: random.Random) -> None:
        for _ in range(10):
            try:
                await pay(database, buyer, await hold(database, buyer, event, _wish(dice)))
            except Refused:
                continue

    await asyncio.gather(*(buy(buyer, random.Random(number)) for number, buyer in enumerate(buyers)))
    for index in range(NUMBERED):
        try:
            await pay(database, buyers[0], await hold(database, buyers[0], event, [index]))
        except Refused:
            continue
    sold = await database.rows("SELECT 1 FROM tickets WHERE index < $1", NUMBERED)
    assert len(sold) == NUMBERED
    assert len(await database.rows("SELECT 1 FROM tickets")) <= NUMBERED + STANDING
    assert await violations(database) == []
