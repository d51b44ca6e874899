"""Sessions: a person logged in on a device, and the refresh token that keeps it so."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, LargeBinary, Text, text
from sqlmodel import Boolean, Field, SQLModel

from models.columns import born, ids, moments, one_of, texts

OPEN_SESSION = "ended_at IS NULL AND expires_at > statement_timestamp()"


class SessionEnd(StrEnum):
    """What ended a session."""

    LOGOUT = "LOGOUT"  # its own
    ENDED = "ENDED"  # from another session, or by an ADMIN
    REUSE = "REUSE"  # of a refresh token: somebody else has it too
    PASSWORD = "PASSWORD"  # noqa: S105  (it was changed in another session)
    CROWD = "CROWD"  # of newer sessions
    ROLES = "ROLES"  # some were taken away
    DEACTIVATED = "DEACTIVATED"
    DELETED = "DELETED"


class Session(SQLModel, table=True):
    """A login on a device. Of its refresh token only hashes are kept: of the one that is good now, and of the
    one before, which may be repeated once. An ended session never comes back."""

    __tablename__ = "sessions"
    __table_args__ = (
        one_of("ended_by", SessionEnd, "sessions_ended_by_known"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="sessions_ended_by_something"),
        CheckConstraint("last_used_at <= ended_at", name="sessions_not_used_after_the_end"),
        CheckConstraint("refresh_hash <> previous_hash", name="sessions_refresh_token_is_new"),
        Index("sessions_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
        Index("sessions_expiring", "expires_at"),
    )

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    refresh_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    previous_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    was_repeated: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default="false")
    )
    device: str = Field(sa_column=texts())
    created_at: datetime = Field(default=None, sa_column=born())
    last_used_at: datetime = Field(default=None, sa_column=born())
    expires_at: datetime = Field(sa_column=moments())
    ended_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    ended_by: str | None = Field(default=None, sa_column=texts(nullable=True))
    roles: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
