"""Reservations a second through HTTP, against pgbench running the same transaction with as many clients."""

import asyncio
import os
import random
import re
import tempfile
from pathlib import Path

import orjson

from bench.client import drive, post
from bench.house import PLACES, House
from bench.report import Measured
from schema import ids
from steps.hold import HOLD
from steps.locks import LOCK_BUYERS

RESERVE = """mutation Reserve($input: ReserveInput!) { reserve(input: $input) {
    ... on OrderPayload { order { id reference status heldUntil total { amount currency } } }
    ... on Refusal { code message seatIds } } }"""
ROUNDS = 3


class Reservations:
    """Requests for one fresh seat each, by many buyers, and a count of what was answered."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._seats = list(range(PLACES))
        random.shuffle(self._seats)
        self.refused = 0

    def request(self) -> bytes:
        wish = {"eventId": ids.event_id(self._house.large.id)}
        variables = {"input": wish | {"selection": {"seatIndexes": [self._seats.pop()]}}}
        body = orjson.dumps({"query": RESERVE, "variables": variables})
        return post(body, random.choice(self._house.tokens))

    def answered(self, body: bytes) -> None:
        if b'"order":' not in body:
            self.refused += 1


async def reservations(house: House, sale: Reservations, clients: int, seconds: float) -> Measured:
    """Alternate rounds of ours and of pgbench's, each taking seats that were never taken before."""
    ours, others, took = [], [], []
    await drive(house.port, clients, 1, sale.request, sale.answered)
    for number in range(ROUNDS):
        rate, seconds_each = await drive(house.port, clients, seconds, sale.request, sale.answered)
        ours.append(rate)
        took += seconds_each
        others.append(await _pgbench(house, clients, seconds, number))
    assert not sale.refused, "every seat is asked for once"
    return Measured("reserve one seat, against pgbench", clients, ours, others, took)


def _script(house: House, clients: int, number: int) -> str:
    """Our transaction as pgbench runs it: the same statements, with values of its own.

    Each client counts through seats of its own, in each round through others.
    """
    share = PLACES // clients // ROUNDS
    values = {
        "$1": f"'{house.rivals[clients].id}'::uuid",
        "$2": "ARRAY[:i]",
        "$3": "ARRAY[md5('order' || :i)::uuid]",
        "$4": "ARRAY[md5(:b::text)::uuid]",
        "$5": "ARRAY[upper(substr(md5(random()::text), 1, 8))]",
        "$6": "ARRAY[1]",
        "$7": "ARRAY[md5('order' || :i)::uuid]",
        "$8": "300::float8",
        "$9": "100000",
    }
    lock_buyer = LOCK_BUYERS.replace("$2", values["$4"])
    statements = [
        re.sub(r"\$\d", lambda place: values[place[0]], statement) for statement in (lock_buyer, HOLD)
    ]
    first = f":client_id * {share * ROUNDS} + {number * share}"
    lines = [" ".join(statement.split()) + ";" for statement in statements]
    return "\n".join(
        ["\\set n :n + 1", f"\\set i {first} + :n", "\\set b random(1, 5000)", "BEGIN;", *lines, "COMMIT;"]
    )


async def _pgbench(house: House, clients: int, seconds: float, number: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "reserve.sql"
        script.write_text(_script(house, clients, number))
        process = await asyncio.create_subprocess_exec(
            house.servers.bin_dir / "pgbench",
            *(
                "-n",
                "-D",
                "n=-1",
                "-M",
                "prepared",
                "-f",
                script,
                "-c",
                str(clients),
                "-j",
                "2",
                "-T",
                str(round(seconds)),
            ),
            house.servers.database_url,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PGOPTIONS": "-c enable_seqscan=off"},
        )
        out, err = await process.communicate()
    found = re.search(r"tps = ([\d.]+)", out.decode())
    if found is None:
        raise SystemExit(f"pgbench said: {err.decode()}")
    return float(found[1])
