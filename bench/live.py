"""Live seat maps: deliveries a second against a plain broadcast, joins, memory, and from commit to screen."""

import asyncio
import multiprocessing
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

import typer
import uvloop

from bench.house import House, house
from bench.live_rounds import Place, Rounds, rounds
from bench.live_servers import plain, rowlock
from bench.report import HEADER, Measured

Found = TypeVar("Found")
WATCHERS = (500, 2_000)


async def elsewhere(work: Callable[..., Coroutine[Any, Any, Found]], *arguments: object) -> Found:
    """Run a coroutine in a process of its own, so that the watchers do not slow down who starts them."""
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as process:
        return await asyncio.get_running_loop().run_in_executor(process, _run, work, *arguments)


def _run(work: Callable[..., Coroutine[Any, Any, Found]], *arguments: object) -> Found:
    return uvloop.run(work(*arguments))


async def deliveries(house: House, kind: str, watchers: int, seconds: float) -> list[Measured]:
    """Updates of 20 changes to so many watchers, against a plain broadcast of their bytes; and the joins."""
    servers = house.servers
    async with rowlock(servers, frame_milliseconds=0) as ours, plain(servers) as other:
        place = Place(ours, other, house.arena.id, servers.database_url, servers.redis_url)
        found: Rounds = await elsewhere(rounds, place, kind, watchers, seconds)
    took = [each for one in found.ours for each in one.took]
    return [
        Measured(
            f"{kind} deliveries, against plain Starlette",
            watchers,
            [one.rate for one in found.ours],
            [one.rate for one in found.others],
            took,
        ),
        Measured(
            f"{kind} deliveries a processor second",
            watchers,
            [1 / one.cpu_seconds for one in found.ours],
            [1 / one.cpu_seconds for one in found.others],
            took,
        ),
        Measured(
            f"{kind} joins, against plain Starlette",
            watchers,
            [watchers / found.joins[0]],
            [watchers / found.joins[1]],
            [found.joins[0]],
        ),
    ]


async def live(house: House, seconds: float) -> list[Measured]:
    """Every line of the live part."""
    lines: list[Measured] = []
    for kind in ("WebSocket", "SSE"):
        for watchers in WATCHERS:
            lines += await deliveries(house, kind, watchers, seconds)
            print(*(line.line() for line in lines[-3:]), sep="\n", flush=True)
    return lines


async def bench(seconds: float) -> None:
    async with house([]) as place:
        print(HEADER)
        await live(place, seconds)


def main(seconds: float = 3) -> None:
    """Measure the live part alone, on throw-away servers."""
    uvloop.run(bench(seconds))


if __name__ == "__main__":
    typer.run(main)
