"""What happens at the doors: every scan of a code, what it was told, and whether that was taken back."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, one_of, plain_row, texts

STANDING_ADMISSION = "result = 'SUCCESS' AND undone_at IS NULL"


class VerificationResult(StrEnum):
    """What a scanner is told."""

    SUCCESS = "SUCCESS"
    DUPLICATE = "DUPLICATE"
    UNPAID = "UNPAID"
    NOT_FOUND = "NOT_FOUND"
    WRONG_HALL = "WRONG_HALL"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    WRONG_EVENT = "WRONG_EVENT"


class Scan(SQLModel, table=True):
    """A scan at a door of an event, good or bad; a ticket has at most one that admitted it and still stands.

    The ticket may be of another event, and is no foreign key, since the log outlives it; a code that could
    not be read names none. `undone_…` say who took an admission back, and why.
    """

    __tablename__ = "scans"
    __table_args__ = (
        one_of("result", VerificationResult, "scans_result_known"),
        CheckConstraint("(ticket_id IS NULL) = (ticket_event_id IS NULL)", name="scans_ticket_has_event"),
        CheckConstraint("ticket_id IS NOT NULL OR result = 'NOT_FOUND'", name="scans_found_a_ticket"),
        CheckConstraint("result <> 'SUCCESS' OR ticket_event_id = event_id", name="scans_admit_to_own_event"),
        CheckConstraint("undone_at IS NULL OR result = 'SUCCESS'", name="scans_undone_admissions_only"),
        CheckConstraint(
            "(undone_at IS NULL) = (undone_by IS NULL) AND (undone_at IS NULL) = (undone_reason IS NULL)",
            name="scans_undone_by_somebody",
        ),
        Index(
            "scans_one_admission_a_ticket",
            "event_id",
            "ticket_id",
            unique=True,
            postgresql_where=text(STANDING_ADMISSION),
        ),
        Index(
            "scans_admissions_by_ticket",
            "event_id",
            "ticket_id",
            postgresql_where=text("result = 'SUCCESS'"),
        ),
        Index("scans_by_id", "id"),
        Index("scans_by_hall", "hall_id", "id"),
    )

    event_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    scanned_by: UUID = Field(sa_column=ids())
    hall_id: UUID = Field(sa_column=ids())
    result: str = Field(sa_column=texts())
    ticket_event_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    ticket_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    scanned_at: datetime = Field(default=None, sa_column=born())
    undone_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    undone_by: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    undone_reason: str | None = Field(default=None, sa_column=texts(nullable=True))


_COLUMNS = tuple(Scan.model_fields)


def scan_of(row: Mapping[str, Any]) -> Scan:
    """Make a scan of a row of a raw statement, which may have more columns."""
    return plain_row(Scan, {column: row[column] for column in _COLUMNS})
