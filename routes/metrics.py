"""The metrics for Prometheus, for those who may read them.

    GET /metrics

With a METRICS_TOKEN whoever sends it as a bearer may, from anywhere; without one, only this machine.
"""

import asyncio
import hmac
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from jobs.gauges import Gauges
from observing.metrics import exposition
from routes.health import Check

FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
NOT_FROM_THERE = "Without a METRICS_TOKEN, to be sent as a bearer, only this machine may read the metrics."


class Metrics:
    """The metrics of one process, and of all that count with it."""

    def __init__(self, token: SecretStr | None, gauges: Gauges) -> None:
        self._token = token
        self._gauges = gauges
        self._relay = Check(gauges.look_at_relay)
        self._deliveries = Check(gauges.look_at_deliveries)

    async def show(self, request: Request) -> Response:
        """Answer with all metrics; without a database, with the last that is known of what waits there."""
        if self._token is None and not _is_near(request):
            return PlainTextResponse(NOT_FROM_THERE, 403)
        if self._token is not None and not _has(request, self._token.get_secret_value()):
            return PlainTextResponse("Send METRICS_TOKEN as a bearer.", 401, {"www-authenticate": "Bearer"})
        await asyncio.gather(self._relay.is_good(), self._deliveries.is_good())
        self._gauges.look()
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
