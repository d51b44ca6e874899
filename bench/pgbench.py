"""The other party of the sale: pgbench, which comes with PostgreSQL, running our own statements."""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from bench.house import BUYERS, PLACES, PRICE_MINOR, House
from steps.check_in import FACTS_LOCKED, NOTE
from steps.hold import HOLD
from steps.ledger import CHARGE
from steps.locks import LOCK_BUYERS, ORDERS_AND_THEIR_SEATS
from steps.sell import SELL

ROUNDS = 3
ORDER, BUYER = "ARRAY[md5('order' || :i)::uuid]", "ARRAY[md5(:b::text)::uuid]"
NEW_ID, REFERENCE = "ARRAY[gen_random_uuid()]", "ARRAY[upper(substr(md5(random()::text), 1, 8))]"

Statement = tuple[str, Sequence[str]]


def holding(event: UUID) -> list[Statement]:
    """One transaction that reserves seat `:i` for buyer `:b`."""
    hold = [_event(event), "ARRAY[:i]", ORDER, BUYER, REFERENCE, "ARRAY[1]", ORDER, "3600::float8", "100000"]
    return [(LOCK_BUYERS, [_event(event), BUYER]), (HOLD, hold)]


def paying(event: UUID) -> list[Statement]:
    """One transaction that pays the order of seat `:i`."""
    price = f"ARRAY[{PRICE_MINOR}::bigint]"
    return [
        (ORDERS_AND_THEIR_SEATS, [_event(event), ORDER]),
        (SELL, [_event(event), ORDER, ORDER, "ARRAY[:i]", NEW_ID, REFERENCE, NEW_ID]),
        (CHARGE, [BUYER, NEW_ID, "ARRAY['EUR']", price, f"ARRAY[{_event(event)}]", ORDER, NEW_ID]),
    ]


def admitting(event: UUID) -> list[Statement]:
    """One transaction that scans the ticket of seat `:i` and lets it in."""
    ticket, nobody = "md5('ticket' || :i)::uuid", "'00000000-0000-0000-0000-000000000000'::uuid"
    facts = [_event(event), ticket, "NULL::uuid", "NULL::text", _event(event)]
    scan = ["gen_random_uuid()", nobody, nobody, "'SUCCESS'::text"]
    note = [_event(event), *scan, _event(event), ticket, NEW_ID]
    return [(FACTS_LOCKED, facts), (NOTE, note)]


def buyer_ids() -> list[UUID]:
    """The buyers that the scripts speak of."""
    return [UUID(hashlib.md5(str(number).encode()).hexdigest()) for number in range(BUYERS)]  # noqa: S324


async def pgbench(
    house: House, statements: Sequence[Statement], clients: int, seconds: float, number: int
) -> float:
    """Transactions a second of so many clients, which all count through seats of their own in each round."""
    share = PLACES // clients // ROUNDS
    first = f":client_id * {share * ROUNDS} + {number * share}"
    lines = [
        *("\\set n :n + 1", f"\\set i {first} + :n", f"\\set b :i % {BUYERS}"),
        *("BEGIN;", *(_filled(*statement) for statement in statements), "COMMIT;"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.sql"
        script.write_text("\n".join(lines))
        options = f"-n -D n=-1 -M prepared -f {script} -c {clients} -j 2 -T {round(seconds)}"
        process = await asyncio.create_subprocess_exec(
            house.servers.bin_dir / "pgbench",
            *options.split(),
            house.servers.database_url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PGOPTIONS": "-c enable_seqscan=off -c plan_cache_mode=force_generic_plan"},
        )
        out, err = await process.communicate()
    found = re.search(r"tps = ([\d.]+)", out.decode())
    if found is None:
        raise SystemExit(f"pgbench said: {err.decode()}")
    return float(found[1])


def _event(id: UUID) -> str:
    return f"'{id}'::uuid"


def _filled(statement: str, values: Sequence[str]) -> str:
    """A statement on one line, with values instead of its parameters."""
    filled = re.sub(r"\$(\d)", lambda place: values[int(place[1]) - 1], statement)
    return " ".join(filled.split()) + ";"
