"""Errors as a client sees them: each with a code, and of the unforeseen only an id that is in the log."""

import logging

import sqlalchemy.exc
from graphql import GraphQLError

from observing.current import observed
from steps.refusals import Refused
from steps.transact import Unavailable, is_connection_lost

log = logging.getLogger("rowlock.graphql")


def presented(errors: list[GraphQLError] | None) -> list[GraphQLError] | None:
    """Give each error of a result its code; what we did not foresee is logged whole and masked."""
    return [_presented(error) for error in errors] if errors else None


def _presented(error: GraphQLError) -> GraphQLError:
    cause = error.original_error
    if "code" in (error.extensions or {}):
        return error
    if cause is None or isinstance(cause, GraphQLError):
        return _told(error, "VALIDATION_ERROR", error.message)
    if isinstance(cause, Refused):
        return _told(error, "VALIDATION_ERROR", str(cause))
    if isinstance(cause, Unavailable | sqlalchemy.exc.TimeoutError) or is_connection_lost(cause):
        log.warning("the database cannot be reached: %s", cause)
        return _told(
            error, "SERVICE_UNAVAILABLE", "The service cannot answer right now; try again in a moment."
        )
    return _masked(error, cause)


def _masked(error: GraphQLError, cause: Exception) -> GraphQLError:
    correlation_id = observed().correlation_id
    log.error("unforeseen error, correlation id %s", correlation_id, exc_info=cause)
    return _told(
        error,
        "INTERNAL_ERROR",
        "Something went wrong on our side. Tell us the correlation id if you write to us.",
        correlationId=correlation_id,
    )


def _told(error: GraphQLError, code: str, message: str, **extensions: str) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, **extensions},
    )
