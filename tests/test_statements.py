"""No query costs a statement for each row: the statements of deep queries stay as many while data grows."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asyncpg.connection import LoggedQuery
from graphql import OperationType
from sqlalchemy import event as listening

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
from tests.world import LIMITS, hold, new_draft, new_event, new_user, pay, priced

SIZES = (1, 3, 10)
MONEY = "{ amount currency }"

EVENTS = f"""{{ events(first: 100) {{ totalCount pageInfo {{ endCursor }} nodes {{
    name availableSeats
    venue {{ name halls {{ code venue {{ address }} }} }}
    hall {{ name venue {{ name }} }}
    pricingTiers {{ name price {MONEY} availableSeats }}
    seats(first: 5) {{ totalCount edges {{ cursor node {{ status price {MONEY} tier {{ availableSeats }}
        event {{ name hall {{ code }} }} ticket {{ reference }} }} }} }}
    free: seats(last: 3, filter: {{status: AVAILABLE}}) {{ totalCount nodes {{ index }} }}
    seatMap {{ revision statuses plan {{ width sections {{ name }} }} }} }} }} }}"""

VIEWER = f"""{{ viewer {{ creditBalance {MONEY} sessions {{ device current }}
    orders(first: 100) {{ totalCount nodes {{ reference secondsLeft availableActions
        event {{ name availableSeats venue {{ name }} }}
        buyer {{ name user {{ email creditBalance {MONEY}
            sessions {{ id }} orders(first: 2) {{ totalCount }} }} }}
        items {{ price {MONEY} tier {{ name }} seat {{ index price {MONEY} tier {{ name }}
            event {{ name }} ticket {{ reference owner {{ name }} order {{ reference }} }} }} }}
        tickets {{ reference order {{ reference items {{ seat {{ index }} }} }} event {{ hall {{ name }} }}
            owner {{ name user {{ email }} }} seat {{ tier {{ price {MONEY} }} }} }} }} }}
    tickets(first: 100) {{ totalCount nodes {{ reference order {{ reference event {{ name }} }}
        seat {{ row event {{ name }} }} }} }} }} }}"""

OPERATORS = f"""{{ orders(first: 100) {{ totalCount nodes {{ reference buyer {{ name user {{ email
        tickets(first: 3) {{ totalCount nodes {{ reference seat {{ index }} }} }}
        paid: orders(filter: {{status: [CONFIRMED]}}) {{ nodes {{ total {MONEY} }} }}
        found: orders(filter: {{search: "nobody@example.com"}}) {{ totalCount }} }} }} }} }}
    tickets(first: 100) {{ totalCount nodes {{ owner {{ name user {{ email }} }} }} }}
    venues(first: 100) {{ nodes {{ name halls {{ code venue {{ name }} }} }} }} }}"""

NODES = """query ($ids: [ID!]!) { nodes(ids: $ids) { id
    ... on Event { name venue { name } availableSeats }
    ... on Seat { index tier { name } event { name } ticket { reference } }
    ... on PricingTier { name availableSeats }
    ... on Order { reference event { name } items { seat { index } } }
    ... on Ticket { reference seat { index } order { reference } } } }"""


class Asking:
    """Runs queries on the database of the test, and counts the statements that each takes.

    One connection reads, so that statements are answered in the order in which they were asked: what meets in
    one batch is then no matter of luck.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.model_copy(update={"database_pool_size": 1})
        self.database, self.engine = Database(self.settings), Engine(schema)

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
        return House(
            settings=self.settings,
            database=self.database,
            tokens=AccessTokens(self.settings),
            refresh_tokens=RefreshTokens(self.settings),
            revocations=Revocations(self.database, Bus(None), self.settings.access_token_seconds),
            plans=Plans(self.database),
            hub=Hub(self.database, Bus(self.settings.redis_url)),
            limits=LIMITS,
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
    """How many statements a query takes with 1, 3 and 10 events' data; it must find more each time."""
    found, sizes, there = [], [], 0
    for events in SIZES:
        await grow(asking.database, buyer, events - there)
        there = events
        data, statements = await asking.ask(query, user)
        found.append(statements)
        sizes.append(size(data))
    assert sizes[0] < sizes[1] < sizes[2]
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
