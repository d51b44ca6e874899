"""The lock on an event's stream: who holds it is the only one that numbers or trims that event's log."""

LOCK_STREAM = "SELECT revision FROM streams WHERE event_id = $1 FOR NO KEY UPDATE"
"""The stream of an event, with its last revision: $1 event. Waits for whoever numbers it now."""

LOCK_STREAM_IF_FREE = LOCK_STREAM + " SKIP LOCKED"
"""The same, or no row when somebody else numbers it now."""
