"""Announcements: what happened that other systems are told of, written in the commit of the change itself."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, one_of, texts


class AnnouncementKind(StrEnum):
    """What happened, by the name that receivers know it by."""

    TICKET_PURCHASED = "ticket.purchased"
    TICKET_CANCELLED = "ticket.cancelled"
    TICKET_REFUNDED = "ticket.refunded"
    TICKET_CHECKED_IN = "ticket.checked_in"
    TRANSFER_COMPLETED = "transfer.completed"
    TRANSFER_DISPUTED = "transfer.disputed"
    TRANSFER_REVERSED = "transfer.reversed"
    ORDER_EXPIRED = "order.expired"
    EVENT_PUBLISHED = "event.published"
    EVENT_CANCELLED = "event.cancelled"


class Announcement(SQLModel, table=True):
    """Something that happened at an event, to an order, to tickets of an order, or by a transfer.

    It says nothing of persons. `tickets` are their ids, seats and prices as they were then, for an order or
    a transfer of tickets. Until `told_at` no delivery has been written for it. Changes of one order are
    announced in the order of `created_at`, since each is written under the order's lock.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        one_of("kind", AnnouncementKind, "announcements_kind_known"),
        Index("announcements_untold", "created_at", "id", postgresql_where=text("told_at IS NULL")),
        Index("announcements_by_age", "created_at", "id"),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    kind: str = Field(sa_column=texts())
    order_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    transfer_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    tickets: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    created_at: datetime = Field(default=None, sa_column=born())
    told_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
