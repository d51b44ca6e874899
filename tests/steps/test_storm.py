"""Many buyers at few seats, each doing what comes to mind: nothing is sold twice and the books agree."""

import asyncio
import random

from database import Database
from jobs.check_invariants import violations
from jobs.relay import number_changes_once
from live.bus import Bus
from models.catalogue import Event
from models.orders import Order
from models.users import User
from steps.cancel import cancel_order
from steps.choose import BestAvailable, GeneralAdmission
from steps.refusals import Refused
from steps.release import release_lapsed
from steps.transact import transact
from tests.world import hold, let_lapse, new_event, new_user, pay, priced

BUYERS = 12
ACTIONS_EACH = 25
SEED = 20261120


async def _act(
    database: Database, event: Event, buyer: User, orders: list[Order], dice: random.Random
) -> None:
    wishes = [
        dice.sample(range(12), dice.randint(1, 4)),
        GeneralAdmission(((1, dice.randint(1, 3)),)),
        BestAvailable(dice.randint(1, 3)),
    ]
    if not orders or dice.random() < 0.5:
        orders.append(await hold(database, buyer, event, dice.choice(wishes)))
        return
    order = orders.pop(dice.randrange(len(orders)))
    match dice.choice(["pay", "cancel", "lapse", "sweep"]):
        case "pay":
            await pay(database, buyer, order)
        case "cancel":
            await transact(
                database,
                cancel_order,
                caller_id=buyer.id,
                any_buyer=False,
                event_id=event.id,
                order_id=order.id,
            )
        case "lapse":
            await let_lapse(database, order)
        case "sweep":
            await transact(database, release_lapsed, orders_max=5)


async def _buy(database: Database, event: Event, buyer: User, dice: random.Random) -> int:
    orders: list[Order] = []
    done = 0
    for _ in range(ACTIONS_EACH):
        try:
            await _act(database, event, buyer, orders, dice)
            done += 1
        except Refused:
            continue
    return done


async def test_a_storm_of_orders_leaves_every_invariant_whole(database: Database) -> None:
    event = await new_event(database, await priced(rows=2, seats_a_row=6, standing=6))
    buyers = [await new_user(database, credits_minor=5_000) for _ in range(BUYERS)]
    dice = random.Random(SEED)
    storms = [_buy(database, event, buyer, random.Random(dice.random())) for buyer in buyers]
    done = sum(await asyncio.gather(*storms))
    assert done > BUYERS
    bus = Bus(None)
    await number_changes_once(database, bus)
    assert await violations(database) == []
