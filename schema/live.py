"""What a seat map subscribes to: a snapshot first, then every change, without a hole."""

from typing import Annotated
from uuid import UUID

import strawberry

from live.updates import Changes, Snapshot, Update
from schema import ids
from schema.enums import SeatStatus


@strawberry.type(description="The whole house: at the start, and whenever a client fell behind.")
class SeatStatusSnapshot:
    revision: int = strawberry.field(description="What it is at least as new as; changes go on from here.")
    statuses: str = strawberry.field(
        description="One letter a seat by index: A available, H held, S sold, C checked in, B blocked."
    )
    available_seats: int = strawberry.field(description="How many of them are available.")

    @classmethod
    def of(cls, snapshot: Snapshot) -> "SeatStatusSnapshot":
        return cls(revision=snapshot.revision, statuses=snapshot.statuses, available_seats=snapshot.available)


@strawberry.type(description="What one seat is now.")
class SeatStatusChange:
    revision: int = strawberry.field(description="The one before plus 1.")
    index: int = strawberry.field(description="The seat's place in the event.")
    seat_id: strawberry.ID = strawberry.field(description="The seat.")
    status: SeatStatus = strawberry.field(description="What it is from now on.")


@strawberry.type(description="What changed since the last update; it leaves nothing out.")
class SeatStatusChanges:
    revision: int = strawberry.field(description="Of the last change in here.")
    changes: list[SeatStatusChange] = strawberry.field(description="The changes, in their order.")
    available_seats: int = strawberry.field(description="How many seats are available after them.")

    @classmethod
    def of(cls, event_id: UUID, update: Changes) -> "SeatStatusChanges":
        return cls(
            revision=update.revision,
            changes=[
                SeatStatusChange(
                    revision=change.revision,
                    index=change.index,
                    seat_id=ids.seat_id(event_id, change.index),
                    status=SeatStatus(change.status),
                )
                for change in update.changes
            ],
            available_seats=update.available,
        )


SeatStatusUpdate = Annotated[
    SeatStatusSnapshot | SeatStatusChanges,
    strawberry.union("SeatStatusUpdate", description="The whole house, or what changed."),
]


def update_of(event_id: UUID, update: Update) -> SeatStatusSnapshot | SeatStatusChanges:
    """Make what a client sees of what the hub says."""
    if isinstance(update, Snapshot):
        return SeatStatusSnapshot.of(update)
    return SeatStatusChanges.of(event_id, update)
