"""Notifications: what happened that concerns a person, and by which channels they want to hear of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlmodel import Boolean, Field, SQLModel

from models.columns import born, ids, moments, one_of, texts


class NotificationKind(StrEnum):
    """What happened."""

    ORDER_CONFIRMED = "ORDER_CONFIRMED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    ORDER_REFUNDED = "ORDER_REFUNDED"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    TICKET_ACTIVATED = "TICKET_ACTIVATED"
    TICKET_CANCELLED = "TICKET_CANCELLED"
    TICKET_REFUNDED = "TICKET_REFUNDED"
    TRANSFER_REQUESTED = "TRANSFER_REQUESTED"
    TRANSFER_COMPLETED = "TRANSFER_COMPLETED"
    TRANSFER_FAILED = "TRANSFER_FAILED"
    TRANSFER_DISPUTED = "TRANSFER_DISPUTED"
    TRANSFER_REVERSED = "TRANSFER_REVERSED"
    TOP_UP_SUCCEEDED = "TOP_UP_SUCCEEDED"
    EVENT_CANCELLED = "EVENT_CANCELLED"


class NotificationChannel(StrEnum):
    """By what a notification also leaves the house; the API always has it."""

    EMAIL = "EMAIL"
    SMS = "SMS"


_NOT_BY_EMAIL = {NotificationKind.HOLD_EXPIRED, NotificationKind.TICKET_ACTIVATED}
_BY_SMS = {NotificationKind.EVENT_CANCELLED}

WANTED_BY_DEFAULT = {
    (kind, channel): kind not in _NOT_BY_EMAIL if channel is NotificationChannel.EMAIL else kind in _BY_SMS
    for kind in NotificationKind
    for channel in NotificationChannel
}
"""What a person gets who has never said anything; an SMS needs a phone number."""


class Notification(SQLModel, table=True):
    """Something that happened to a person, written in the commit of the change itself.

    It names what it is about, and says nothing more: its words are made when it is read. `transaction_id` is
    that of the person's movement or payment. Until `told_at` nobody has looked whether it is also to be sent.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        one_of("kind", NotificationKind, "notifications_kind_known"),
        Index("notifications_unread", "user_id", "id", postgresql_where=text("read_at IS NULL")),
        Index("notifications_untold", "created_at", "id", postgresql_where=text("told_at IS NULL")),
        Index(
            "notifications_one_a_cancelled_event",
            "user_id",
            "event_id",
            unique=True,
            postgresql_where=text("kind = 'EVENT_CANCELLED'"),
        ),
        Index("notifications_read_by_age", "created_at", postgresql_where=text("read_at IS NOT NULL")),
        Index("notifications_unread_by_age", "created_at", postgresql_where=text("read_at IS NULL")),
    )

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    kind: str = Field(sa_column=texts())
    event_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    order_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    ticket_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    transfer_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    transaction_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    created_at: datetime = Field(default=None, sa_column=born())
    read_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    told_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))


class NotificationPreference(SQLModel, table=True):
    """Where a person wants something else than by default."""

    __tablename__ = "notification_preferences"
    __table_args__ = (
        one_of("kind", NotificationKind, "notification_preferences_kind_known"),
        one_of("channel", NotificationChannel, "notification_preferences_channel_known"),
    )

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    kind: str = Field(sa_column=texts(primary_key=True))
    channel: str = Field(sa_column=texts(primary_key=True))
    wanted: bool = Field(sa_column=Column(Boolean, nullable=False))
