"""Orders that are paid by card, as their buyers, the provider and the network do it."""

from database import Database
from jobs.send_refunds import send_refunds_once
from jobs.settle_payments import settle_payments_once
from models.catalogue import Event
from models.orders import Order
from models.payments import Payment, ProviderName
from models.users import User
from payments.provider import News
from payments.simulated import SimulatedProvider
from steps.cancel import cancel_order
from steps.idempotency import Key
from steps.pay_by_card import CardTerms, note_card_payment, open_card_payment
from steps.transact import transact
from tests.paying import make_due, settled
from tests.world import hold, let_lapse

TERMS = CardTerms(ProviderName.SIMULATED, hold_seconds=900)


async def opened_for(
    database: Database, order: Order, *, terms: CardTerms = TERMS, key: Key | None = None
) -> Payment:
    """A payment for an order, of which no provider knows."""
    return await transact(
        database,
        open_card_payment,
        buyer_id=order.buyer_id,
        event_id=order.event_id,
        order_id=order.id,
        terms=terms,
        key=key,
    )


async def begun_for(
    database: Database, order: Order, provider: SimulatedProvider, *, key: Key | None = None
) -> News:
    """A payment for an order that waits for its buyer's card."""
    news = await provider.begin(await opened_for(database, order, key=key))
    await transact(database, note_card_payment, news=news, event_id=order.event_id, order_id=order.id)
    return news


async def charged(database: Database, order: Order, provider: SimulatedProvider) -> News:
    """The news that a card was charged for an order, of which the house has not heard."""
    news = await begun_for(database, order, provider)
    return await provider.play(news.reference, "succeeded")


async def bought_by_card(
    database: Database, buyer: User, event: Event, provider: SimulatedProvider, *indexes: int
) -> Order:
    """An order of these seats that was paid by card."""
    order = await hold(database, buyer, event, list(indexes))
    assert await settled(database, await charged(database, order, provider))
    return await order_of(database, order)


async def let_card_lapse(database: Database, order: Order) -> None:
    """Let the time be over in which an order is held and its card waited for."""
    await let_lapse(database, order)
    async with database.transaction() as tx:
        await tx.rows("UPDATE payments SET held_until = now() WHERE order_id = $1", order.id)


async def cancelled(database: Database, order: Order) -> Order:
    return await transact(
        database,
        cancel_order,
        caller_id=order.buyer_id,
        any_buyer=False,
        event_id=order.event_id,
        order_id=order.id,
    )


async def repaired(database: Database, provider: SimulatedProvider) -> None:
    """Let the jobs do by hand what is left to do with the provider."""
    await make_due(database)
    await settle_payments_once(database, provider)
    async with database.transaction() as tx:
        await tx.rows("UPDATE refunds SET ask_at = now() WHERE ask_at IS NOT NULL")
    await send_refunds_once(database, provider)


async def order_of(database: Database, order: Order) -> Order:
    (row,) = await database.rows("SELECT * FROM orders WHERE id = $1", order.id)
    return Order(**row)


async def tickets_of(database: Database, order: Order) -> str:
    """The states of an order's tickets, each with its first letter, the oldest first."""
    rows = await database.rows("SELECT status FROM tickets WHERE order_id = $1 ORDER BY index, id", order.id)
    return "".join(row["status"][0] for row in rows)


async def books(database: Database) -> dict[str, int]:
    """What each account has, but for those with nothing."""
    rows = await database.rows(
        """SELECT account, sum(amount)::bigint AS minor FROM (
             SELECT credit AS account, amount_minor AS amount FROM movements UNION ALL
             SELECT debit, -amount_minor FROM movements) m GROUP BY account ORDER BY account"""
    )
    return {row["account"]: row["minor"] for row in rows if row["minor"]}


async def paid_back(database: Database) -> list[int]:
    """What the simulated provider paid back, the oldest first."""
    rows = await database.rows("SELECT amount_minor FROM simulated_refunds ORDER BY created_at")
    return [row["amount_minor"] for row in rows]
