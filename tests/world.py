"""People and events to test with, made by the same steps as in life."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import orjson

from database import Database, Transaction
from models.catalogue import Event
from models.orders import Order
from models.users import Role, User
from steps.choose import BestAvailable, GeneralAdmission
from steps.create_catalogue import create_event, create_hall, create_venue
from steps.details import EventDetails, PricedPlan, TierDraft, price_plan
from steps.hold import Limits
from steps.idempotency import Key
from steps.ledger import give_credits
from steps.pay import pay_order
from steps.publish import publish_event
from steps.refund import refund_order
from steps.refusals import Refused
from steps.register import Person, register_user
from steps.reserve import ChosenSeats, reserve_seats
from steps.transact import transact

CURRENCY = "EUR"
LIMITS = Limits(hold_seconds=300, seats_per_order_max=10, seats_per_buyer_max=20)


async def new_user(database: Database, *roles: Role, credits_minor: int = 0, email: str = "") -> User:
    """A person with these roles beside USER, and so many credits."""
    user = await transact(
        database,
        register_user,
        person=Person(email or f"{uuid4().hex}@example.com", None, None, None),
        password_hash="-",
        roles=(Role.USER, *roles),
    )
    if credits_minor:
        await transact(
            database,
            give_credits,
            user_id=user.id,
            amount_minor=credits_minor,
            currency=CURRENCY,
            reason="for a test",
        )
    return user


def plan_text(rows: int, seats_a_row: int, category: str = "Stalls") -> str:
    """A plan of straight rows, as JSON in the open format."""
    return orjson.dumps(
        {
            "name": "Room",
            "size": {"width": 1000, "height": 1000},
            "categories": [{"name": category, "color": "#336699"}],
            "zones": [
                {
                    "name": "Parkett",
                    "position": {"x": 100, "y": 200},
                    "rows": [
                        {
                            "row_number": str(row + 1),
                            "position": {"x": 0, "y": 20 * row},
                            "seats": [
                                {
                                    "seat_guid": f"{row}-{seat}",
                                    "seat_number": str(seat + 1),
                                    "position": {"x": 20 * seat, "y": 0},
                                    "category": category,
                                }
                                for seat in range(seats_a_row)
                            ],
                        }
                        for row in range(rows)
                    ],
                }
            ],
        }
    ).decode()


async def priced(rows: int = 2, seats_a_row: int = 5, standing: int = 0, price: str = "10.00") -> PricedPlan:
    """Tier 0 has numbered seats, as many as the rows say; the next one standing places at half price."""
    tiers = [TierDraft("Stalls", Decimal(price))] if rows else []
    if standing:
        tiers.append(TierDraft("Standing", Decimal(price) / 2, standing))
    return await price_plan(plan_text(rows, seats_a_row) if rows else None, tiers, CURRENCY)


async def new_hall(database: Database) -> UUID:
    venue = await transact(database, create_venue, name="House", address="Street 1")
    return (await transact(database, create_hall, venue_id=venue.id, code="H1", name="Hall")).id


def details(hall_id: UUID, **changes: object) -> EventDetails:
    """An event in 30 days, for 3 hours, but for what is changed."""
    starts_at = datetime.now(UTC) + timedelta(days=30)
    given = {
        "name": "Show",
        "description": "",
        "category": "Theatre",
        "hall_id": hall_id,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=3),
        "timezone": "UTC",
        "sales_start_at": None,
        "sales_end_at": None,
    }
    return EventDetails(**(given | changes))  # type: ignore[arg-type]


async def new_draft(database: Database, plan: PricedPlan | None = None, **changes: object) -> Event:
    """A draft in a hall of its own, by default with 2 rows of 5 seats at 10.00."""
    what = details(await new_hall(database), **changes)
    return await transact(database, create_event, details=what, plan=plan or await priced())


async def new_event(database: Database, plan: PricedPlan | None = None, **changes: object) -> Event:
    """A published event in a hall of its own."""
    draft = await new_draft(database, plan, **changes)
    return await transact(database, publish_event, event_id=draft.id)


Wish = list[int] | GeneralAdmission | BestAvailable


async def hold(
    database: Database,
    buyer: User,
    event: Event,
    wish: Wish,
    *,
    limits: Limits = LIMITS,
    key: Key | None = None,
) -> Order:
    """Reserve as `reserve` does: seats by index, places by tier, or the best available."""
    selection = ChosenSeats(tuple(wish)) if isinstance(wish, list) else wish
    return await transact(
        database,
        reserve_seats,
        buyer_id=buyer.id,
        event_id=event.id,
        selection=selection,
        limits=limits,
        key=key,
    )


async def pay(database: Database, buyer: User, order: Order, *, key: Key | None = None) -> Order:
    """Pay as `pay` does."""
    return await transact(
        database,
        pay_order,
        buyer_id=buyer.id,
        event_id=order.event_id,
        order_id=order.id,
        credits_currency=CURRENCY,
        key=key,
    )


async def refund(
    database: Database, caller: User, order: Order, *, any_buyer: bool = False, key: Key | None = None
) -> Order:
    """Refund as `refundOrder` does, with a day's notice."""
    return await transact(
        database,
        refund_order,
        caller_id=caller.id,
        any_buyer=any_buyer,
        event_id=order.event_id,
        order_id=order.id,
        hours_before=24,
        key=key,
    )


async def let_lapse(database: Database, order: Order) -> None:
    """Let the time of an order, and of the seats that name it, be over at this moment."""

    async def lapse(tx: Transaction) -> None:
        for table, column in (("orders", "id"), ("seats", "order_id")):
            await tx.rows(
                f"""UPDATE {table} SET held_until = now()
                    WHERE event_id = $1 AND {column} = $2 AND held_until IS NOT NULL""",
                order.event_id,
                order.id,
            )

    await transact(database, lapse)


@asynccontextmanager
async def an_hour_later(tx: Transaction) -> AsyncIterator[None]:
    """Let the statements of a transaction run as they would run in an hour."""
    await tx.rows("CREATE SCHEMA later")
    await tx.rows(
        """CREATE FUNCTION later.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
           RETURN pg_catalog.statement_timestamp() + interval '1 hour'"""
    )
    await tx.rows("SET LOCAL search_path = later, pg_catalog, public")
    yield
    await tx.rows("SET LOCAL search_path TO DEFAULT")
    await tx.rows("DROP SCHEMA later CASCADE")


async def letters(database: Database, event: Event) -> str:
    """The seats of an event as they stand in their rows, a letter each."""
    rows = await database.rows("SELECT status FROM seats WHERE event_id = $1 ORDER BY index", event.id)
    return "".join(row["status"] for row in rows)


@dataclass(frozen=True)
class Everything:
    """Every row of every table, to compare before and after a refusal."""

    rows: dict[str, list[str]]


async def everything(database: Database) -> Everything:
    """All there is in the database, but for what a transaction that rolled back cannot leave.

    And but for revisions, which a relay gives to the changes of before whenever it comes to it.
    """
    tables = await database.rows(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    rows = {}
    for (table,) in tables:
        found = await database.rows(f"SELECT (to_jsonb(t) - 'revision')::text FROM {table} t ORDER BY 1")
        rows[table] = [row[0] for row in found]
    return Everything(rows)


async def refusal_of(attempt: Awaitable[object]) -> Refused:
    """The refusal that an attempt ends with."""
    try:
        await attempt
    except Refused as refused:
        return refused
    raise AssertionError("it was not refused")


async def until_somebody_waits(database: Database) -> None:
    """Ask PostgreSQL, rather than the clock, whether another transaction has come to our lock."""
    waiting = """SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    async with asyncio.timeout(10):
        while not (await database.rows(waiting))[0]["count"]:
            await asyncio.sleep(0)
