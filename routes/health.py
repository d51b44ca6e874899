"""Whether the server can do its work, for balancers, for those who watch it, and for whoever restarts it.

GET /health          everything; 503 when anything is disconnected
GET /health/ready    whether it can serve: the database alone, since it sells without Redis
GET /health/live     whether the process answers at all; asks nobody
GET /health/db       the database
GET /health/redis    Redis
GET /health/broker   RabbitMQ, where there is one
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from database import Database
from jobs.loop import Job
from live.bus import Bus
from messages.broker import BrokerSender

CHECK_SECONDS_MAX = 2.0
KNOWN_SECONDS = 1.0
RELAY_SILENCE_SECONDS_MAX = 10.0
VERSION = version("rowlock")
PATHS = {
    "/health": ("database", "redis", "relay", "deliveries"),
    "/health/ready": ("database",),
    "/health/live": (),
    "/health/db": ("database",),
    "/health/redis": ("redis",),
}


class Check:
    """One thing that the house needs, asked at most once at a time; its answer is good for a second."""

    def __init__(self, ask: Callable[[], Awaitable[bool]]) -> None:
        self._ask = ask
        self._asking: asyncio.Task[bool] | None = None
        self._known_until = 0.0

    async def is_good(self) -> bool:
        """Say whether the answer is yes, and comes within `CHECK_SECONDS_MAX`."""
        loop = asyncio.get_running_loop()
        if self._asking is None or (self._asking.done() and loop.time() >= self._known_until):
            self._asking = asyncio.create_task(self._answer(), name="check health")
        await asyncio.wait([self._asking], timeout=CHECK_SECONDS_MAX)
        return self._asking.done() and self._asking.result()

    async def _answer(self) -> bool:
        try:
            async with asyncio.timeout(CHECK_SECONDS_MAX):
                return await self._ask()
        except Exception:  # whatever keeps it from answering, the answer is the same
            return False
        finally:
            self._known_until = asyncio.get_running_loop().time() + KNOWN_SECONDS


class Health:
    """The checks of one process."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        relay: Job,
        deliveries: Callable[[], Awaitable[bool]],
        broker: BrokerSender | None,
    ) -> None:
        async def database_answers() -> bool:
            return bool(await database.rows("SELECT 1"))

        async def relay_runs() -> bool:
            return relay.is_well(RELAY_SILENCE_SECONDS_MAX)

        self._checks = {
            "database": Check(database_answers),
            "redis": Check(bus.answers),
            "relay": Check(relay_runs),
            "deliveries": Check(deliveries),
        }
        self._paths: dict[str, tuple[str, ...]] = dict(PATHS)
        if broker:
            self._checks["broker"] = Check(broker.answers)
            self._paths |= {"/health": (*PATHS["/health"], "broker"), "/health/broker": ("broker",)}

    async def report(self, request: Request) -> JSONResponse:
        """Answer 200 when all is well that this path asks for, else 503; each check has a bounded time."""
        names = self._paths[request.url.path]
        good = dict(
            zip(names, await asyncio.gather(*(self._checks[n].is_good() for n in names)), strict=True)
        )
        is_healthy = all(good.values())
        body = {
            "status": "healthy" if is_healthy else "unhealthy",
            "service": "rowlock",
            "version": VERSION,
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "checks": {name: "connected" if is_good else "disconnected" for name, is_good in good.items()},
        }
        return JSONResponse(body, 200 if is_healthy else 503, {"cache-control": "no-store"})

    def routes(self) -> list[Route]:
        return [Route(path, self.report) for path in self._paths]
