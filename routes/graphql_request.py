"""A GraphQL request as it comes over HTTP: read within bounds, or refused with what to do instead."""

from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import Request

from routes.persisted import PersistedDocuments
from schema.engine import Asked

BODY_BYTES_MAX = 16 * 1024 * 1024


class RequestRefused(Exception):
    """The request is not one that GraphQL over HTTP knows; with the HTTP status to answer."""

    def __init__(self, status: int, message: str, code: str = "VALIDATION_ERROR", **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers


async def read_request(request: Request, documents: PersistedDocuments) -> Asked:
    """Read what is asked, from a POST's JSON body or a GET's parameters; raises `RequestRefused`.

    Raises a RequestError for a document that is named and cannot be had.
    """
    if request.method == "POST":
        _refuse_other_media_types(request.headers.get("content-type", ""))
        parameters = _json(await _body(request), "The body")
        allowed = frozenset({OperationType.QUERY, OperationType.MUTATION})
    elif request.method == "GET":
        parameters = dict(request.query_params)
        for name in ("variables", "extensions"):
            parameters[name] = _json(parameters[name].encode(), f"`{name}`") if parameters.get(name) else None
        parameters["operationName"] = parameters.get("operationName") or None
        allowed = frozenset({OperationType.QUERY})
    else:
        raise RequestRefused(405, "GraphQL is asked by GET or POST.", allow="GET, POST")
    parameters = await documents.with_text(parameters)
    problem = problem_of(parameters)
    if problem:
        raise RequestRefused(400, problem)
    return Asked(parameters["query"], parameters.get("variables"), parameters.get("operationName"), allowed)


def problem_of(parameters: object) -> str | None:
    """Say what is wrong with the form of a request, over HTTP or a socket, if anything is."""
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


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise RequestRefused(413, f"A request has at most {BODY_BYTES_MAX:,} bytes.")
    return bytes(body)


def _json(text: bytes, called: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(400, f"{called} is not JSON: {error}.") from None
