"""Sessions that are over for long are deleted; what is open, or ended today, stays."""

from database import Database
from jobs.forget_sessions import forget_sessions_once
from models.sessions import SessionEnd
from steps.end_sessions import end_sessions, forget_sessions
from steps.transact import transact
from tests.people import logged_in
from tests.world import new_user


async def test_only_what_is_over_for_days_is_deleted(database: Database) -> None:
    alice, names = await new_user(database), {}
    for name in ("open", "ended today", "ended", "expired", "expired today"):
        session = await logged_in(database, alice)
        names[session.session_id] = name
        if name.startswith("ended"):
            await transact(
                database,
                end_sessions,
                user_id=alice.id,
                by=SessionEnd.LOGOUT,
                only=[session.session_id],
            )
        if "today" not in name and name != "open":
            async with database.transaction() as tx:
                await tx.rows(
                    """UPDATE sessions SET created_at = now() - interval '40 days',
                           last_used_at = now() - interval '40 days', expires_at = now() - interval '3 days',
                           ended_at = CASE WHEN ended_at IS NOT NULL THEN now() - interval '3 days' END
                       WHERE id = $1""",
                    session.session_id,
                )
        if name == "expired today":
            async with database.transaction() as tx:
                await tx.rows("UPDATE sessions SET expires_at = now() WHERE id = $1", session.session_id)
    assert await forget_sessions_once(database) == 2
    left = {names[row["id"]] for row in await database.rows("SELECT id FROM sessions")}
    assert left == {"open", "ended today", "expired today"}
    assert await forget_sessions_once(database) == 0


async def test_a_round_is_bounded(database: Database) -> None:
    alice = await new_user(database)
    for _ in range(3):
        await logged_in(database, alice)
    async with database.transaction() as tx:
        await tx.rows("UPDATE sessions SET expires_at = now() - interval '3 days'")
    counts = [await transact(database, forget_sessions, sessions_max=2) for _ in range(3)]
    assert counts == [2, 1, 0]
