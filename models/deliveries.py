"""Deliveries: what is to leave the house, written with the change that it tells of, and sent after it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Computed, Index, Integer, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, one_of, texts


class DeliveryKind(StrEnum):
    """By what it goes."""

    EMAIL = "EMAIL"
    SMS = "SMS"
    WEBHOOK = "WEBHOOK"
    AMQP = "AMQP"  # to the broker


TO_SYSTEMS = {DeliveryKind.WEBHOOK, DeliveryKind.AMQP}
"""What goes to another system: its owner is an endpoint."""


class DeliveryState(StrEnum):
    """How far it is."""

    PENDING = "PENDING"
    SENT = "SENT"
    DEAD = "DEAD"  # given up, void, or not worth sending any more


class Delivery(SQLModel, table=True):
    """A message to a person or to another system, sealed until it is sent, and erased from then on.

    `owner_id` is the person, or the endpoint whose id is the recipient then. While it is PENDING it
    is tried at `next_attempt_at`, which whoever tries it first moves on: should they die of it, it is tried
    again. After `expires_at` it is not worth sending, and erased. What else is given up keeps what it says,
    for whoever may retry it.

    Deliveries that share a `lane` share what they leave by, and so its troubles: all e-mails, all to one
    endpoint, or all to the broker. Those of one owner with the same `queue_id` leave one after the other, as
    they were created.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("kind", DeliveryKind, "deliveries_kind_known"),
        one_of("state", DeliveryState, "deliveries_state_known"),
        CheckConstraint(
            "CASE state WHEN 'PENDING' THEN sealed IS NOT NULL WHEN 'SENT' THEN sealed IS NULL "
            "ELSE sealed IS NULL OR expires_at IS NULL END",
            name="deliveries_sealed_while_pending",
        ),
        CheckConstraint("attempts >= 0", name="deliveries_attempts_not_negative"),
        Index("deliveries_due", "lane", "next_attempt_at", postgresql_where=text("state = 'PENDING'")),
        Index(
            "deliveries_in_order",
            "owner_id",
            "queue_id",
            "created_at",
            "id",
            postgresql_where=text("state = 'PENDING' AND queue_id IS NOT NULL"),
        ),
        Index("deliveries_expiring", "expires_at", postgresql_where=text("state = 'PENDING'")),
        Index("deliveries_settled", "state", "next_attempt_at", postgresql_where=text("state <> 'PENDING'")),
    )

    owner_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    kind: str = Field(sa_column=texts())
    recipient: str = Field(sa_column=texts())
    sealed: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    state: str = Field(default="PENDING", sa_column=texts(server_default="PENDING"))
    attempts: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default="0"))
    next_attempt_at: datetime = Field(default=None, sa_column=born())
    expires_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    created_at: datetime = Field(default=None, sa_column=born())
    queue_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    answer_status: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    answer: str | None = Field(default=None, sa_column=texts(nullable=True))
    lane: str = Field(
        default=None,
        sa_column=Column(
            Text(),
            Computed("CASE kind WHEN 'WEBHOOK' THEN recipient ELSE kind END", persisted=True),
            nullable=False,
        ),
    )


class Mail(SQLModel, table=True):
    """A message in the mailbox of a development or demo server, where nothing leaves the house."""

    __tablename__ = "mailbox"

    id: UUID = Field(sa_column=ids(primary_key=True))
    message_id: UUID = Field(sa_column=ids())
    kind: str = Field(sa_column=texts())
    recipient: str = Field(sa_column=texts())
    subject: str = Field(sa_column=texts())
    body: str = Field(sa_column=texts())
    sent_at: datetime = Field(default=None, sa_column=born())
