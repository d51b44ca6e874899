"""Loads the demo into an empty house: people, venues, and three published events with their plans."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import orjson

from auth.passwords import hash_password
from database import Database
from demo.plans import PLANS, DemoPlan
from models.money import to_minor
from models.users import Role
from steps.create_catalogue import create_event, create_hall, create_venue
from steps.details import EventDetails, TierDraft, price_plan
from steps.ledger import give_credits
from steps.publish import publish_event
from steps.register import Person, register_user
from steps.transact import transact

PASSWORD = "rowlock-demo"  # noqa: S105
CREDITS = 1_000
ACCOUNTS = {
    "admin@example.com": ("Ada Admin", (Role.USER, Role.ADMIN)),
    "operator@example.com": ("Olga Operator", (Role.USER, Role.OPERATOR)),
    "staff@example.com": ("Stan Staff", (Role.USER, Role.STAFF)),
    "alice@example.com": ("Alice Archer", (Role.USER,)),
    "bob@example.com": ("Bob Baker", (Role.USER,)),
}
WITH_CREDITS = ("alice@example.com", "bob@example.com")


@dataclass(frozen=True)
class DemoEvent:
    """One event of the demo: what it is, where, and in how many days it starts."""

    plan: str
    name: str
    description: str
    category: str
    venue: tuple[str, str]
    hall: tuple[str, str]
    in_days: int
    hours: int


EVENTS = (
    DemoEvent(
        "theatre",
        "The Seagull",
        "Chekhov's comedy in four acts.",
        "Theatre",
        ("Playhouse on the Quay", "Quayside 12, 20457 Hamburg"),
        ("MAIN", "Main Stage"),
        30,
        3,
    ),
    DemoEvent(
        "arena",
        "Northern Lights Tour",
        "The band's only night in the city, in the round.",
        "Concert",
        ("Harbour Arena", "Arena Way 1, 22525 Hamburg"),
        ("ARENA", "Arena"),
        60,
        4,
    ),
    DemoEvent(
        "club",
        "Late Night Quartet",
        "Jazz until the small hours, standing or at a table.",
        "Jazz",
        ("The Cellar", "Marktstraße 40, 20357 Hamburg"),
        ("CLUB", "Club Room"),
        14,
        5,
    ),
)


async def load_demo(database: Database, currency: str) -> bool:
    """Load what of the demo is not there yet; return whether there was anything to load."""
    people = await database.rows("SELECT 1 FROM users WHERE lower(email) = 'admin@example.com'")
    if not people:
        await _load_people(database, currency)
    to_come = {
        row["name"]
        for row in await database.rows("SELECT name FROM events WHERE ends_at > statement_timestamp()")
    }
    missing = [event for event in EVENTS if event.name not in to_come]
    for event in missing:
        await _load_event(database, event)
    return bool(missing) or not people


async def _load_people(database: Database, currency: str) -> None:
    password_hash = await hash_password(PASSWORD)
    for email, (name, roles) in ACCOUNTS.items():
        user = await transact(
            database,
            register_user,
            person=Person(email, None, None, name),
            password_hash=password_hash,
            roles=roles,
        )
        if email in WITH_CREDITS:
            await transact(
                database,
                give_credits,
                user_id=user.id,
                amount_minor=CREDITS * to_minor(Decimal(1), currency),
                currency=currency,
                reason="A gift for the demo",
            )


async def _load_event(database: Database, demo: DemoEvent) -> None:
    plan = PLANS[demo.plan]
    starts_at = _evening(demo.in_days)
    details = EventDetails(
        name=demo.name,
        description=demo.description,
        category=demo.category,
        hall_id=await _hall(database, demo),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=demo.hours),
        timezone="Europe/Berlin",
        sales_start_at=None,
        sales_end_at=None,
    )
    priced = await price_plan(plan_text(plan), _tiers(plan), plan.currency)
    event = await transact(database, create_event, details=details, plan=priced)
    await transact(database, publish_event, event_id=event.id)


def plan_text(plan: DemoPlan) -> str:
    """The plan as the JSON that an operator would send."""
    return orjson.dumps(plan.draw()).decode()


def _tiers(plan: DemoPlan) -> list[TierDraft]:
    return [TierDraft(name, Decimal(price), capacity) for name, price, capacity in plan.tiers]


def _evening(in_days: int) -> datetime:
    day = datetime.now(UTC) + timedelta(days=in_days)
    return day.replace(hour=19, minute=30, second=0, microsecond=0)


async def _hall(database: Database, demo: DemoEvent) -> UUID:
    """The hall that an earlier demo made, or a new one in a new venue."""
    known = await database.rows(
        "SELECT h.id FROM halls h JOIN venues v ON v.id = h.venue_id WHERE v.name = $1 AND h.code = $2",
        demo.venue[0],
        demo.hall[0],
    )
    if known:
        hall_id: UUID = known[0]["id"]
        return hall_id
    venue = await transact(database, create_venue, name=demo.venue[0], address=demo.venue[1])
    hall = await transact(database, create_hall, venue_id=venue.id, code=demo.hall[0], name=demo.hall[1])
    return hall.id
