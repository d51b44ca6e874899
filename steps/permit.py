"""What a person may do, as an ADMIN says: their roles, whether they are a risk, whether they may log in."""

from collections.abc import Collection
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.sessions import SessionEnd
from models.users import ROLES_OF_PEOPLE, Role, User
from steps.end_sessions import end_sessions
from steps.person_locks import lock_user
from steps.refusals import RefusalCode, Refused, invalid


async def set_roles(tx: Transaction, *, user_id: UUID, roles: Collection[Role]) -> User:
    """Give a person exactly these roles. Whoever loses one is logged out, since access tokens carry them."""
    if not roles or not set(roles) <= set(ROLES_OF_PEOPLE):
        raise invalid("input.roles", "A person has at least one role, and SERVICE is for other systems.")
    before = set((await _locked(tx, user_id))["roles"])
    user = await _set(tx, user_id, "roles", [role.value for role in ROLES_OF_PEOPLE if role in roles])
    if before - set(user.roles):
        await end_sessions(tx, user_id, SessionEnd.ROLES)
    return user


async def set_flagged(tx: Transaction, *, user_id: UUID, flagged: bool) -> User:
    """Say whether a person is a high risk."""
    await _locked(tx, user_id)
    return await _set(tx, user_id, "flagged", flagged)


async def deactivate_user(tx: Transaction, *, user_id: UUID) -> User:
    """Let a person log in no more, and log them out everywhere. What they own stays theirs."""
    await _locked(tx, user_id)
    await end_sessions(tx, user_id, SessionEnd.DEACTIVATED)
    return await _set(tx, user_id, "active", False)


async def activate_user(tx: Transaction, *, user_id: UUID) -> User:
    """Let a person log in again."""
    await _locked(tx, user_id)
    return await _set(tx, user_id, "active", True)


async def _locked(tx: Transaction, user_id: UUID) -> Record:
    row = await lock_user(tx, user_id)
    if row is None:
        raise Refused(RefusalCode.USER_NOT_FOUND)
    return row


async def _set(tx: Transaction, user_id: UUID, column: str, value: object) -> User:
    row = await tx.row(f"UPDATE users SET {column} = $2 WHERE id = $1 RETURNING *", user_id, value)
    assert row is not None, "who is locked is there"
    return User(**row)
