"""Whether the server can do its work, for balancers and health checks."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from database import Database
from live.bus import Bus


async def health(request: Request) -> JSONResponse:
    """Answer 200 when the database answers, else 503; a bus that is away slows live maps, no more."""
    database: Database = request.app.state.house.database
    bus: Bus = request.app.state.bus
    try:
        await database.rows("SELECT 1")
        is_healthy = True
    except Exception:  # whatever keeps the database from answering, the answer is the same
        is_healthy = False
    checks = {"database": _state(is_healthy), "redis": _state(bus.connected)}
    status = "healthy" if is_healthy else "unhealthy"
    return JSONResponse(
        {"status": status, "service": "rowlock", "checks": checks}, 200 if is_healthy else 503
    )


def _state(connected: bool) -> str:
    return "connected" if connected else "disconnected"
