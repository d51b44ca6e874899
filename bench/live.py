"""Live seat maps: deliveries a second against a plain broadcast, joins, memory, and from commit to screen."""

import asyncio
import multiprocessing
from bisect import bisect_left
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import uvloop

from bench.client import Connection
from bench.house import House
from bench.live_rounds import Place, Rounds, last_seen, rounds
from bench.report import Measured
from bench.sale import Sale
from bench.servers import allow_many_connections, plain, rowlock

Found = TypeVar("Found")
PARTIES = (("WebSocket", 500), ("WebSocket", 2_000), ("SSE", 500))
GROWTH = (100, 500, 2_000, 5_000)
AUDIENCE, SALES_A_SECOND, BUYERS_AT_ONCE = 1_000, 100, 16
JOIN_SECONDS = 6

CHANGED = """SELECT revision, extract(epoch FROM changed_at)::float8 AS at FROM seat_changes
    WHERE event_id = $1 AND revision IS NOT NULL AND changed_at > to_timestamp($2) ORDER BY revision"""


async def elsewhere(work: Callable[..., Coroutine[Any, Any, Found]], *arguments: object) -> Found:
    """Run a coroutine in a process of its own, so that the watchers do not slow down who starts them."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as process:
        return await asyncio.get_running_loop().run_in_executor(process, _run, work, *arguments)


def _run(work: Callable[..., Coroutine[Any, Any, Found]], *arguments: object) -> Found:
    return uvloop.run(work(*arguments))


async def deliveries(house: House, kind: str, watchers: int, seconds: float) -> list[Measured]:
    """Updates of 20 changes to so many watchers, against a plain broadcast of their bytes; joins; memory."""
    allow_many_connections()
    servers = house.servers
    async with rowlock(servers, frame_milliseconds=0) as ours, plain(servers) as other:
        place = Place(ours, other, house.arena.id, servers.database_url, servers.redis_url)
        found: Rounds = await elsewhere(rounds, place, kind, watchers, seconds)
    rates = [one.rate for one in found.ours], [one.rate for one in found.others]
    took = [each for one in found.ours for each in one.took]
    joined = [[watchers / seconds_to_join] for seconds_to_join in found.joins]
    bytes_each = [[bytes_of_one / 1_024] for bytes_of_one in found.watcher_bytes]
    return [
        Measured(f"{kind} deliveries, against Starlette", watchers, *rates, took),
        Measured(f"{kind} joins, against Starlette", watchers, *joined, []),
        Measured(f"KiB a {kind} watcher, against Starlette", watchers, *bytes_each, []),
    ]


async def from_commit_to_screen(house: House, seconds: float) -> Measured:
    """From just before a commit until the last of many watchers has it, while a sale goes on."""
    allow_many_connections()
    seconds_in_all = JOIN_SECONDS + seconds + 1
    seen = asyncio.create_task(elsewhere(last_seen, house.port, house.arena.id, AUDIENCE, seconds_in_all))
    await asyncio.sleep(JOIN_SECONDS)
    (now,) = await house.database.rows("SELECT extract(epoch FROM clock_timestamp())::float8 AS now")
    await _sell(house, seconds)
    last_at = await seen
    changes = await house.database.rows(CHANGED, house.arena.id, now["now"])
    told = sorted(last_at)
    took = [last_at[told[bisect_left(told, row["revision"])]] - row["at"] for row in changes]
    name = f"from commit to the last, {SALES_A_SECOND} sales a second"
    return Measured(name, AUDIENCE, [len(took) / seconds], [], took)


async def _sell(house: House, seconds: float) -> None:
    """Reserve seat after seat, so many a second."""
    sale, free = Sale(house, house.arena), asyncio.Queue[Connection]()
    connections = [Connection(house.port) for _ in range(BUYERS_AT_ONCE)]
    for connection in connections:
        free.put_nowait(await connection.__aenter__())

    async def buy(connection: Connection) -> None:
        sale.answered(await connection.ask(sale.reserve()))
        free.put_nowait(connection)

    sales = []
    for _ in range(round(SALES_A_SECOND * seconds)):
        sales.append(asyncio.create_task(buy(await free.get())))
        await asyncio.sleep(1 / SALES_A_SECOND)
    await asyncio.gather(*sales)


async def live(house: House, seconds: float) -> list[Measured]:
    """Every line of the live part."""
    found = [await deliveries(house, kind, watchers, seconds) for kind, watchers in PARTIES]
    joins = [line for lines in found[1:] for line in lines[1:]]
    return [
        *(lines[0] for lines in found),
        *joins,
        await from_commit_to_screen(house, 3 * seconds),
    ]


async def growth(house: House, seconds: float) -> list[Measured]:
    """Deliveries, joins and memory as the audience grows."""
    found = [await deliveries(house, "WebSocket", watchers, seconds) for watchers in GROWTH]
    return [lines[number] for number in range(3) for lines in found]
