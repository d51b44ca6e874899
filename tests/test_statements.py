"""No query costs a statement for each row: the statements of deep queries stay as many while data grows."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asyncpg.connection import LoggedQuery
from graphql import (
    FieldNode,
    GraphQLObjectType,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    visit,
)
from sqlalchemy import event as listening
from strawberry.schema.schema_converter import GraphQLCoreConverter

from auth.budgets import Budgets
from auth.codes import Codes
from auth.issuers import Issuers
from auth.rate_limits import RateLimits
from auth.refresh_tokens import RefreshTokens
from auth.revocations import Revocations
from auth.tokens import AccessTokens
from auth.viewer import Viewer
from database import Database
from dataloaders.plans import Plans
from live.bus import Bus
from live.hub import Hub
from models.users import Role, User
from schema import ids
from schema.context import Context, House
from schema.engine import Asked, Engine
from schema.root import schema
from settings import Settings
from steps.pay_together import Payments
from steps.reserve_together import Reservations
from steps.visitors import Visitors
from tests.deep_queries import (
    ADMINS,
    BY_EVENT,
    EDGES,
    EVENTS,
    EVERY_QUERY,
    NODES,
    ONE_AT_A_TIME,
    OPERATORS,
    VIEWER,
)
from tests.world import LIMITS, hold, new_draft, new_event, new_user, pay, priced

SIZES = (2, 20)
COST_MAX = 200_000  # more than a client may ask for at once


class Asking:
    """Runs queries on the database of the test, and counts the statements that each takes.

    One connection reads, so that statements are answered in the order in which they were asked: what meets in
    one batch is then no matter of luck.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.model_copy(update={"database_pool_size": 1, "query_cost_max": COST_MAX})
        self.database, self.engine = Database(self.settings), Engine(schema, self.settings)

    async def ask(self, query: str, user: User | None = None, **variables: Any) -> tuple[dict[str, Any], int]:
        """The data of an answer without errors, and how many statements were run for it."""
        viewer = Viewer(user.id, frozenset(Role(role) for role in user.roles)) if user else None
        asked = Asked(query, variables, None, frozenset({OperationType.QUERY}))
        with counted(self.database) as statements:
            result = await self.engine.execute(asked, Context(self._house(), viewer))
        assert result.errors is None
        assert result.data is not None
        return result.data, len(statements)

    def _house(self) -> House:
        """A house that remembers nothing, so that no query is cheap for having been asked before."""
        refresh_tokens = RefreshTokens(self.settings)
        return House(
            settings=self.settings,
            database=self.database,
            tokens=AccessTokens(self.settings),
            refresh_tokens=refresh_tokens,
            visitors=Visitors(self.database, Issuers([]), refresh_tokens, self.settings.access_token_seconds),
            revocations=Revocations(self.database, Bus(None), self.settings.access_token_seconds),
            rate_limits=RateLimits(self.settings),
            budgets=Budgets(self.settings.cost_per_minute_max),
            codes=Codes(self.settings),
            plans=Plans(self.database),
            hub=Hub(self.database, Bus(self.settings.redis_url)),
            payments=Payments(self.database, self.settings.credits_currency),
            reservations=Reservations(self.database, LIMITS),
            provider=None,
        )


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Every statement that the reading connections send, from the driver itself."""
    statements: list[str] = []
    logged: dict[int, tuple[Any, Callable[[LoggedQuery], None]]] = {}

    def log(query: LoggedQuery) -> None:
        statements.append(query.query)

    def listen(connection: Any, *_: object) -> None:
        driver = connection.driver_connection
        if id(driver) not in logged:
            logged[id(driver)] = driver, log
            driver.add_query_logger(log)

    listening.listen(database.readers.sync_engine, "checkout", listen)
    try:
        yield statements
    finally:
        listening.remove(database.readers.sync_engine, "checkout", listen)
        for driver, _ in logged.values():
            driver.remove_query_logger(log)


@pytest.fixture
async def asking(settings: Settings) -> AsyncIterator[Asking]:
    asking = Asking(settings)
    # A connection asks the database about each kind of array when it first meets it; that is not counted.
    await asking.database.rows("SELECT $1::uuid[], $2::int[], $3::text[], $4::smallint[]", [], [], [], [])
    yield asking
    await asking.database.close()


async def grow(database: Database, buyer: User, events: int) -> None:
    """More events, and on each an order that is held and one that is paid, the latter with two tickets."""
    for _ in range(events):
        event = await new_event(database, await priced(2, 5, standing=5))
        await hold(database, buyer, event, [0, 1])
        await pay(database, buyer, await hold(database, buyer, event, [2, 7]))


async def counts(
    asking: Asking, buyer: User, query: str, user: User | None, size: Callable[[dict[str, Any]], int]
) -> list[int]:
    """How many statements a query takes with 2 and with 20 events' data; it must find ten times as much."""
    found, sizes, there = [], [], 0
    for events in SIZES:
        await grow(asking.database, buyer, events - there)
        there = events
        data, statements = await asking.ask(query, user)
        found.append(statements)
        sizes.append(size(data))
    assert sizes[1] == 10 * sizes[0]
    return found


async def rich(database: Database) -> User:
    return await new_user(database, credits_minor=1_000_000)


async def test_events_with_all_about_them(database: Database, asking: Asking) -> None:
    buyer = await rich(database)
    found = await counts(asking, buyer, EVENTS, None, lambda data: len(data["events"]["nodes"]))
    assert len(set(found)) == 1, found


async def test_a_viewers_orders_and_tickets(database: Database, asking: Asking) -> None:
    buyer = await rich(database)
    found = await counts(asking, buyer, VIEWER, buyer, lambda data: len(data["viewer"]["orders"]["nodes"]))
    assert len(set(found)) == 1, found


async def test_a_viewers_orders_together_for_each_event(database: Database, asking: Asking) -> None:
    buyer = await rich(database)
    found = await counts(
        asking, buyer, BY_EVENT, buyer, lambda data: len(data["viewer"]["ordersByEvent"]["nodes"])
    )
    assert len(set(found)) == 1, found


async def test_everybodys_orders_for_an_operator(database: Database, asking: Asking) -> None:
    operator = await new_user(database, Role.OPERATOR)
    found = []
    for people in (1, 2, 7):
        for _ in range(people):
            await grow(database, await rich(database), 1)
        data, statements = await asking.ask(OPERATORS, operator)
        found.append(statements)
    assert len({order["buyer"]["user"]["email"] for order in data["orders"]["nodes"]}) == 10
    assert len(set(found)) == 1, found


async def test_everybody_for_an_admin(database: Database, asking: Asking) -> None:
    admin, found = await new_user(database, Role.ADMIN), []
    for people in (1, 2, 7):
        for _ in range(people):
            await new_user(database)
        data, statements = await asking.ask(ADMINS, admin)
        found.append(statements)
    assert data["users"]["totalCount"] == 11
    assert len(set(found)) == 1, found


async def test_everything_by_its_edges(database: Database, asking: Asking) -> None:
    buyer, operator = await rich(database), await new_user(database, Role.OPERATOR)
    found = await counts(asking, buyer, EDGES, operator, lambda data: len(data["venues"]["edges"]))
    assert len(set(found)) == 1, found


def counted_fields() -> set[tuple[str, str]]:
    """Every field that the queries of this file select, by its type."""
    found, types = set(), TypeInfo(schema.graphql_schema)

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent = types.get_parent_type()
            assert parent is not None
            found.add((parent.name, node.name.value))

    for query in EVERY_QUERY:
        visit(parse(query), TypeInfoVisitor(types, Fields()))
    return found


def reachable(kind: Any, found: dict[str, GraphQLObjectType]) -> dict[str, GraphQLObjectType]:
    """Every object type that a query can come to."""
    if is_abstract_type(kind):
        for possible in schema.graphql_schema.get_possible_types(kind):
            reachable(possible, found)
    elif isinstance(kind, GraphQLObjectType) and kind.name not in found:
        found[kind.name] = kind
        for field in kind.fields.values():
            reachable(get_named_type(field.type), found)
    return found


def test_every_field_that_reads_or_leads_to_other_types_is_in_a_query_whose_statements_are_counted() -> None:
    leading = []
    for name, kind in reachable(schema.graphql_schema.query_type, {}).items():
        for field_name, field in kind.fields.items():
            is_plain = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_basic_field
            if not is_plain or is_composite_type(get_named_type(field.type)):
                leading.append((name, field_name))
    exempt = {("Query", name) for name in ONE_AT_A_TIME}
    assert set(leading) - counted_fields() == exempt


async def test_things_by_their_ids(database: Database, asking: Asking) -> None:
    buyer = await rich(database)
    await grow(database, buyer, 10)
    rows = await database.rows("SELECT event_id, order_id, index, id FROM tickets ORDER BY id")
    found = []
    for size in SIZES:
        named = []
        for row in rows[:size]:
            named += [ids.event_id(row["event_id"]), ids.seat_id(row["event_id"], row["index"])]
            named += [ids.tier_id(row["event_id"], 0), ids.ticket_id(row["event_id"], row["id"])]
            named.append(ids.order_id(row["event_id"], row["order_id"]))
        data, statements = await asking.ask(NODES, buyer, ids=named)
        assert [node["id"] for node in data["nodes"]] == named
        found.append(statements)
    assert len(set(found)) == 1, found


async def test_drafts_for_an_operator(database: Database, asking: Asking) -> None:
    operator, found = await new_user(database, Role.OPERATOR), []
    for drafts in (1, 2, 7):
        for _ in range(drafts):
            await new_draft(database)
        found.append((await asking.ask(EVENTS, operator))[1])
    assert len(set(found)) == 1, found


async def test_the_available_seats_of_100_events_are_one_statement(
    database: Database, asking: Asking
) -> None:
    for _ in range(100):
        await new_event(database, await priced(1, 2))
    listed, without = await asking.ask("{ events(first: 100) { nodes { id } } }")
    data, with_counts = await asking.ask("{ events(first: 100) { nodes { availableSeats } } }")
    assert [node["availableSeats"] for node in data["events"]["nodes"]] == [2] * 100
    assert len(listed["events"]["nodes"]) == 100
    assert (without, with_counts) == (1, 2)
