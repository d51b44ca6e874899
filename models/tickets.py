"""The right to a seat: who owns it, what they paid, and its version, which every older QR code dies with."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, text
from sqlmodel import BigInteger, Field, SQLModel

from models.columns import born, ids, moments, one_of, plain_row, texts

LIVE = ("PENDING", "ACTIVE", "CHECKED_IN")
LIVE_TICKET = "status IN ('PENDING', 'ACTIVE', 'CHECKED_IN')"


SHOWN = ("PENDING", "ACTIVE")
"""The states in which its owner can show a ticket at the door; a PENDING one is told that it is unpaid."""


def can_be_returned(status: str, owner_id: UUID, buyer_id: UUID) -> bool:
    """Say whether a ticket is neither used nor given away by who bought it."""
    return status == "ACTIVE" and owner_id == buyer_id


class TicketStatus(StrEnum):
    """Where a ticket is in its life; the first three are live, and a seat has at most one live ticket."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    CHECKED_IN = "CHECKED_IN"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class Ticket(SQLModel, table=True):
    """A seat that somebody owns; `ended_at` is when it was cancelled or paid back."""

    __tablename__ = "tickets"
    __table_args__ = (
        ForeignKeyConstraint(
            ["event_id", "order_id", "index"],
            ["order_items.event_id", "order_items.order_id", "order_items.index"],
        ),
        one_of("status", TicketStatus, "tickets_status_known"),
        CheckConstraint("price_minor >= 0", name="tickets_price_not_negative"),
        Index(
            "tickets_one_live_a_seat",
            "event_id",
            "index",
            unique=True,
            postgresql_where=text(LIVE_TICKET),
        ),
        Index("tickets_reference_key", "event_id", "reference", unique=True),
        Index("tickets_by_order", "order_id", "event_id"),
        Index("tickets_by_owner", "owner_id", "id"),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    reference: str = Field(sa_column=texts())
    order_id: UUID = Field(sa_column=ids())
    index: int = Field(sa_column=Column(Integer, nullable=False))
    owner_id: UUID = Field(sa_column=ids())
    status: str = Field(sa_column=texts())
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    version: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default="1"))
    purchased_at: datetime = Field(default=None, sa_column=born())
    ended_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))


class DeletedTicket(SQLModel, table=True):
    """What the house keeps of a ticket that an ADMIN deleted: what it was, whose, and who deleted it when."""

    __tablename__ = "deleted_tickets"
    __table_args__ = (
        CheckConstraint("status IN ('CANCELLED', 'REFUNDED')", name="deleted_tickets_were_over"),
        Index("deleted_tickets_by_owner", "owner_id", "id"),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    reference: str = Field(sa_column=texts())
    order_id: UUID = Field(sa_column=ids())
    index: int = Field(sa_column=Column(Integer, nullable=False))
    owner_id: UUID = Field(sa_column=ids())
    status: str = Field(sa_column=texts())
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    purchased_at: datetime = Field(sa_column=born())
    ended_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    deleted_at: datetime = Field(default=None, sa_column=born())
    deleted_by: UUID = Field(sa_column=ids())


TICKETS_EVER = """(
    SELECT event_id, order_id, index, owner_id, status, price_minor FROM tickets
    UNION ALL SELECT event_id, order_id, index, owner_id, status, price_minor FROM deleted_tickets)"""
"""Tickets that are there or were."""


_COLUMNS = tuple(Ticket.model_fields)


def ticket_of(row: Mapping[str, Any]) -> Ticket:
    """Make a ticket of a row of a raw statement, which may have more columns."""
    return plain_row(Ticket, {column: row[column] for column in _COLUMNS})
