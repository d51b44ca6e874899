"""Where and when: venues, their halls, and the events that take place in them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, text
from sqlalchemy.dialects.postgresql import TSVECTOR, ExcludeConstraint
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, new_id, one_of, texts


class Venue(SQLModel, table=True):
    """A house with an address."""

    __tablename__ = "venues"
    __table_args__ = (
        Index("venues_name", "name", "id"),
        Index(
            "venues_search",
            text("to_tsvector('simple', name || ' ' || address)"),
            postgresql_using="gin",
        ),
    )

    id: UUID = Field(default_factory=new_id, sa_column=ids(primary_key=True))
    name: str = Field(sa_column=texts())
    address: str = Field(sa_column=texts())
    created_at: datetime | None = Field(default=None, sa_column=born())


class Hall(SQLModel, table=True):
    """A room of a venue; its code is what a door scanner is set to."""

    __tablename__ = "halls"
    __table_args__ = (Index("halls_code_key", "venue_id", "code", unique=True),)

    id: UUID = Field(default_factory=new_id, sa_column=ids(primary_key=True))
    venue_id: UUID = Field(sa_column=Column(ForeignKey("venues.id"), nullable=False))
    code: str = Field(sa_column=texts())
    name: str = Field(sa_column=texts())
    created_at: datetime | None = Field(default=None, sa_column=born())


class EventStatus(StrEnum):
    """Where an event is in its life; one that was PUBLISHED and is over reads as ENDED."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    CANCELLED = "CANCELLED"
    ENDED = "ENDED"


EVENTS_NOW = """(
    SELECT id, hall_id, name, description, category, starts_at, ends_at, timezone, sales_start_at,
        sales_end_at, currency, total_seats, search, created_at,
        CASE WHEN status = 'PUBLISHED' AND ends_at <= statement_timestamp() THEN 'ENDED'
             ELSE status END AS status
    FROM events)"""
"""Events as they read at this moment."""


class Event(SQLModel, table=True):
    """Something that takes place in a hall at a time, and that seats are sold for."""

    __tablename__ = "events"
    __table_args__ = (
        one_of("status", EventStatus, "events_status_known"),
        CheckConstraint("starts_at < ends_at", name="events_end_after_start"),
        CheckConstraint("sales_start_at < sales_end_at", name="events_sales_end_after_start"),
        CheckConstraint("total_seats >= 0", name="events_total_seats_not_negative"),
        ExcludeConstraint(
            (text("uuidrange(hall_id, hall_id, '[]')"), "&&"),
            (text("tstzrange(starts_at, ends_at)"), "&&"),
            using="gist",
            where=text("status = 'PUBLISHED'"),
            name="events_hall_free",
        ),
        Index("events_by_start", "starts_at", "id"),
        Index("events_by_hall", "hall_id", "ends_at"),
        Index("events_search", "search", postgresql_using="gin"),
    )

    id: UUID = Field(default_factory=new_id, sa_column=ids(primary_key=True))
    hall_id: UUID = Field(sa_column=Column(ForeignKey("halls.id"), nullable=False))
    name: str = Field(sa_column=texts())
    description: str = Field(sa_column=texts())
    category: str = Field(sa_column=texts())
    starts_at: datetime = Field(sa_column=moments())
    ends_at: datetime = Field(sa_column=moments())
    timezone: str = Field(sa_column=texts())
    sales_start_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    sales_end_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    currency: str = Field(sa_column=texts())
    status: str = Field(default=EventStatus.DRAFT.value, sa_column=texts())
    total_seats: int = Field(default=0, sa_column=Column(Integer, nullable=False))
    search: str | None = Field(default=None, sa_column=Column(TSVECTOR, nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=born())


class Plan(SQLModel, table=True):
    """How an event's seats lie in its hall: one JSON document, laid out once when the plan is imported.

    `source` is the plan as it was given, for a draft whose tiers change; None when there is no plan.
    """

    __tablename__ = "plans"

    event_id: UUID = Field(sa_column=Column(ForeignKey("events.id"), primary_key=True))
    document: str = Field(sa_column=texts())
    source: str | None = Field(default=None, sa_column=texts(nullable=True))


class Cancellation(SQLModel, table=True):
    """An event that an operator cancelled, while there may be money to be paid back, and after.

    `look_at` is when a job looks for orders that are left; null: there are none, and there will be none.
    """

    __tablename__ = "cancellations"
    __table_args__ = (
        Index("cancellations_to_look_at", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )

    event_id: UUID = Field(sa_column=Column(ForeignKey("events.id"), primary_key=True))
    actor_id: UUID = Field(sa_column=ids())
    cancelled_at: datetime = Field(default=None, sa_column=born())
    look_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
