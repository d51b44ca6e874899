"""One-time codes: what a person was asked to prove, with how many wrong tries, and until when."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, one_of, texts

TRIES_MAX = 3


def is_proven(code: str) -> str:
    """The one predicate, in SQL, of a code that was verified and still counts."""
    return f"({code}.verified_at IS NOT NULL AND {code}.expires_at > statement_timestamp())"


class CodePurpose(StrEnum):
    """What a code is good for."""

    PURCHASE = "PURCHASE"  # to pay an order
    TRANSFER = "TRANSFER"  # to confirm a transfer
    EMAIL = "EMAIL"  # to take a new e-mail address
    PASSWORD = "PASSWORD"  # noqa: S105  (to set a new one)


class Code(SQLModel, table=True):
    """The last code that a person was sent for an object. Only an HMAC of it is kept, none once it is void.

    The wrong tries are those at the object: a new code leaves them as they are. `sent_to` is where it was
    sent; for EMAIL that is the address to be proven. `delivery_id` names the delivery that brings it.
    """

    __tablename__ = "codes"
    __table_args__ = (
        one_of("purpose", CodePurpose, "codes_purpose_known"),
        CheckConstraint(f"tries BETWEEN 0 AND {TRIES_MAX}", name="codes_tries_bounded"),
        CheckConstraint(f"tries < {TRIES_MAX} OR digest IS NULL", name="codes_void_after_the_last_try"),
        CheckConstraint("digest IS NOT NULL OR verified_at IS NULL", name="codes_verified_is_not_void"),
        CheckConstraint("verified_at <= expires_at", name="codes_verified_in_time"),
        Index("codes_expiring", "expires_at"),
    )

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    purpose: str = Field(sa_column=texts(primary_key=True))
    object_id: UUID = Field(sa_column=ids(primary_key=True))
    digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    tries: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default="0"))
    sent_to: str = Field(sa_column=texts())
    delivery_id: UUID = Field(sa_column=ids())
    sent_at: datetime = Field(default=None, sa_column=born())
    expires_at: datetime = Field(sa_column=moments())
    verified_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
