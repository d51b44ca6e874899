"""`python -m bench`: one table, each figure a ratio against something in the same run."""

import typer
import uvloop

from bench.house import PLACES, house
from bench.reading import reading
from bench.report import HEADER
from bench.sale import sale


async def bench(seconds: float, clients: list[int]) -> None:
    async with house(clients) as place:
        print(f"An event of {PLACES:,} places and the demo's arena; {seconds:g} s a round, 3 rounds each.")
        print(HEADER)
        for measured in await sale(place, clients, seconds):
            print(measured.line(), flush=True)
        for measured in await reading(place, seconds):
            print(measured.line(), flush=True)


def main(seconds: float = 4, clients: str = "1,16,64") -> None:
    """Measure on throw-away servers; nothing of yours is touched."""
    uvloop.run(bench(seconds, [int(number) for number in clients.split(",")]))


if __name__ == "__main__":
    typer.run(main)
