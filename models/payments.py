"""Credits that are bought through a payment provider: what was asked of it, and what it said."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, text
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
    """A top-up in minor units. The movement that credits it has its id, so that it is credited once.

    `provider_reference` is the provider's name for it, `ask_at` when to ask the provider about it; null: it
    has nothing more to say. `actor_id` is who settled it by hand, and `reason` why, or why it failed.
    """

    __tablename__ = "payments"
    __table_args__ = (
        one_of("provider", ProviderName, "payments_provider_known"),
        one_of("status", PaymentStatus, "payments_status_known"),
        CheckConstraint("amount_minor > 0", name="payments_amount_positive"),
        CheckConstraint("(status = 'SUCCESS') = (settled_at IS NOT NULL)", name="payments_settled_once_paid"),
        Index("payments_by_id", "id"),
        Index("payments_to_ask", "ask_at", postgresql_where=text("ask_at IS NOT NULL")),
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
