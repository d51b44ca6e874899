"""What other servers answer is bounded, plain, and from where it was asked."""

import gzip
from collections.abc import AsyncIterator

import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from auth.outbound import ANSWER_BYTES_MAX, NoAnswer, Outbound
from tests.serving import answering

GOOD: dict[str, list[str]] = {"keys": []}


async def answer(request: Request) -> Response:
    match request.path_params["kind"]:
        case "good":
            return JSONResponse(GOOD)
        case "long":
            return JSONResponse({"x": "x" * ANSWER_BYTES_MAX})
        case "gzip":
            return Response(gzip.compress(orjson.dumps(GOOD)), headers={"content-encoding": "gzip"})
        case "elsewhere":
            return RedirectResponse("/good")
        case "list":
            return JSONResponse([GOOD])
        case "broken":
            return Response(b'{"keys"', media_type="application/json")
        case _:
            return JSONResponse(GOOD, 404)


@pytest.fixture
async def place() -> AsyncIterator[str]:
    async with answering(Starlette(routes=[Route("/{kind}", answer)])) as (url, _):
        yield url


async def test_a_json_object_is_taken_and_nothing_else(place: str) -> None:
    outbound = Outbound()
    assert await outbound.json(f"{place}/good") == GOOD
    for kind in ("long", "gzip", "elsewhere", "list", "broken", "missing"):
        with pytest.raises(NoAnswer):
            await outbound.json(f"{place}/{kind}")
    for nowhere in ("http://127.0.0.1:1/good", "http://[", "mailto:x"):
        with pytest.raises(NoAnswer):
            await outbound.json(nowhere)
    assert await outbound.json(f"{place}/good") == GOOD
    await outbound.aclose()
