"""What breaks the invariants of the door, each in several ways."""

from collections.abc import Sequence

TWICE = (
    "DROP INDEX scans_one_admission_a_ticket",
    """INSERT INTO scans (event_id, id, scanned_by, hall_id, result, ticket_event_id, ticket_id)
       SELECT event_id, gen_random_uuid(), scanned_by, hall_id, result, ticket_event_id, ticket_id
       FROM scans""",
)

PLANTED_AT_THE_DOOR: dict[str, Sequence[Sequence[str]]] = {
    "13. A ticket that is checked in was let in once, and one that may still come was not": (
        ("DELETE FROM scans",),
        ("UPDATE scans SET undone_at = now(), undone_by = scanned_by, undone_reason = 'Left'",),
        ("UPDATE tickets SET status = 'ACTIVE' WHERE status = 'CHECKED_IN'",),
        ("UPDATE tickets SET status = 'PENDING' WHERE status = 'CHECKED_IN'",),
        ("UPDATE tickets SET status = 'CHECKED_IN' WHERE status = 'ACTIVE'",),
        TWICE,
        (*TWICE, "UPDATE tickets SET status = 'CANCELLED' WHERE status = 'CHECKED_IN'"),
    ),
    "13. A seat is checked in when its ticket is": (
        ("UPDATE seats SET status = 'S' WHERE status = 'C'",),
        ("UPDATE seats SET status = 'C' WHERE status = 'S'",),
        ("UPDATE tickets SET status = 'ACTIVE' WHERE status = 'CHECKED_IN'",),
    ),
}
