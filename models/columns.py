"""The kinds of column that the tables are made of, each defined once."""

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, Text, Uuid, func
from uuid_utils.compat import uuid7

_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_REFERENCE_LENGTH = 8


def new_id() -> UUID:
    """Make the id of a new row: a UUIDv7, so that rows lie in the order of their birth."""
    return uuid7()


def new_reference() -> str:
    """Make a reference to be said aloud at a counter: eight letters and digits that nobody mishears."""
    return "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(_REFERENCE_LENGTH))


def ids(**options: Any) -> Column[UUID]:
    return Column(Uuid(), nullable=options.pop("nullable", False), **options)


def texts(**options: Any) -> Column[str]:
    return Column(Text(), nullable=options.pop("nullable", False), **options)


def moments(**options: Any) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=options.pop("nullable", False), **options)


def born() -> Column[datetime]:
    """The moment of the statement that wrote the row, by the database's clock."""
    return moments(server_default=func.statement_timestamp())


def one_of(column: str, kinds: type[StrEnum], name: str) -> CheckConstraint:
    """Let the column hold only what the enum has; kept as text, so that a new kind is one new constraint."""
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=name)
