"""Turns what happened to people into the letters and SMS that they want."""

from database import Database
from messages.envelopes import Envelopes
from schema.letters import facts_of
from steps.tell_people import tell_people
from steps.transact import transact

NOTIFICATIONS_MAX = 50  # each with the tickets of one order at most, sealed one by one


async def tell_people_once(database: Database, envelopes: Envelopes) -> int:
    """Write deliveries for a bounded number of notifications; return how many these were."""
    return await transact(
        database, tell_people, envelopes=envelopes, facts_of=facts_of, notifications_max=NOTIFICATIONS_MAX
    )
