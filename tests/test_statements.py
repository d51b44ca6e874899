"""No query costs a statement for each row: the statements of deep queries stay as many while data grows."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    visit,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from database import Database
from models.users import Role, User
from schema import ids
from schema.root import schema
from settings import Settings
from tests.carts import put_places, put_seats
from tests.counting import Asking
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
from tests.delivering import given_up
from tests.doors import checked_in, ticket_at, undone
from tests.receiving import added
from tests.world import hold, new_draft, new_event, new_user, pay, priced

SIZES = (2, 20)


@pytest.fixture
async def asking(settings: Settings) -> AsyncIterator[Asking]:
    asking = Asking(settings)
    # A connection asks the database about each kind of array when it first meets it; that is not counted.
    await asking.database.rows("SELECT $1::uuid[], $2::int[], $3::text[], $4::smallint[]", [], [], [], [])
    yield asking
    await asking.database.close()


async def grow(database: Database, buyer: User, events: int) -> None:
    """More events, and on each an order that is held, one paid with two tickets, and two items in a cart.

    Both tickets came in, and for one that was taken back.
    """
    for _ in range(events):
        event = await new_event(database, await priced(2, 5, standing=5))
        await hold(database, buyer, event, [0, 1])
        await pay(database, buyer, await hold(database, buyer, event, [2, 7]))
        await put_seats(database, buyer, event, 8)
        await put_places(database, buyer, event, 1, 2)
        for index in (2, 7):
            await checked_in(database, ticket := await ticket_at(database, event.id, index))
        await undone(database, ticket)


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
    assert data["entryLog"]["totalCount"] == 20
    assert len({order["buyer"]["user"]["email"] for order in data["orders"]["nodes"]}) == 10
    assert len(set(found)) == 1, found


async def test_everybody_for_an_admin(database: Database, asking: Asking) -> None:
    admin, found = await new_user(database, Role.ADMIN), []
    for people in (1, 2, 7):
        for _ in range(people):
            await added(database, "https://hooks.example.com")
            await given_up(database, await new_user(database))
        data, statements = await asking.ask(ADMINS, admin)
        found.append(statements)
    assert (data["users"]["totalCount"], data["deadLetters"]["totalCount"]) == (11, 10)
    assert len(data["webhookEndpoints"]) == 10
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


async def test_items_of_a_cart_by_their_ids(database: Database, asking: Asking) -> None:
    buyer = await rich(database)
    await grow(database, buyer, 10)
    rows = await database.rows("SELECT id FROM cart_items ORDER BY id")
    found = []
    for size in SIZES:
        named = [ids.cart_id(buyer.id), *(ids.cart_item_id(row["id"]) for row in rows[:size])]
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
