"""A GraphQL request as it comes over HTTP: read within bounds, or refused with what to do instead."""

from collections.abc import Mapping
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import Request

from routes.persisted import PersistedDocuments
from schema.deadlines import Deadlines
from schema.engine import Asked

LENGTH_DIGITS_MAX = 18


class RequestRefused(Exception):
    """The request is not one that GraphQL over HTTP knows; with the HTTP status to answer.

    A `limit` is told when the request went beyond one.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "VALIDATION_ERROR",
        *,
        limit: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        self.code = code
        self.extensions = {"code": code} if limit is None else {"code": code, "limit": limit}


async def read_request(
    request: Request, bytes_max: int, arriving: Deadlines, documents: PersistedDocuments
) -> Asked:
    """Read what is asked, from a POST's JSON body or a GET's parameters; raises `RequestRefused`.

    A body of more than `bytes_max` bytes, or that is not there in time, is not read to its end. Raises a
    RequestError for a document that is named and cannot be had.
    """
    if request.method == "POST":
        _refuse_other_media_types(request.headers.get("content-type", ""))
        if request.headers.get("content-encoding", "identity") != "identity":
            raise RequestRefused(415, "Send the body as it is, without a Content-Encoding.")
        _refuse_length(request.headers.get("content-length", ""), bytes_max)
        parameters = _json(await arriving.keep(_body(request, bytes_max)), "The body")
        allowed = frozenset({OperationType.QUERY, OperationType.MUTATION})
    elif request.method == "GET":
        parameters = dict(request.query_params)
        for name in ("variables", "extensions"):
            parameters[name] = _json(parameters[name].encode(), f"`{name}`") if parameters.get(name) else None
        parameters["operationName"] = parameters.get("operationName") or None
        allowed = frozenset({OperationType.QUERY})
    else:
        raise RequestRefused(405, "GraphQL is asked by GET or POST.", headers={"allow": "GET, POST"})
    parameters = await documents.with_text(parameters)
    problem = problem_of(parameters)
    if problem:
        raise RequestRefused(400, problem)
    return Asked(parameters["query"], parameters.get("variables"), parameters.get("operationName"), allowed)


def problem_of(parameters: object) -> str | None:
    """Say what is wrong with the form of a request, over HTTP or a socket, if anything is."""
    if isinstance(parameters, list):
        return "Send one operation in a request, not a list of them."
    if not isinstance(parameters, dict):
        return "A request is a JSON object with `query`, `variables` and `operationName`."
    if not isinstance(parameters.get("query"), str) or not parameters["query"].strip():
        return "`query` must be a GraphQL document."
    if not isinstance(parameters.get("variables"), dict | None):
        return "`variables` must be an object."
    if not isinstance(parameters.get("operationName"), str | None):
        return "`operationName` must be a string."
    if not isinstance(parameters.get("extensions"), dict | None):
        return "`extensions` must be an object."
    return None


def _refuse_other_media_types(content_type: str) -> None:
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")]
    if media_type != "application/json" or any(charset not in {"utf-8", "utf8"} for charset in charsets):
        raise RequestRefused(415, "Send the request as Content-Type: application/json, in UTF-8.")


def _refuse_length(content_length: str, bytes_max: int) -> None:
    """Refuse a body that says by itself that it is too large."""
    digits = content_length[: LENGTH_DIGITS_MAX + 1]
    if digits.isascii() and digits.isdigit() and int(digits) > bytes_max:
        raise _too_large(bytes_max)


def _too_large(bytes_max: int) -> RequestRefused:
    return RequestRefused(413, f"A request can have {bytes_max:,} bytes.", limit=bytes_max)


async def _body(request: Request, bytes_max: int) -> bytes:
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise RequestRefused(400, "The body is not complete.")
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise _too_large(bytes_max)
        if not message.get("more_body"):
            return bytes(body)


def _json(text: bytes, called: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(400, f"{called} is not JSON: {error}.") from None
