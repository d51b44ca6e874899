"""People: who they are, how they prove it, and what they may do."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Text, text
from sqlmodel import Boolean, Field, SQLModel

from models.columns import born, ids, new_id, texts


class Role(StrEnum):
    """What a person may do beyond buying for themselves."""

    USER = "USER"
    SERVICE = "SERVICE"
    STAFF = "STAFF"
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"


ROLES_OF_PEOPLE = tuple(role for role in Role if role is not Role.SERVICE)
"""A SERVICE is another system and has no account."""

SEARCHED = "translate(email, '@.', '  ') || ' ' || coalesce(username, '') || ' ' || coalesce(full_name, '')"
"""The words by which a person is found, of the table's own columns."""


class User(SQLModel, table=True):
    """A person with an account; one e-mail address, in any case of letters, is one person."""

    __tablename__ = "users"
    __table_args__ = (
        Index("users_email_key", text("lower(email)"), unique=True),
        Index("users_username_key", text("lower(username)"), unique=True),
        CheckConstraint(
            "roles <@ ARRAY[" + ", ".join(f"'{role.value}'" for role in ROLES_OF_PEOPLE) + "]",
            name="users_roles_known",
        ),
        Index(
            "users_search",
            text(f"to_tsvector('simple', {SEARCHED})"),
            postgresql_using="gin",
        ),
    )

    id: UUID = Field(default_factory=new_id, sa_column=ids(primary_key=True))
    email: str = Field(sa_column=texts())
    username: str | None = Field(default=None, sa_column=texts(nullable=True))
    full_name: str | None = Field(default=None, sa_column=texts(nullable=True))
    phone: str | None = Field(default=None, sa_column=texts(nullable=True))
    password_hash: str | None = Field(default=None, sa_column=texts(nullable=True))
    roles: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{USER}"))
    active: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default="true"))
    flagged: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))
    created_at: datetime = Field(default=None, sa_column=born())

    @property
    def shown_name(self) -> str:
        """What others may call this person: full name, else user name, else a masked e-mail address."""
        return self.full_name or self.username or masked_email(self.email)


def masked_email(email: str) -> str:
    """An e-mail address with all but its first letter and its domain hidden."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
