"""Turns what was announced into deliveries to the endpoints of other systems."""

from datetime import datetime
from uuid import UUID

from database import Database
from messages.envelopes import Envelopes
from schema.announcements import payload_of
from steps.tell import forget_announcements, replay, tell_endpoints
from steps.transact import transact
from steps.webhook_endpoints import let_broker_listen

ANNOUNCEMENTS_MAX = 20  # times 100 endpoints at most, sealed one by one
REPLAYED_MAX = 500
FORGOTTEN_MAX = 1_000
FIRST = UUID(int=0)


async def tell_endpoints_once(database: Database, envelopes: Envelopes) -> int:
    """Write deliveries for a bounded number of announcements; return how many these were."""
    return await transact(
        database,
        tell_endpoints,
        envelopes=envelopes,
        payload_of=payload_of,
        announcements_max=ANNOUNCEMENTS_MAX,
    )


async def replay_since(database: Database, envelopes: Envelopes, endpoint_id: UUID, since: datetime) -> int:
    """Tell an endpoint once more all that was announced since then, in its order; return how much."""
    told, after = 0, (since, FIRST)
    while True:
        found = await transact(
            database,
            replay,
            envelopes=envelopes,
            payload_of=payload_of,
            endpoint_id=endpoint_id,
            after=after,
            announcements_max=REPLAYED_MAX,
        )
        told += len(found)
        if len(found) < REPLAYED_MAX:
            return told
        after = (found[-1]["created_at"], found[-1]["id"])


async def let_broker_listen_once(database: Database) -> int:
    """Have the broker told of everything, as those processes want that have one; return 1 if it was not."""
    return int(await transact(database, let_broker_listen))


async def forget_announcements_once(database: Database) -> int:
    """Delete old announcements, a bounded number; return how many."""
    return await transact(database, forget_announcements, announcements_max=FORGOTTEN_MAX)
