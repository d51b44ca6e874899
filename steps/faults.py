"""Which errors pass by themselves: what goes on for ever waits for these, and tells the others apart."""

import logging

import sqlalchemy.exc

from steps.refusals import Refused
from steps.transact import Unavailable, is_connection_lost, sqlstate_of

PASSING_CLASSES = {"08", "40", "53", "55", "57"}  # no connection, conflict, no resources, locked, cancelled
IDLE_TOO_LONG = "25P03"


def is_passing(error: BaseException) -> bool:
    """Say whether the database was only busy or away, so that the same work may succeed in a moment."""
    state = sqlstate_of(error) or ""
    return (
        isinstance(error, Refused | Unavailable)
        or state[:2] in PASSING_CLASSES
        or state == IDLE_TOO_LONG
        or isinstance(error, sqlalchemy.exc.TimeoutError)
        or is_connection_lost(error)
    )


def tell_fault(log: logging.Logger, what: str, error: BaseException) -> None:
    """Say what fails in one line of the log; a fault that we did not foresee comes with its traceback."""
    if is_passing(error):
        log.warning("%s: %s: %s", what, type(error).__name__, error)
    else:
        log.error("%s: %s: %s", what, type(error).__name__, error, exc_info=error)
