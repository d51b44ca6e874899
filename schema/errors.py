"""Requests that are wrong: top-level errors, each with a code that says what to do."""

from typing import Any

from graphql import GraphQLError


class RequestError(GraphQLError):
    """The request cannot be answered as it is; `extensions.code` says why."""

    def __init__(self, code: str, message: str, **extensions: Any) -> None:
        super().__init__(message, extensions={"code": code, **extensions})


def unauthorized() -> RequestError:
    return RequestError("UNAUTHORIZED", "Log in first, and send the access token: Authorization: Bearer …")


def forbidden() -> RequestError:
    return RequestError("FORBIDDEN", "Your account may not do this.")


def no_account() -> RequestError:
    return RequestError("FORBIDDEN", "This is for people: another system of the house has no account.")


def rate_limited(message: str, limit: str | int, retry_after_seconds: int) -> RequestError:
    return RequestError("RATE_LIMITED", message, limit=limit, retryAfterSeconds=retry_after_seconds)


def invalid_id(wanted: str) -> RequestError:
    return RequestError("INVALID_ID", f"This is not the id of {wanted}.")


def not_found(wanted: str) -> RequestError:
    return RequestError("NOT_FOUND", f"There is no such {wanted}.")


def wrong_argument(message: str) -> RequestError:
    return RequestError("VALIDATION_ERROR", message)
