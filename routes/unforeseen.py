"""The answer to what nobody foresaw, outside of any operation: an id that is in the log, and no more."""

import orjson
from graphql import located_error
from starlette.requests import Request
from starlette.responses import Response

from routes.accepting import JSON
from routes.security_headers import HEADERS
from schema.masking import presented


async def unforeseen(request: Request, error: Exception) -> Response:
    """Answer as an operation that failed does."""
    (told,) = presented([located_error(error, None, None)]) or []
    headers = {name.decode(): value.decode() for name, value in HEADERS}
    return Response(orjson.dumps({"errors": [told.formatted]}), 500, headers, JSON)
