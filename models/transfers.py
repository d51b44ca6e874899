"""Tickets that change hands: who asks whom for which ticket at what price, and what became of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Integer, text
from sqlmodel import BigInteger, Boolean, Field, SQLModel

from models.columns import born, ids, moments, one_of, texts


class TransferStatus(StrEnum):
    """Where a transfer is in its life."""

    PENDING_OTP = "PENDING_OTP"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    DISPUTED = "DISPUTED"
    REVERSED = "REVERSED"


DONE = "status IN ('COMPLETED', 'DISPUTED')"
"""A transfer by which its buyer got the ticket, and that was not undone."""


class Transfer(SQLModel, table=True):
    """A ticket on its way from its owner, the seller, to a buyer; a price of nothing makes it a gift.

    `ticket_version` is the ticket's when it began: whatever changes the ticket ends what is pending. The
    ticket is no foreign key, since what became of money outlives it.
    `receivable_minor` is what the seller owed the house since a dispute, as they had spent the proceeds.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        ForeignKeyConstraint(["event_id", "index"], ["seats.event_id", "seats.index"]),
        one_of("status", TransferStatus, "transfers_status_known"),
        CheckConstraint("seller_id <> buyer_id", name="transfers_between_two"),
        CheckConstraint("price_minor >= 0", name="transfers_price_not_negative"),
        CheckConstraint(
            "(status IN ('COMPLETED', 'DISPUTED', 'REVERSED')) = (completed_at IS NOT NULL)",
            name="transfers_completed_once_done",
        ),
        CheckConstraint(
            "completed_at IS NULL OR (seller_confirmed AND buyer_confirmed)", name="transfers_done_by_both"
        ),
        CheckConstraint("status <> 'DISPUTED' OR disputed_at IS NOT NULL", name="transfers_disputed_at"),
        CheckConstraint("(status = 'REVERSED') = (reversed_at IS NOT NULL)", name="transfers_reversed_at"),
        CheckConstraint(
            "receivable_minor BETWEEN 0 AND price_minor", name="transfers_receivable_at_most_price"
        ),
        Index(
            "transfers_one_pending_a_ticket",
            "event_id",
            "ticket_id",
            unique=True,
            postgresql_where=text("status = 'PENDING_OTP'"),
        ),
        Index("transfers_by_ticket", "event_id", "ticket_id"),
        Index("transfers_by_seller", "seller_id", "id"),
        Index("transfers_by_buyer", "buyer_id", "id"),
        Index("transfers_by_buyer_and_event", "event_id", "buyer_id"),
        Index("transfers_lapsing", "expires_at", postgresql_where=text("status = 'PENDING_OTP'")),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    ticket_id: UUID = Field(sa_column=ids())
    index: int = Field(sa_column=Column(Integer, nullable=False))
    ticket_version: int = Field(sa_column=Column(Integer, nullable=False))
    seller_id: UUID = Field(sa_column=ids())
    buyer_id: UUID = Field(sa_column=ids())
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
    currency: str = Field(sa_column=texts())
    status: str = Field(default="PENDING_OTP", sa_column=texts(server_default="PENDING_OTP"))
    seller_confirmed: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default="false")
    )
    buyer_confirmed: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default="false")
    )
    created_at: datetime = Field(default=None, sa_column=born())
    expires_at: datetime = Field(sa_column=moments())
    completed_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    disputed_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    dispute_reason: str | None = Field(default=None, sa_column=texts(nullable=True))
    receivable_minor: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default="0"))
    reversed_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))


_STATUS_NOW = """
    CASE WHEN t.status = 'PENDING_OTP' AND (t.expires_at > statement_timestamp()
        AND k.status = 'ACTIVE' AND k.version = t.ticket_version) IS NOT TRUE
        THEN 'FAILED' ELSE t.status END"""
_COLUMNS_NOW = ", ".join(
    f"{_STATUS_NOW} AS status" if name == "status" else f"t.{name}" for name in Transfer.model_fields
)


def _transfers_now(more: str = "") -> str:
    return f"""(
    SELECT {_COLUMNS_NOW}{more}
    FROM transfers t LEFT JOIN tickets k ON k.event_id = t.event_id AND k.id = t.ticket_id)"""


TRANSFERS_NOW = _transfers_now()
"""Transfers as they read at this moment: what is pending has FAILED once its time is over, or its ticket
was used, cancelled, paid back or given to somebody else."""

PARTYS_TRANSFERS_NOW = (
    f"({_transfers_now(', t.seller_id AS party_id')} UNION ALL {_transfers_now(', t.buyer_id AS party_id')})"
)
"""The same, once for each of the two whose it is."""


class PartysTransfer(Transfer):
    """A transfer in the list of one of the two."""

    party_id: UUID


class TicketEvent(SQLModel):
    """Something that happened to a ticket: who had it before, and who it is about."""

    event_id: UUID
    ticket_id: UUID
    at: datetime
    what: str
    before_id: UUID | None
    who_id: UUID


_OWNER_AT_SCAN = """coalesce((
        SELECT h.who_id FROM (
            SELECT completed_at AS at, buyer_id AS who_id FROM transfers
            WHERE event_id = s.event_id AND ticket_id = s.ticket_id
            UNION ALL SELECT reversed_at, seller_id FROM transfers
            WHERE event_id = s.event_id AND ticket_id = s.ticket_id) h
        WHERE h.at <= s.scanned_at ORDER BY h.at DESC LIMIT 1), (
        SELECT o.buyer_id FROM tickets k JOIN orders o ON o.event_id = k.event_id AND o.id = k.order_id
        WHERE k.event_id = s.event_id AND k.id = s.ticket_id))"""

TICKET_HISTORY = f"""(
    SELECT k.event_id, k.id AS ticket_id, k.purchased_at AS at, 'PURCHASED' AS what,
        NULL::uuid AS before_id, o.buyer_id AS who_id
    FROM tickets k JOIN orders o ON o.event_id = k.event_id AND o.id = k.order_id
    UNION ALL
    SELECT event_id, ticket_id, completed_at, 'TRANSFERRED', seller_id, buyer_id
    FROM transfers WHERE completed_at IS NOT NULL
    UNION ALL
    SELECT event_id, ticket_id, reversed_at, 'TRANSFER_REVERSED', buyer_id, seller_id
    FROM transfers WHERE reversed_at IS NOT NULL
    UNION ALL
    SELECT s.event_id, s.ticket_id, s.scanned_at, 'SCANNED', NULL, {_OWNER_AT_SCAN}
    FROM scans s WHERE s.result = 'SUCCESS'
    UNION ALL
    SELECT s.event_id, s.ticket_id, s.undone_at, 'CHECK_IN_UNDONE', NULL, {_OWNER_AT_SCAN}
    FROM scans s WHERE s.result = 'SUCCESS' AND s.undone_at IS NOT NULL
    UNION ALL
    SELECT event_id, id, ended_at, status, owner_id, owner_id FROM tickets WHERE ended_at IS NOT NULL)"""
"""What happened to tickets, of the rows that know of it."""
