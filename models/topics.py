"""Names of single things that somebody may watch, the same in every process."""

from uuid import UUID


def person_topic(user_id: UUID) -> str:
    """What is told to a person."""
    return f"person:{user_id}"


def order_topic(event_id: UUID, order_id: UUID) -> str:
    """An order, with its items, tickets and payments."""
    return f"order:{event_id}:{order_id}"


def transfer_topic(event_id: UUID, transfer_id: UUID) -> str:
    """A transfer of a ticket."""
    return f"transfer:{event_id}:{transfer_id}"
