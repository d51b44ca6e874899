"""The house as a bank: whatever many clients do at once, no money is made or lost, at any look."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from database import Database
from jobs.check_invariants import violations
from models.catalogue import Event
from models.columns import new_id
from models.orders import Order
from models.users import User
from payments.simulated import SimulatedProvider
from steps.adjust_credits import adjust_credits
from steps.refund_transaction import refund_transaction
from steps.refusals import RefusalCode, Refused
from steps.transact import transact
from tests.cards import begun_for, books, cancelled, charged, paid_back, repaired
from tests.paying import balance, settled, topped_up
from tests.world import CURRENCY, LIMITS, hold, new_event, new_user, pay, priced, refund

CLIENTS, MOVES, LOOKS_MIN = 8, 12, 10

# One statement sees one moment: balances, and what the movements say of them.
LOOK = """
    WITH sides AS (
        SELECT credit AS account, amount_minor AS minor FROM movements
        UNION ALL SELECT debit, -amount_minor FROM movements
    )
    SELECT (SELECT coalesce(sum(balance_minor), 0)::bigint FROM accounts) AS balances,
        (SELECT coalesce(min(balance_minor), 0)::bigint FROM accounts) AS least,
        (SELECT coalesce(sum(minor), 0)::bigint FROM sides WHERE account = 'CREDITS') AS moved,
        (SELECT coalesce(sum(amount_minor), 0)::bigint FROM refunds WHERE status = 'PENDING') AS owed,
        (SELECT coalesce(sum(minor), 0)::bigint FROM sides WHERE account = 'ESCROW') AS kept"""


class Client:
    """Somebody who does at random whatever a person with money can do, for themselves."""

    def __init__(self, database: Database, provider: SimulatedProvider, event: Event, user: User) -> None:
        self.database, self.provider, self.event, self.user = database, provider, event, user
        self.orders: list[Order] = []

    async def live(self, dice: random.Random) -> None:
        ways: list[Callable[[random.Random], Coroutine[Any, Any, object]]] = [
            self.reserve,
            self.top_up,
            self.correct,
            self.pay,
            self.pay_by_card,
            self.give_back,
            self.cancel,
            self.pay_back,
            self.repair,
        ]
        for _ in range(MOVES):
            try:
                await dice.choice(ways)(dice)
            except Refused:
                continue  # which is an answer, and leaves nothing behind

    def one(self, dice: random.Random) -> Order:
        return dice.choice(self.orders) if self.orders else Order(event_id=new_id(), id=new_id())

    async def reserve(self, dice: random.Random) -> None:
        wish = dice.sample(range(40), dice.randint(1, 3))
        self.orders.append(await hold(self.database, self.user, self.event, wish))

    async def top_up(self, dice: random.Random) -> None:
        await topped_up(self.database, self.user, self.provider, dice.randint(100, 3_000))

    async def correct(self, dice: random.Random) -> None:
        await transact(
            self.database,
            adjust_credits,
            actor_id=self.user.id,
            user_id=self.user.id,
            amount_minor=dice.choice([-700, -50, 50, 700]),
            currency=CURRENCY,
            reason="by chance",
        )

    async def pay(self, dice: random.Random) -> None:
        await pay(self.database, self.user, self.one(dice))

    async def pay_by_card(self, dice: random.Random) -> None:
        news = await begun_for(self.database, self.one(dice), self.provider)
        said = await self.provider.play(news.reference, dice.choice(["succeeded", "succeeded", "failed"]))
        if dice.random() < 0.8:  # else the webhook is lost
            await settled(self.database, said)

    async def give_back(self, dice: random.Random) -> None:
        await refund(self.database, self.user, self.one(dice))

    async def cancel(self, dice: random.Random) -> None:
        await cancelled(self.database, self.one(dice))

    async def pay_back(self, dice: random.Random) -> None:
        found = await self.database.rows(
            """SELECT id FROM movements WHERE user_id = $1 AND kind = 'PURCHASE' AND credit = 'REVENUE'
               UNION ALL SELECT id FROM payments WHERE user_id = $1 AND order_id IS NULL""",
            self.user.id,
        )
        await transact(
            self.database,
            refund_transaction,
            actor_id=self.user.id,
            user_id=self.user.id,
            id=dice.choice([row["id"] for row in found] or [new_id()]),
            amount=None,
            reason="by chance",
        )

    async def repair(self, dice: random.Random) -> None:
        await repaired(self.database, self.provider)


async def test_the_total_is_the_same_at_every_look(database: Database) -> None:
    provider = SimulatedProvider(database, "a secret")
    event = await new_event(database, await priced(rows=5, seats_a_row=8, price="7.35"))
    clients = [
        Client(database, provider, event, await new_user(database, credits_minor=2_000))
        for _ in range(CLIENTS)
    ]
    living = asyncio.gather(*(client.live(random.Random(n)) for n, client in enumerate(clients)))
    looks = 0
    while not living.done() or looks < LOOKS_MIN:
        (look,) = await database.rows(LOOK)
        assert look["balances"] == look["moved"]
        assert look["least"] >= 0
        assert look["owed"] == look["kept"]
        assert sum((await books(database)).values()) == 0
        looks += 1
    await living
    for _ in range(2):  # what lost its webhook, and what that sends back
        await repaired(database, provider)
    taken = await database.rows(
        "SELECT coalesce(sum(amount_minor), 0)::bigint FROM simulated_payments WHERE status = 'succeeded'"
    )
    assert (await books(database)).get("PROVIDER", 0) == sum(await paid_back(database)) - taken[0][0]
    assert "ESCROW" not in await books(database)
    assert await violations(database) == []


async def test_fifty_payments_at_once_from_an_account_that_can_afford_one(database: Database) -> None:
    event = await new_event(database, await priced(rows=5, seats_a_row=10))
    alice = await new_user(database, credits_minor=1_000)
    limits = replace(LIMITS, seats_per_buyer_max=50)
    held = [await hold(database, alice, event, [index], limits=limits) for index in range(50)]
    outcomes = await asyncio.gather(*(pay(database, alice, order) for order in held), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    assert {one.code for one in refused} == {RefusalCode.INSUFFICIENT_CREDITS}
    assert (len(refused), await balance(database, alice)) == (49, 0)
    assert await books(database) == {"CORRECTIONS": -1_000, "REVENUE": 1_000}
    assert await violations(database) == []


@pytest.mark.parametrize("seed", range(3))
async def test_news_in_reverse_order_and_the_job_between_them_leave_the_same_books(
    database: Database, seed: int
) -> None:
    provider, event = SimulatedProvider(database, "a secret"), await new_event(database)
    alice, dice = await new_user(database), random.Random(seed)
    news = [await charged(database, await hold(database, alice, event, [i]), provider) for i in range(5)]
    told = [one for one in reversed(news) for _ in range(10)]
    dice.shuffle(told) if seed else None
    await asyncio.gather(*(settled(database, one) for one in told), repaired(database, provider))
    assert await books(database) == {"PROVIDER": -5_000, "REVENUE": 5_000}
    assert await violations(database) == []
