"""What is counted, and the text that Prometheus reads; several processes are added up by files they share.

Labels come from the schema and from our own code, never from a client: their number is bounded.
"""

import os
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
VERSION = version("rowlock")
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
WISHES = (1, 2, 4, 8, 16, 32)

OPERATIONS = Counter(
    "rowlock_operations", "Operations that ended: ok, refused, error, cancelled", ["operation", "outcome"]
)
OPERATION_SECONDS = Histogram(
    "rowlock_operation_seconds", "How long queries and mutations took", ["operation"], buckets=SECONDS
)
REFUSALS = Counter("rowlock_refusals", "Answers that were a refusal", ["operation", "code"])
ERRORS = Counter("rowlock_errors", "Answers with an error", ["code"])
REQUESTS = Counter("rowlock_requests", "Requests to other routes than GraphQL", ["route", "status"])
SOCKETS = Gauge("rowlock_sockets", "WebSockets that are open", multiprocess_mode="livesum")
SUBSCRIPTIONS = Gauge("rowlock_subscriptions", "Subscriptions that go on", multiprocess_mode="livesum")
WATCHED_EVENTS = Gauge(
    "rowlock_watched_events", "Events whose seats a process follows", multiprocess_mode="livesum"
)
STREAMS = Gauge(
    "rowlock_streams", "Streams of ready bytes that subscriptions share", multiprocess_mode="livesum"
)
FRAMES = Counter("rowlock_frames", "Updates of seats that were sent, to each watcher")
FRAMES_SKIPPED = Counter("rowlock_frames_skipped", "Updates that slow watchers got as a snapshot instead")
POOL_SIZE = Gauge("rowlock_pool_size", "Connections a pool may hold", ["pool"], multiprocess_mode="livesum")
POOL_IN_USE = Gauge(
    "rowlock_pool_in_use", "Connections that are lent out", ["pool"], multiprocess_mode="livesum"
)
POOL_WAITING = Gauge(
    "rowlock_pool_waiting", "Who waits for a connection", ["pool"], multiprocess_mode="livesum"
)
PASSWORDS = Gauge(
    "rowlock_passwords_hashing", "Passwords being hashed or waiting for it", multiprocess_mode="livesum"
)
BATCHES = Histogram("rowlock_batch_wishes", "Wishes that shared a transaction", ["of"], buckets=WISHES)
SEATS_HELD = Counter("rowlock_seats_held", "Seats that were held, in transactions that were committed")
SEATS_SOLD = Counter("rowlock_seats_sold", "Seats that were sold, in transactions that were committed")
RELAY_WAITING = Gauge(
    "rowlock_relay_waiting_changes", "Changes that wait for a number", multiprocess_mode="mostrecent"
)
RELAY_AGE = Gauge(
    "rowlock_relay_waiting_seconds", "How long the oldest of them waits", multiprocess_mode="mostrecent"
)
DELIVERIES_WAITING = Gauge(
    "rowlock_deliveries_waiting", "Messages and webhooks to be sent", ["kind"], multiprocess_mode="mostrecent"
)
DELIVERIES_DEAD = Gauge(
    "rowlock_deliveries_dead", "Messages and webhooks given up", ["kind"], multiprocess_mode="mostrecent"
)
DELIVERIES_OVERDUE = Gauge(
    "rowlock_deliveries_overdue_seconds",
    "How long what could be sent has waited",
    multiprocess_mode="mostrecent",
)
BUILD = Gauge("rowlock_build_info", "What runs here", ["version", "python"], multiprocess_mode="max")

seconds_of = cache(OPERATION_SECONDS.labels)
operations_of = cache(OPERATIONS.labels)


def count_operation(operation: str, outcome: str, seconds: float | None) -> None:
    """Count one that ended, as ok, cancelled, refused:CODE or error:CODE; a subscription has no seconds."""
    result, _, code = outcome.partition(":")
    operations_of(operation, result).inc()
    if seconds is not None:
        seconds_of(operation).observe(seconds)
    if result == "refused":
        REFUSALS.labels(operation, code).inc()
    elif result == "error":
        ERRORS.labels(code).inc()


def exposition() -> bytes:
    """All metrics in Prometheus' text format, of all processes of the server."""
    BUILD.labels(VERSION, python_version()).set(1)
    if SHARED_FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    _forget_dead_processes(Path(os.environ[SHARED_FOLDER]))
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_dead_processes(folder: Path) -> None:
    """What a dead process had open is closed; what it counted stays counted."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*.db")}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
