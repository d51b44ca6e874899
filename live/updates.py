"""What a watcher of an event's seats is told: the whole map, or what changed since; shared, never altered."""

from dataclasses import dataclass

from live.changes import Change


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The letter of every seat by its index; it may be newer than its revision, never older."""

    revision: int
    statuses: str
    available: int


@dataclass(frozen=True, slots=True)
class Changes:
    """The next changes, none left out, up to `revision`; `available` counts the free seats after them."""

    revision: int
    changes: tuple[Change, ...]
    available: int


Update = Snapshot | Changes
