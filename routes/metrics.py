"""The metrics for Prometheus, for those who may read them.

    GET /metrics

With a METRICS_TOKEN whoever sends it as a bearer may, from anywhere; without one, only this machine.
"""

import asyncio
import hmac
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from jobs.gauges import Gauges
from observing.metrics import exposition
from schema.context import House

RELAY_SECONDS_MAX = 1.0
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
NOT_FROM_THERE = "Without a METRICS_TOKEN, to be sent as a bearer, only this machine may read the metrics."


async def metrics(request: Request) -> Response:
    """Answer with all metrics of the server; without a database, with the last that is known of the relay."""
    house: House = request.app.state.house
    gauges: Gauges = request.app.state.gauges
    token = house.settings.metrics_token
    if token is None and not _is_near(request):
        return PlainTextResponse(NOT_FROM_THERE, 403)
    if token is not None and not _has(request, token.get_secret_value()):
        return PlainTextResponse("Send METRICS_TOKEN as a bearer.", 401, {"www-authenticate": "Bearer"})
    await asyncio.wait([asyncio.create_task(gauges.look_at_relay())], timeout=RELAY_SECONDS_MAX)
    gauges.look()
    return Response(await asyncio.to_thread(exposition), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _has(request: Request, token: str) -> bool:
    given = request.headers.get("authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {token}".encode())


def _is_near(request: Request) -> bool:
    """Say whether the caller is on this machine, and is not a proxy that speaks for somebody else."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    address = ip_address(request.client.host)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
