"""End sessions, for good: their refresh tokens at once, their access tokens with the commit."""

from collections.abc import Sequence
from uuid import UUID

from auth.refresh_tokens import RefreshTokens
from database import Transaction
from models.sessions import SessionEnd
from steps.refusals import RefusalCode, Refused

# A session can have been used by a statement that began after this one, which then waited for it.
END = """
    UPDATE sessions SET ended_at = greatest(statement_timestamp(), last_used_at), ended_by = $2
    WHERE user_id = $1 AND ended_at IS NULL
        AND ($3::uuid[] IS NULL OR id = ANY($3)) AND id IS DISTINCT FROM $4::uuid
    RETURNING id"""

OVER_FOR_LONG = """
    SELECT user_id, id FROM sessions WHERE {0} < statement_timestamp() - interval '2 days'
    ORDER BY {0} LIMIT $1"""


async def end_sessions(
    tx: Transaction,
    user_id: UUID,
    by: SessionEnd,
    *,
    only: Sequence[UUID] | None = None,
    but: UUID | None = None,
) -> None:
    """End all sessions of a person, or only some, or all but one; those that have ended stay as they are.

    Who ends more than one holds the lock on the person.
    """
    ended = await tx.rows(END, user_id, by.value, only, but)
    tx.ended_sessions.update(row["id"] for row in ended)


async def log_out(
    tx: Transaction,
    *,
    tokens: RefreshTokens,
    refresh_token: str | None,
    user_id: UUID | None = None,
    session_id: UUID | None = None,
) -> None:
    """End the session of an access token, which is given by its ids, and that of a refresh token.

    A session that is over already is none the worse for it. Refuses a refresh token that is not ours.
    """
    if refresh_token is not None:
        token = tokens.read(refresh_token)
        if token is None:
            raise Refused(RefusalCode.SESSION_EXPIRED)
        await end_sessions(tx, token.user_id, SessionEnd.LOGOUT, only=[token.session_id])
    if user_id and session_id:
        await end_sessions(tx, user_id, SessionEnd.LOGOUT, only=[session_id])


async def end_session(
    tx: Transaction, *, caller_id: UUID, any_user: bool, user_id: UUID, session_id: UUID
) -> None:
    """End a session from another: one's own, or anybody's for who may end those of `any_user`.

    One that is over already is none the worse for it; one that is not there, or another's, is refused.
    """
    is_there = await tx.value("SELECT true FROM sessions WHERE user_id = $1 AND id = $2", user_id, session_id)
    if not is_there or not (any_user or user_id == caller_id):
        raise Refused(RefusalCode.SESSION_EXPIRED, "There is no such session.")
    await end_sessions(tx, user_id, SessionEnd.ENDED, only=[session_id])


async def forget_sessions(tx: Transaction, *, sessions_max: int) -> int:
    """Delete sessions that have been over for longer than any token of theirs is good, at most so many."""
    deleted: int = await tx.value(
        f"""WITH old AS (
                ({OVER_FOR_LONG.format("ended_at")}) UNION ({OVER_FOR_LONG.format("expires_at")})
            ), gone AS (
                DELETE FROM sessions s USING old WHERE s.user_id = old.user_id AND s.id = old.id RETURNING 1
            )
            SELECT count(*) FROM gone""",
        sessions_max,
    )
    return deleted
