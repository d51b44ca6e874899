"""What can be sold: price tiers, seats (every unit is a row), and the log of every change to a seat."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    text,
)
from sqlmodel import BigInteger, Boolean, Field, SQLModel

from models.columns import born, ids, moments, one_of, texts


def is_free(seat: str) -> str:
    """The one predicate, in SQL, of a seat that can be had: a hold whose time is over is none."""
    return f"({seat}.status = 'A' OR ({seat}.status = 'H' AND {seat}.held_until <= statement_timestamp()))"


SEATS_NOW = """(
    SELECT event_id, index, version, tier, section, row, number, order_id, held_until,
        CASE WHEN held_until <= statement_timestamp() THEN 'A' ELSE status END AS status FROM seats)"""
"""Seats as they read at this moment."""


class Tier(SQLModel, table=True):
    """A price and the seats that it is asked for; the number is its place in the event's price list."""

    __tablename__ = "tiers"
    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="tiers_price_not_negative"),
        CheckConstraint("capacity > 0", name="tiers_capacity_positive"),
        Index("tiers_name_key", "event_id", "name", unique=True),
    )

    event_id: UUID = Field(sa_column=Column(ForeignKey("events.id"), primary_key=True))
    number: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    name: str = Field(sa_column=texts())
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    color: str | None = Field(default=None, sa_column=texts(nullable=True))
    general_admission: bool = Field(sa_column=Column(Boolean, nullable=False))
    capacity: int = Field(sa_column=Column(Integer, nullable=False))
    first_index: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))


class SeatStatus(StrEnum):
    """The letter of a seat's state, as it stands in the row, in the log and in a map's string."""

    AVAILABLE = "A"
    HELD = "H"
    SOLD = "S"
    CHECKED_IN = "C"
    BLOCKED = "B"


class Seat(SQLModel, table=True):
    """One unit that can be sold, numbered or not; `index` is dense from 0, `version` grows by 1 a change.

    The table leaves room in its pages, and no index mentions what a sale changes, so that a change stays
    a heap-only update.
    """

    __tablename__ = "seats"
    __table_args__ = (
        ForeignKeyConstraint(["event_id", "tier"], ["tiers.event_id", "tiers.number"]),
        one_of("status", SeatStatus, "seats_status_known"),
        CheckConstraint("(status = 'H') = (held_until IS NOT NULL)", name="seats_held_until_while_held"),
        CheckConstraint("(status IN ('A', 'B')) = (order_id IS NULL)", name="seats_order_while_taken"),
        CheckConstraint("index >= 0", name="seats_index_not_negative"),
        CheckConstraint("version >= 0", name="seats_version_not_negative"),
        Index("seats_by_section", "section", "event_id", "index"),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    index: int = Field(sa_column=Column(Integer, primary_key=True))
    version: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    tier: int = Field(sa_column=Column(SmallInteger, nullable=False))
    status: str = Field(default="A", sa_column=texts(server_default="A"))
    held_until: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    order_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    section: str = Field(sa_column=texts())
    row: str = Field(sa_column=texts())
    number: str = Field(sa_column=texts())


class SeatChange(SQLModel, table=True):
    """One change of one seat, written with it; the relay gives it a revision once it is committed."""

    __tablename__ = "seat_changes"
    __table_args__ = (
        one_of("status", SeatStatus, "seat_changes_status_known"),
        Index(
            "seat_changes_revision_key",
            "event_id",
            "revision",
            unique=True,
            postgresql_where=text("revision IS NOT NULL"),
        ),
        Index(
            "seat_changes_unnumbered",
            "event_id",
            "version",
            "index",
            postgresql_where=text("revision IS NULL"),
        ),
        Index("seat_changes_by_age", "changed_at", postgresql_using="brin"),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    index: int = Field(sa_column=Column(Integer, primary_key=True))
    version: int = Field(sa_column=Column(Integer, primary_key=True))
    status: str = Field(sa_column=texts())
    revision: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    changed_at: datetime | None = Field(default=None, sa_column=born())


class Stream(SQLModel, table=True):
    """How far an event's log is numbered; only the relay writes it."""

    __tablename__ = "streams"

    event_id: UUID = Field(sa_column=Column(ForeignKey("events.id"), primary_key=True))
    revision: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
