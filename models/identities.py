"""Identities: who a person is to an OpenID Connect provider."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, texts


class Identity(SQLModel, table=True):
    """A subject of an issuer is one person here, and has one session, which all tokens for it share.

    It outlives the account, so that nobody who was deleted gets another by the same identity. Tokens that
    were issued until `void_until` are good for nothing: a session that was ended had them.
    """

    __tablename__ = "identities"
    __table_args__ = (Index("identities_subject_key", "issuer", "subject", unique=True),)

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    issuer: str = Field(sa_column=texts(primary_key=True))
    subject: str = Field(sa_column=texts(primary_key=True))
    session_id: UUID | None = Field(default=None, sa_column=ids(nullable=True))
    void_until: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    created_at: datetime = Field(default=None, sa_column=born())
