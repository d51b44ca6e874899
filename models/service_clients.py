"""Other systems of the house, and how they prove themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, new_id, texts


class ServiceClient(SQLModel, table=True):
    """A system that gets tokens with the role SERVICE for its secret, of which only a hash is kept."""

    __tablename__ = "service_clients"
    __table_args__ = (
        Index("service_clients_revoked", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )

    id: UUID = Field(default_factory=new_id, sa_column=ids(primary_key=True))
    name: str = Field(sa_column=texts())
    secret_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(default=None, sa_column=born())
    revoked_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
