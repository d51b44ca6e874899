"""What is said on the bus about seats: numbered changes of one event, as a line of JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from models.seats import SeatStatus

CHANGES_PER_MESSAGE_MAX = 500
LETTERS = frozenset(SeatStatus)


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One change of one seat: its place in the event's log, and the state that the seat has since."""

    revision: int
    index: int
    version: int
    status: str


def seats_channel(event_id: UUID) -> str:
    """The bus channel on which the changes of an event's seats are told."""
    return f"rowlock:seats:{event_id}"


def encode(event_id: UUID, changes: Sequence[Change]) -> str:
    """Put changes of one event into words."""
    assert len(changes) <= CHANGES_PER_MESSAGE_MAX, "a message has a bound"
    told = [(c.revision, c.index, c.version, c.status) for c in changes]
    return orjson.dumps({"event": str(event_id), "changes": told}).decode()


def decode(message: str) -> tuple[Change, ...]:
    """Understand such words again. Raises `ValueError` for words that are not ours."""
    try:
        return tuple(_change(*parts) for parts in orjson.loads(message)["changes"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not changes of seats: {message[:80]}") from error


def _change(revision: int, index: int, version: int, status: str) -> Change:
    if not (isinstance(revision, int) and isinstance(index, int) and status in LETTERS):
        raise TypeError("a change is three numbers and a letter")
    return Change(revision, index, version, status)


def follows(changes: Sequence[Change], revision: int) -> bool:
    """Say whether these changes are the next ones after a revision, without a hole."""
    return all(change.revision == revision + nth for nth, change in enumerate(changes, start=1))
