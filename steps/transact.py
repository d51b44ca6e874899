"""Runs a step in a transaction, and again where the database asks for it and it may be repeated."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg
import sqlalchemy.exc

from database import Database, Transaction
from steps.refusals import SENTENCES, InFlight, RefusalCode, Refused, busy, invalid

log = logging.getLogger("rowlock.transact")

TRIES_MAX = 6
PAUSE_SECONDS_MAX = 0.05
LOCK_NOT_AVAILABLE, QUERY_CANCELED = "55P03", "57014"
SERIALIZATION_FAILURE, DEADLOCK_DETECTED = "40001", "40P01"
UNIQUE_VIOLATION, EXCLUSION_VIOLATION = "23505", "23P01"
REFUSED_BY_CONSTRAINT = {
    "users_email_key": RefusalCode.EMAIL_ALREADY_EXISTS,
    "users_username_key": RefusalCode.USERNAME_ALREADY_EXISTS,
    "events_hall_free": RefusalCode.HALL_OCCUPIED,
    "halls_code_key": RefusalCode.VALIDATION_ERROR,
}
HALL_CODE_TAKEN = "The venue has another hall with this code."
MADE_BY_CHANCE = ("orders_reference_key", "tickets_reference_key")

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InternalClientError,  # how the driver says that the server spoke out of turn: it is going
    OSError,
)

Result = TypeVar("Result")


class Unavailable(Exception):
    """The database cannot be reached; nothing is known to have happened."""


async def transact(
    database: Database, step: Callable[..., Awaitable[Result | Refused]], **arguments: Any
) -> Result:
    """Run the step in a transaction of its own and return what it returns.

    A refusal that is raised leaves nothing behind; one that a step returns is raised after the commit, so
    that what the step wrote stays.

    A deadlock or a serialization failure runs it again from the start, a bounded number of times; so does,
    once, a collision with others at the same seats; a lost connection only under an idempotency key, since
    the commit may have happened. Raises `Refused` for a no, `Unavailable` when there is no database.
    """
    was_in_flight = False
    for tries_left in reversed(range(TRIES_MAX)):
        try:
            async with database.transaction() as tx:
                tx.may_wait = was_in_flight
                result = await step(tx, **arguments)
            if isinstance(result, Refused):
                raise result
            return result
        except InFlight as refusal:
            if was_in_flight or not tries_left:
                raise refusal from None
            was_in_flight = True
        except Refused:
            raise
        except Exception as error:
            again = _again(error, has_key=arguments.get("key") is not None)
            if not (again and tries_left):
                raise _meaning(error) from error
        await asyncio.sleep(random.uniform(0, PAUSE_SECONDS_MAX))  # noqa: S311
    raise AssertionError("the last try returns or raises")


def _again(error: Exception, *, has_key: bool) -> bool:
    if sqlstate_of(error) in {SERIALIZATION_FAILURE, DEADLOCK_DETECTED}:
        return True
    if constraint_of(error).startswith(MADE_BY_CHANCE):
        return True
    return has_key and is_connection_lost(error)


def _meaning(error: Exception) -> Exception:
    """What an error of the database means to the caller; an error that we did not foresee stays itself."""
    state = sqlstate_of(error)
    if state in {LOCK_NOT_AVAILABLE, QUERY_CANCELED, SERIALIZATION_FAILURE, DEADLOCK_DETECTED}:
        return busy()
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return busy()
    if state in {UNIQUE_VIOLATION, EXCLUSION_VIOLATION}:
        name = constraint_of(error)
        for prefix, code in REFUSED_BY_CONSTRAINT.items():
            if name.startswith(prefix):
                return Refused(code) if code in SENTENCES else invalid("input.code", HALL_CODE_TAKEN)
    if is_connection_lost(error):
        log.warning("the database cannot be reached: %s", error)
        return Unavailable("The database cannot be reached right now; try again in a moment.")
    return error


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE of an error of the driver, also when SQLAlchemy wrapped it."""
    return getattr(_of_driver(error), "sqlstate", None)


def constraint_of(error: BaseException) -> str:
    """The name of the constraint that an error is about, or an empty string."""
    return getattr(_of_driver(error), "constraint_name", None) or ""


def is_connection_lost(error: BaseException) -> bool:
    """Say whether the server went away, or was never there."""
    found = _of_driver(error)
    if isinstance(found, LOST):
        return True
    return isinstance(found, asyncpg.InterfaceError) and "closed" in str(found)


def _of_driver(error: BaseException) -> BaseException:
    if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error


__all__ = ["Transaction", "Unavailable", "transact"]
