"""The mailbox of a development or demo server: what it would have sent, for tests and for trying things out.

    GET /mailbox?to=alice@example.com

answers the last 100 messages, the newest first, of all or to one address. In production there is none.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from database import Database
from messages.mailbox import Mailbox


async def mailbox(request: Request) -> Response:
    """Show what was put into the mailbox."""
    database: Database = request.app.state.house.database
    rows = await Mailbox(database).newest(request.query_params.get("to"))
    return Response(orjson.dumps([dict(row) for row in rows], default=str), media_type="application/json")
