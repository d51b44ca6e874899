"""`python -m bench`: one table, each figure a ratio against something in the same run."""

from typing import Annotated

import typer
import uvloop

from bench import growth
from bench.deliveries import DEAD, deliveries
from bench.door import door
from bench.house import PLACES, house
from bench.live import growth as by_audience
from bench.live import live
from bench.reading import reading
from bench.report import HEADER
from bench.sale import sale


async def bench(seconds: float, clients: list[int]) -> None:
    async with house(clients) as place:
        print(f"An event of {PLACES:,} places and the demo's arena; {seconds:g} s a round, 3 rounds each.")
        print(HEADER)
        for measured in await sale(place, clients, seconds):
            print(measured.line(), flush=True)
        for measured in await door(place, seconds):
            print(measured.line(), flush=True)
        for measured in await reading(place, seconds):
            print(measured.line(), flush=True)
        for measured in await live(place, seconds):
            print(measured.line(), flush=True)


async def bench_growth(seconds: float) -> None:
    async with house([]) as place:
        print(growth.HEADER)
        for line in await growth.growth(place, seconds):
            print(line, flush=True)
        print(HEADER)
        for measured in await by_audience(place, seconds):
            print(measured.line(), flush=True)


async def bench_deliveries() -> None:
    for dead in (0, DEAD):
        print(await deliveries(dead), flush=True)


def main(
    seconds: float = 4,
    clients: str = "1,16,64",
    by_size: Annotated[
        bool, typer.Option("--growth", help="How cost grows with seats and watchers, instead of the table.")
    ] = False,
    webhooks: Annotated[
        bool, typer.Option("--deliveries", help="10,000 webhooks to 100 endpoints, instead of the table.")
    ] = False,
) -> None:
    """Measure on throw-away servers; nothing of yours is touched."""
    if by_size:
        uvloop.run(bench_growth(seconds))
        return
    if webhooks:
        uvloop.run(bench_deliveries())
        return
    uvloop.run(bench(seconds, [int(number) for number in clients.split(",")]))


if __name__ == "__main__":
    typer.run(main)
