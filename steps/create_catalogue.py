"""Put a venue, a hall or a draft of an event on record."""

from dataclasses import asdict
from uuid import UUID

from database import Transaction
from models.catalogue import Event, Hall, Venue
from models.seats import Stream
from steps.details import NAME_CHARACTERS_MAX, EventDetails, PricedPlan
from steps.lay_seats import lay_seats
from steps.refusals import Inputs, RefusalCode, Refused

ADDRESS_CHARACTERS_MAX = 500
CODE_CHARACTERS_MAX = 40

SEARCH = """
    UPDATE events e
    SET search = to_tsvector('simple', concat_ws(' ', e.name, e.description, e.category, v.name))
    FROM halls h JOIN venues v ON v.id = h.venue_id
    WHERE e.id = $1 AND h.id = e.hall_id"""
"""Make an event findable by the words of its name, description and category, and of its venue's name."""


async def create_venue(tx: Transaction, *, name: str, address: str) -> Venue:
    """Put a venue on record."""
    inputs = Inputs()
    inputs.check_text(name, "input.name", "name", NAME_CHARACTERS_MAX)
    inputs.check_text(address, "input.address", "address", ADDRESS_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    venue = Venue(name=name, address=address)
    tx.session.add(venue)
    await tx.session.flush()
    return venue


async def create_hall(tx: Transaction, *, venue_id: UUID, code: str, name: str) -> Hall:
    """Put a hall of a venue on record; its code is unique in the venue."""
    inputs = Inputs()
    inputs.check_text(code, "input.code", "code", CODE_CHARACTERS_MAX)
    inputs.check_text(name, "input.name", "name", NAME_CHARACTERS_MAX)
    inputs.refuse_if_wrong()
    if await tx.session.get(Venue, venue_id) is None:
        raise Refused(RefusalCode.VENUE_NOT_FOUND)
    hall = Hall(venue_id=venue_id, code=code, name=name)
    tx.session.add(hall)
    await tx.session.flush()
    return hall


async def create_event(tx: Transaction, *, details: EventDetails, plan: PricedPlan) -> Event:
    """Put a draft of an event on record, with its tiers, its seats and its plan: all of it or nothing."""
    details.check()
    if await tx.session.get(Hall, details.hall_id) is None:
        raise Refused(RefusalCode.HALL_NOT_FOUND)
    event = Event(**asdict(details), currency=plan.currency, total_seats=plan.layout.total)
    tx.session.add(event)
    await tx.session.flush()
    tx.session.add(Stream(event_id=event.id))
    await tx.session.flush()
    await lay_seats(tx, event.id, plan)
    await tx.rows(SEARCH, event.id)
    return event
