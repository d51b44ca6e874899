"""The seat plan of a published event as plain JSON, made once and kept by browsers and CDNs.

    GET /events/{event_id}/plan

`event_id` is the event's global id. The answer has the fields of the API's `SeatPlan`: width, height,
sections with rows with seats (index, number, x, y, tierId, seatId), and areas (name, x, y, width, height,
tierId, firstIndex, places). A published event's plan never changes: it may be kept for a day without asking
again; after that `If-None-Match` with its ETag is answered 304. Whoever accepts gzip gets it compressed.
Anything else is `{"errors": [{"message", "extensions": {"code"}}]}`: 404 NOT_FOUND for an unknown event and
for a draft, 400 INVALID_ID for what is not an event's id, 503 SERVICE_UNAVAILABLE without a database.
"""

import gzip
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

import orjson
from graphql import located_error
from starlette.requests import Request
from starlette.responses import Response
from strawberry.utils.str_converters import to_camel_case

from dataloaders.loads import Loads
from models.catalogue import EventStatus
from models.layouts import Layout
from routes.accepting import accepts_gzip
from routes.kept import Encoded
from schema import ids
from schema.context import House
from schema.errors import not_found
from schema.maps import PlanArea, PlannedSeat, SeatPlan, SeatRow, SeatSection
from schema.masking import presented

FRESH_SECONDS = 24 * 60 * 60
GZIP_LEVEL = 6
STATUS_CODES = {"INVALID_ID": 400, "NOT_FOUND": 404, "SERVICE_UNAVAILABLE": 503}

_NAMES = {
    field.name: to_camel_case(field.name)
    for kind in (SeatPlan, SeatSection, SeatRow, PlannedSeat, PlanArea)
    for field in fields(kind)
}


@dataclass(frozen=True)
class PlanBytes:
    """A plan as JSON, as it is and compressed."""

    plain: Encoded
    compressed: Encoded

    @classmethod
    def of(cls, event_id: UUID, layout: Layout) -> "PlanBytes":
        plan = SeatPlan.of(event_id, layout)
        body = orjson.dumps(plan, default=_fields, option=orjson.OPT_PASSTHROUGH_DATACLASS)
        return cls(Encoded.of(body), Encoded.of(gzip.compress(body, GZIP_LEVEL, mtime=0)))


async def seat_plan(request: Request) -> Response:
    """Answer with the plan of a published event, or with why there is none."""
    try:
        plan = await _plan(request.app.state.house, ids.read_event(request.path_params["event_id"]))
    except Exception as error:
        return _error(error)
    is_compressed = accepts_gzip(request.headers.get("accept-encoding"))
    found = plan.compressed if is_compressed else plan.plain
    headers = {
        "cache-control": f"public, max-age={FRESH_SECONDS}, immutable",
        "etag": found.etag,
        "vary": "Accept-Encoding, Origin",
    }
    if found.is_had(request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if is_compressed:
        headers["content-encoding"] = "gzip"
    return Response(found.body, media_type="application/json", headers=headers)


async def _plan(house: House, event_id: UUID) -> PlanBytes:
    """Find the plan: what is kept was published once, and nothing takes that back."""
    known = house.plans.known(PlanBytes.of, event_id)
    if known is not None:
        return known
    event = await Loads(house.database).event.load((event_id,))
    if event is None or event.status == EventStatus.DRAFT:
        raise not_found("event")
    return await house.plans.plan(PlanBytes.of, event_id, is_final=True)


def _error(error: Exception) -> Response:
    (told,) = presented([located_error(error, None, None)]) or []
    status = STATUS_CODES.get((told.extensions or {})["code"], 500)
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps({"errors": [told.formatted]}), status, headers, "application/json")


def _fields(value: Any) -> dict[str, Any]:
    return {_NAMES[attribute]: found for attribute, found in vars(value).items()}
