"""Our own lists, completed the short way and by the standard executor: the same to the last byte."""

from copy import copy
from typing import Any

import orjson
import pytest
from graphql import OperationType
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext as OfStrawberry

from auth.viewer import Viewer
from database import Database
from models.users import Role, User
from schema import ids
from schema.context import Context
from schema.engine import Asked, Engine
from schema.executor import Executor
from schema.root import schema
from tests.schema.test_executor import OnlyShort
from tests.serving import Server
from tests.world import hold, new_event, new_user, pay, priced

PLAN = """query ($e: ID!, $no: Boolean = false) { event(id: $e) { seatMap { plan { width ...Parts
    areas { __typename name x tierId firstIndex places } } } } }
    fragment Parts on SeatPlan { sections { name rows { label: label seats { index number x
    y @skip(if: $no) tierId place: seatId ... @include(if: $no) { also: index } } } } }"""
SEATS = """query ($e: ID!) { event(id: $e) {
    seats(first: 8) { nodes { __typename id index section row number status } pageInfo { endCursor }
        edges { cursor node { id status } } }
    pricingTiers { id name color totalSeats generalAdmission price { amount currency } } } }"""
ORDERS = """{ viewer { roles orders { nodes { id status createdAt heldUntil total { amount } availableActions
    items { price { amount currency } } tickets { id status purchasedAt pricePaid { amount } } } } } }"""
EVENTS = "{ events { nodes { id name status startsAt salesStartAt totalSeats } } }"
MIXED = "{ events { nodes { id availableSeats venue { name } pricingTiers { name availableSeats } } } }"
ABSTRACT = "query ($e: ID!) { nodes(ids: [$e, $e]) { __typename id ... on Event { name } } }"


class Standard(OfStrawberry):
    """Strawberry's own, which keeps nothing from run to run."""

    def __init__(self, *args: Any, selections: object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)


async def answer(
    server: Server,
    executor: type[OfStrawberry],
    query: str,
    user: User,
    **variables: Any,
) -> bytes:
    house = server.app.state.house
    chosen = copy(schema)
    chosen.execution_context_class = executor
    viewer = Viewer(user.id, frozenset(Role(role) for role in user.roles))
    asked = Asked(query, variables, None, frozenset({OperationType.QUERY}))
    result = await Engine(chosen, house.settings).execute(asked, Context(house, viewer))
    assert result.errors is None
    return orjson.dumps(result.data)


async def a_sale(database: Database) -> tuple[User, str]:
    """A buyer with an order that is held and one that is paid, and the event's id."""
    event, buyer = await new_event(database, await priced(2, 4, standing=3)), await new_user(database)
    rich = await new_user(database, Role.OPERATOR, credits_minor=10_000)
    await hold(database, buyer, event, [0])
    await hold(database, rich, event, [1])
    await pay(database, rich, await hold(database, rich, event, [2, 3]))
    return rich, ids.event_id(event.id)


@pytest.mark.parametrize("query", [PLAN, SEATS, ORDERS, EVENTS, MIXED, ABSTRACT])
async def test_both_executors_write_the_same(database: Database, server: Server, query: str) -> None:
    user, event = await a_sale(database)
    variables = {"e": event} if "$e" in query else {}
    expected = await answer(server, Standard, query, user, **variables)
    assert await answer(server, Executor, query, user, **variables) == expected
    assert await answer(server, Executor, query, user, **variables) == expected


@pytest.mark.parametrize("query", [PLAN, SEATS, EVENTS])
async def test_plain_lists_take_the_short_way(database: Database, server: Server, query: str) -> None:
    user, event = await a_sale(database)
    variables = {"e": event} if "$e" in query else {}
    assert await answer(server, OnlyShort, query, user, **variables)
