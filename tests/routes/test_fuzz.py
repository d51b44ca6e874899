"""Whatever fits the schema is answered, for everybody: no 500, and no error that nobody foresaw."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from zlib import crc32

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes

from database import Database
from models.users import Role
from schema import ids
from schema.root import schema
from tests.serving import Server
from tests.world import hold, new_event, new_user, pay, priced

EXAMPLES_PER_FIELD = 6
BODIES = 60
AT_ONCE = 4
BROKEN = ("INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "Traceback")
SCALARS = {
    "DateTime": st.datetimes().map(lambda moment: nodes.String(f"{moment.isoformat()}Z")),
    "Decimal": st.decimals(allow_nan=False).map(lambda number: nodes.String(str(number))),
}
ID = re.compile(r'(\w*?)([iI]ds?: \[?)"((?:[^"\\]|\\.)*)"')
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
REQUESTS = JSON | st.fixed_dictionaries(
    {"query": st.sampled_from(["query ($a: ID!) { node(id: $a) { id } }", "{ __typename }"]) | st.text()},
    optional={
        "variables": st.dictionaries(st.just("a"), JSON) | JSON,
        "operationName": JSON,
        "extensions": JSON,
    },
)


def examples(strategy: "st.SearchStrategy[Any]", count: int) -> list[Any]:
    """So many examples, the same in each run."""
    found = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(example)

    collect()
    return found


def root_fields() -> Iterator[str]:
    for root in (schema.graphql_schema.query_type, schema.graphql_schema.mutation_type):
        assert root
        yield from root.fields


async def an_inhabited_house(database: Database) -> tuple[dict[str, str], list[Any]]:
    """One of each kind, by what the API calls its id, and people to ask as."""
    event = await new_event(database, await priced(2, 5, standing=5))
    admin = await new_user(database, Role.ADMIN, credits_minor=100_000)
    buyer = await new_user(database, credits_minor=100_000)
    await hold(database, buyer, event, [0])
    order = await pay(database, buyer, await hold(database, buyer, event, [1, 2]))
    (ticket,) = await database.rows("SELECT id FROM tickets ORDER BY id LIMIT 1")
    (hall,) = await database.rows("SELECT * FROM halls")
    known: dict[str, str] = {
        "event": ids.event_id(event.id),
        "order": ids.order_id(event.id, order.id),
        "tier": ids.tier_id(event.id, 0),
        "seat": ids.seat_id(event.id, 4),
        "user": ids.user_id(buyer.id),
        "ticket": ids.ticket_id(event.id, ticket["id"]),
        "hall": ids.hall_id(hall["id"]),
        "venue": ids.venue_id(hall["venue_id"]),
    }
    return known, [None, buyer, admin, admin]


def with_known_ids(query: str, known: dict[str, str]) -> str:
    """Put ids of what is there in the place of most that were made up."""

    def real(match: "re.Match[str]") -> str:
        name, rest, made_up = match.groups()
        chance = crc32(made_up.encode())
        id = known.get(name) or [*known.values()][chance % len(known)]
        return f'{name}{rest}"{id if chance % 5 else made_up}"'

    return ID.sub(real, query)


async def ask_all(server: Server, bodies: list[tuple[Any, Any]]) -> None:
    """Ask some at a time; each is answered with something that we foresaw."""
    left = iter(bodies)

    async def keep_asking() -> None:
        for body, user in left:
            token = server.token(user)
            headers = {"authorization": f"Bearer {token}"} if token else {}
            answer = await server.http.post("/graphql", json=body, headers=headers)
            assert answer.status_code < 500, body
            assert not [word for word in BROKEN if word in answer.text], (body, answer.text)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(keep_asking())


async def test_every_operation_is_answered_whatever_its_arguments(database: Database, server: Server) -> None:
    known, people = await an_inhabited_house(database)
    bodies = []
    for field in root_fields():
        strategy = from_schema(schema.graphql_schema, fields=[field], custom_scalars=SCALARS)
        queries = examples(strategy, EXAMPLES_PER_FIELD)
        assert queries, field
        asked = ({"query": with_known_ids(query, known)} for query in queries)
        bodies += [(body, people[number % len(people)]) for number, body in enumerate(asked)]
    await ask_all(server, bodies)


async def test_every_body_is_answered(server: Server) -> None:
    await ask_all(server, [(body, None) for body in examples(REQUESTS, BODIES)])
