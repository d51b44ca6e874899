"""A request leaves no cycles behind: the garbage collector stops a sale for as long as it looks for them."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from database import Database
from schema import ids
from schema.context import Context
from tests.resolvers.test_orders import PAY, RESERVE
from tests.serving import Server
from tests.world import new_event, new_user

SEATS = "query ($e: ID!) { event(id: $e) { seats(first: 9) { nodes { id tier { name } } } } }"


@pytest.fixture
def _uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def until_all_are_gone() -> None:
    """Until nothing of any request is left, by counting references alone."""
    async with asyncio.timeout(10):
        while [o for o in gc.get_objects() if type(o) is Context]:
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("_uncollected")
async def test_what_is_served_and_what_is_refused_is_gone_with_its_answer(
    database: Database, server: Server
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    wish: dict[str, Any] = {"eventId": ids.event_id(event.id), "selection": {"seatIndexes": [1]}}
    order = (await server.ask(RESERVE, alice, i=wish))["reserve"]["order"]
    await until_all_are_gone()
    assert (await server.ask(RESERVE, alice, i=wish))["reserve"]["code"] == "SEAT_UNAVAILABLE"
    await until_all_are_gone()
    assert (await server.ask(PAY, alice, i={"orderId": order["id"]}))["pay"]["order"]
    await until_all_are_gone()
    assert (await server.ask(SEATS, alice, e=wish["eventId"]))["event"]
    await until_all_are_gone()
