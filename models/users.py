"""People: who they are, how they prove it, and what they may do."""

import re
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Text, text
from sqlmodel import Boolean, Field, SQLModel

from models.columns import born, ids, new_id, one_of, texts
from models.languages import Language


class Role(StrEnum):
    """What a person may do beyond buying for themselves."""

    USER = "USER"
    SERVICE = "SERVICE"
    STAFF = "STAFF"
    OPERATOR = "OPERATOR"
    ADMIN = "ADMIN"


ROLES_OF_PEOPLE = tuple(role for role in Role if role is not Role.SERVICE)
"""A SERVICE is another system and has no account."""

GREETING_CHARACTERS_MAX = 60
_LIKE_A_LINK = re.compile(r"[:/@]|\w\.\w")

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
        one_of("language", Language, "users_language_known"),
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
    language: str = Field(default=Language.EN.value, sa_column=texts(server_default=Language.EN.value))

    @property
    def greeting_name(self) -> str:
        """By what a letter greets this person; empty for a name that is none."""
        return harmless_name(self.full_name)

    @property
    def shown_name(self) -> str:
        """What others may call this person: full name, else user name, else a masked e-mail address."""
        return self.full_name or self.username or masked_email(self.email)


def harmless_name(name: str | None) -> str:
    """A name as it may stand in a letter; empty if it is none, or could pass for an address or a link.

    Else anybody could let the house send a link of theirs to somebody else, by a name.
    """
    is_harmless = name and len(name) <= GREETING_CHARACTERS_MAX and not _LIKE_A_LINK.search(name)
    return name if name and is_harmless else ""


def masked_email(email: str) -> str:
    """An e-mail address with all but its first letter and its domain hidden."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}***@{domain}"
