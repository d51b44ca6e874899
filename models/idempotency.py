"""The keys under which callers asked for something once, and what it made."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from models.columns import born, ids, texts


class IdempotencyKey(SQLModel, table=True):
    """One key of one caller for one mutation, written in the transaction of its effect.

    `request` is a hash of the input, `made` the id of what it made; good for 24 hours.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_by_age", "created_at"),)

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    mutation: str = Field(sa_column=texts(primary_key=True))
    key: str = Field(sa_column=texts(primary_key=True))
    request: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    made: UUID = Field(sa_column=ids())
    created_at: datetime | None = Field(default=None, sa_column=born())
