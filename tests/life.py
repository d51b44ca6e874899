"""The ends of tickets, one by one, by the same steps as in life."""

from collections.abc import Awaitable, Callable
from typing import Any

from database import Database
from models.tickets import Ticket
from models.users import User
from steps.idempotency import Key
from steps.transact import transact


def ending(
    caller: User, ticket: Ticket, *, any_owner: bool = False, key: Key | None = None
) -> dict[str, Any]:
    """The arguments with which a step ends a ticket, with a day's notice."""
    named = {"caller_id": caller.id, "event_id": ticket.event_id, "ticket_id": ticket.id}
    return {**named, "any_owner": any_owner, "hours_before": 24, "key": key}


async def ended(
    database: Database, step: Callable[..., Awaitable[Ticket]], caller: User, ticket: Ticket, **more: Any
) -> Ticket:
    return await transact(database, step, **ending(caller, ticket, **more))
