"""Who buys what: a buyer at an event, the orders that they make, and the seats in each."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, text
from sqlmodel import BigInteger, Field, SQLModel

from models.columns import born, ids, moments, one_of, plain_row, texts


class Buyer(SQLModel, table=True):
    """A person at an event; the row is there to be locked before that person's seats are counted."""

    __tablename__ = "buyers"

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    user_id: UUID = Field(sa_column=ids(primary_key=True))
    last_order_at: datetime | None = Field(default=None, sa_column=born())


class OrderStatus(StrEnum):
    """Where an order is in its life."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"
    EXPIRED = "EXPIRED"


ORDERS_NOW = """(
    SELECT o.event_id, o.id, o.reference, o.buyer_id, o.total_minor, o.refunded_minor, o.currency,
        o.created_at, o.updated_at, o.cashier_id, o.payment_id,
        CASE WHEN o.held_until > statement_timestamp() THEN o.held_until END AS held_until,
        CASE WHEN o.held_until <= statement_timestamp() THEN 'EXPIRED'
             WHEN o.status = 'CONFIRMED' AND e.status <> 'CANCELLED' AND e.ends_at <= statement_timestamp()
             THEN 'COMPLETED'
             ELSE o.status END AS status
    FROM orders o JOIN events e ON e.id = o.event_id)"""
"""Orders as they read at this moment: a hold whose time is over is EXPIRED, what took place is COMPLETED."""


class Order(SQLModel, table=True):
    """A booking of seats at one event, born as a hold.

    `cashier_id` is who took the money at the counter, `payment_id` the card payment that is open or that paid
    it; both None when it was paid with credits, or not yet.
    """

    __tablename__ = "orders"
    __table_args__ = (
        ForeignKeyConstraint(["event_id", "buyer_id"], ["buyers.event_id", "buyers.user_id"]),
        one_of("status", OrderStatus, "orders_status_known"),
        CheckConstraint(
            "(status = 'PENDING') = (held_until IS NOT NULL)", name="orders_held_until_while_pending"
        ),
        CheckConstraint("total_minor >= 0", name="orders_total_not_negative"),
        CheckConstraint("refunded_minor BETWEEN 0 AND total_minor", name="orders_refunded_at_most_total"),
        CheckConstraint(
            "cashier_id IS NULL OR status IN ('CONFIRMED', 'COMPLETED', 'REFUNDED')",
            name="orders_cashier_once_paid",
        ),
        CheckConstraint(
            "payment_id IS NULL OR "
            "(cashier_id IS NULL AND status IN ('PENDING', 'CONFIRMED', 'COMPLETED', 'REFUNDED'))",
            name="orders_payment_while_it_counts",
        ),
        Index("orders_reference_key", "event_id", "reference", unique=True),
        Index("orders_by_buyer", "buyer_id", "id"),
        Index("orders_by_buyer_and_event", "buyer_id", "event_id", "id"),
        Index("orders_lapsing", "held_until", postgresql_where=text("status = 'PENDING'")),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    reference: str = Field(sa_column=texts())
    buyer_id: UUID = Field(sa_column=ids())
    status: str = Field(sa_column=texts())
    held_until: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    total_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    refunded_minor: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    currency: str = Field(sa_column=texts())
    created_at: datetime = Field(default=None, sa_column=born())
    updated_at: datetime = Field(default=None, sa_column=born())
    cashier_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    payment_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))


_COLUMNS = tuple(Order.model_fields)


def order_of(row: Mapping[str, Any]) -> Order:
    """Make an order of a row of a raw statement, which may have more columns."""
    return plain_row(Order, {column: row[column] for column in _COLUMNS})


class OrderItem(SQLModel, table=True):
    """A seat in an order at the price that was asked when it was held."""

    __tablename__ = "order_items"
    __table_args__ = (
        ForeignKeyConstraint(["event_id", "order_id"], ["orders.event_id", "orders.id"]),
        ForeignKeyConstraint(["event_id", "index"], ["seats.event_id", "seats.index"]),
        CheckConstraint("price_minor >= 0", name="order_items_price_not_negative"),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    order_id: UUID = Field(sa_column=ids(primary_key=True))
    index: int = Field(sa_column=Column(Integer, primary_key=True))
    tier: int = Field(sa_column=Column(Integer, nullable=False))
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
