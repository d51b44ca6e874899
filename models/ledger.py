"""The books: one immutable row a movement of money, and the balances that may never be negative."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, text
from sqlmodel import BigInteger, Field, SQLModel

from models.columns import born, ids, one_of, texts


class AccountKind(StrEnum):
    """The accounts that money moves between; only a person's credits keep a balance."""

    CREDITS = "CREDITS"  # of one person
    REVENUE = "REVENUE"  # of the house, by event
    PROVIDER = "PROVIDER"  # what the payment provider has taken for us, and owes us
    ESCROW = "ESCROW"  # on its way between two people, or back to a card, or disputed
    RECEIVABLES = "RECEIVABLES"  # what people owe the house
    CORRECTIONS = "CORRECTIONS"  # of the house: credits given or taken with a reason


class MovementKind(StrEnum):
    """Why money moved."""

    PURCHASE = "PURCHASE"
    REFUND = "REFUND"
    TOP_UP = "TOP_UP"
    TRANSFER = "TRANSFER"
    ADJUSTMENT = "ADJUSTMENT"
    DISPUTE = "DISPUTE"
    REVERSAL = "REVERSAL"


class Account(SQLModel, table=True):
    """A person's credits in one currency, in minor units; always the sum of that person's movements."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("balance_minor >= 0", name="accounts_balance_not_negative"),)

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    currency: str = Field(sa_column=texts(primary_key=True))
    balance_minor: int = Field(sa_column=Column(BigInteger, nullable=False))


class Movement(SQLModel, table=True):
    """An amount from one account to another; never updated, never deleted.

    It touches at most one balance, that of the person `user_id`, whose money it was. `event_id` names the
    event of a REVENUE side or of a transfer, `reference` what it was for (an order, a payment, a transfer),
    `actor_id` who made it, `reason` why.
    """

    __tablename__ = "movements"
    __table_args__ = (
        ForeignKeyConstraint(["user_id", "currency"], ["accounts.user_id", "accounts.currency"]),
        one_of("debit", AccountKind, "movements_debit_known"),
        one_of("credit", AccountKind, "movements_credit_known"),
        one_of("kind", MovementKind, "movements_kind_known"),
        CheckConstraint("amount_minor > 0", name="movements_amount_positive"),
        CheckConstraint("debit <> credit", name="movements_two_accounts"),
        CheckConstraint(
            "(debit = 'REVENUE' OR credit = 'REVENUE' OR kind IN ('TRANSFER', 'DISPUTE', 'REVERSAL')) "
            "= (event_id IS NOT NULL)",
            name="movements_event_of_what_it_is_for",
        ),
        CheckConstraint("kind <> 'ADJUSTMENT' OR reason IS NOT NULL", name="movements_why_adjusted"),
        Index("movements_by_id", "id"),
        Index("movements_refunds", "user_id", "reference", postgresql_where=text("kind = 'REFUND'")),
        Index(
            "movements_one_purchase_an_order",
            "user_id",
            "reference",
            unique=True,
            postgresql_where=text("kind = 'PURCHASE'"),
        ),
    )

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    debit: str = Field(sa_column=texts())
    credit: str = Field(sa_column=texts())
    amount_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    kind: str = Field(sa_column=texts())
    event_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    reference: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    actor_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    reason: str | None = Field(default=None, sa_column=texts(nullable=True))
    created_at: datetime | None = Field(default=None, sa_column=born())
