"""Money that comes and goes through a payment provider: what was asked of it, and what it said."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, text
from sqlmodel import BigInteger, Field, SQLModel

from models.columns import born, ids, moments, one_of, texts


class ProviderName(StrEnum):
    """By whom money comes in."""

    STRIPE = "STRIPE"
    SIMULATED = "SIMULATED"


class PaymentStatus(StrEnum):
    """How far a payment has come; one that failed can still succeed, one that succeeded stays so."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class Payment(SQLModel, table=True):
    """A top-up, or what an order costs, in minor units. The movement that it becomes has its id: it is one.

    `provider_reference` is the provider's name for it, `ask_at` when to ask the provider about it; null: it
    has nothing more to say. An order's is cancelled after `held_until`, when nobody waits for it any more.
    `refunded_minor` is what goes back, or went. `actor_id` is who settled it by hand, and `reason` why, or
    why it failed.
    """

    __tablename__ = "payments"
    __table_args__ = (
        one_of("provider", ProviderName, "payments_provider_known"),
        one_of("status", PaymentStatus, "payments_status_known"),
        CheckConstraint("amount_minor > 0", name="payments_amount_positive"),
        CheckConstraint("(status = 'SUCCESS') = (settled_at IS NOT NULL)", name="payments_settled_once_paid"),
        CheckConstraint("num_nulls(event_id, order_id, held_until) IN (0, 3)", name="payments_order_whole"),
        CheckConstraint(
            "refunded_minor BETWEEN 0 AND CASE status WHEN 'SUCCESS' THEN amount_minor ELSE 0 END",
            name="payments_refunded_at_most_paid",
        ),
        Index("payments_by_id", "id"),
        Index("payments_to_ask", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
        Index(
            "payments_one_open_an_order",
            "user_id",
            "order_id",
            unique=True,
            postgresql_where=text("status = 'PENDING' AND order_id IS NOT NULL"),
        ),
    )

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    provider: str = Field(sa_column=texts())
    provider_reference: str | None = Field(default=None, sa_column=texts(nullable=True))
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    status: str = Field(default="PENDING", sa_column=texts(server_default="PENDING"))
    reason: str | None = Field(default=None, sa_column=texts(nullable=True))
    actor_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    created_at: datetime = Field(default=None, sa_column=born())
    updated_at: datetime = Field(default=None, sa_column=born())
    settled_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    ask_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    event_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    order_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    held_until: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    refunded_minor: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))


class RefundStatus(StrEnum):
    """How far a refund has come; one that the provider cannot make stays PENDING, since it is owed."""

    PENDING = "PENDING"
    SUCCESS = "SUCCESS"


class Refund(SQLModel, table=True):
    """A part of a payment that goes back to the card; what the provider is to be told leaves with the commit.

    `ask_at` is when to tell the provider, or to ask it again; null: it has nothing more to say.
    """

    __tablename__ = "refunds"
    __table_args__ = (
        ForeignKeyConstraint(["user_id", "payment_id"], ["payments.user_id", "payments.id"]),
        one_of("status", RefundStatus, "refunds_status_known"),
        CheckConstraint("amount_minor > 0", name="refunds_amount_positive"),
        CheckConstraint("(status = 'SUCCESS') = (settled_at IS NOT NULL)", name="refunds_settled_once_paid"),
        Index("refunds_by_id", "id"),
        Index("refunds_to_send", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
    )

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    payment_id: UUID = Field(sa_column=ids())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    status: str = Field(default="PENDING", sa_column=texts(server_default="PENDING"))
    provider_reference: str | None = Field(default=None, sa_column=texts(nullable=True))
    reason: str | None = Field(default=None, sa_column=texts(nullable=True))
    actor_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    created_at: datetime = Field(default=None, sa_column=born())
    updated_at: datetime = Field(default=None, sa_column=born())
    settled_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    ask_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))


class SimulatedPayment(SQLModel, table=True):
    """What the simulated provider knows: a provider's own database, and none of our books."""

    __tablename__ = "simulated_payments"

    reference: str = Field(sa_column=texts(primary_key=True))
    user_id: UUID = Field(sa_column=ids())
    payment_id: UUID = Field(sa_column=ids())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    status: str = Field(sa_column=texts())
    created_at: datetime | None = Field(default=None, sa_column=born())


class SimulatedRefund(SQLModel, table=True):
    """What the simulated provider paid back, likewise."""

    __tablename__ = "simulated_refunds"

    reference: str = Field(sa_column=texts(primary_key=True))
    payment_reference: str = Field(sa_column=texts())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: datetime | None = Field(default=None, sa_column=born())
