"""Everybody walks the whole schema, and reads no more than docs/access.md says that they may."""

from collections.abc import AsyncIterator
from itertools import product
from uuid import uuid4

import httpx2
import pytest

from database import Database
from schema import ids
from schema.root import schema
from settings import Settings
from steps.permit import deactivate_user
from steps.transact import transact
from tests.alice import READERS, House, alices_house
from tests.docs.access import assert_told, read_table
from tests.people import logged_in
from tests.resolvers.test_seats import WATCH
from tests.routes.test_staying import authorization, closed_with, watching
from tests.serving import Server, receive, serving, subscribe
from tests.test_statements import reachable
from tests.walking import queries, told
from tests.world import new_draft, new_event, new_user

RAISED = {
    "query_tokens_max": 20_000,
    "query_depth_max": 50,
    "query_cost_max": 2**31 - 1,
    "operation_seconds_max": 60,
}
FORESEEN = {"UNAUTHORIZED", "FORBIDDEN", "VALIDATION_ERROR"}
OF_OTHERS: dict[str, set[str]] = {
    "anonymous": set(),
    "SERVICE": set(),
    "USER": set(),
    "STAFF": {"name", "ticket", "account"},
}
"""What these may read of alice's secrets; of her account no more than its id."""
PAGES = ("Connection", "Edge", "PageInfo")
"""What these hold is listed by itself."""


@pytest.fixture
async def generous(database: Database, settings: Settings) -> AsyncIterator[Server]:
    """A server that answers the largest queries, too."""
    async with serving(settings.model_copy(update=RAISED)) as server:
        yield server


class Walk:
    """What everybody was told by all queries together."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.readers: dict[str, set[str]] = {}
        self.leaks: set[tuple[str, str, str]] = set()
        self.codes: set[str] = set()

    def note(self, reader: str, query: str, answer: httpx2.Response) -> None:
        """Note every field that told something, every secret that came with it, and every error."""
        body = answer.json()
        self.codes |= {error["extensions"]["code"] for error in body.get("errors", ())}
        for name, words in self.house.secrets.items():
            if any(word in answer.text for word in words) and not self._may_read(reader, name):
                self.leaks.add((reader, name, query))
        for field, is_own in told(body["data"], self.house.own[reader]) if body.get("data") else ():
            if reader == "owner" or not is_own:
                self.readers.setdefault(field, set()).add(reader)

    @staticmethod
    def _may_read(reader: str, name: str) -> bool:
        if reader == "owner":
            return name != "draft"
        return reader not in OF_OTHERS or name in OF_OTHERS[reader]


def fields_of_queries() -> set[str]:
    assert schema.graphql_schema.query_type
    kinds = reachable(schema.graphql_schema.query_type, {}).items()
    return {f"{name}.{field}" for name, kind in kinds for field in kind.fields}


async def test_everybody_reads_what_the_page_says_and_nothing_else(
    database: Database, generous: Server
) -> None:
    house = await alices_house(database, generous)
    walk = Walk(house)
    for query, reader in product(queries(house), READERS):
        headers = {"Authorization": f"Bearer {token}"} if (token := house.tokens[reader]) else {}
        answer = await generous.http.post("/graphql", json={"query": query}, headers=headers)
        walk.note(reader, query, answer)
    assert walk.leaks == set()
    assert walk.codes <= FORESEEN
    assert fields_of_queries() - set(walk.readers) == set(), "somebody reads every field"
    listed = {
        field: who for field, who in walk.readers.items() if not field.partition(".")[0].endswith(PAGES)
    }
    assert_told(read_table(listed))


async def test_a_draft_cannot_be_watched_and_is_as_one_that_is_not_there(
    database: Database, server: Server
) -> None:
    stranger, draft = await new_user(database), await new_draft(database)
    errors = []
    async with server.socket(stranger) as socket:
        for event_id in (draft.id, uuid4()):
            for query in (WATCH, WATCH.replace("seatStatus", "status: seatStatus")):
                await subscribe(socket, query, e=ids.event_id(event_id))
                errors.append((await receive(socket))["payload"][0])
    assert {error["extensions"]["code"] for error in errors} == {"NOT_FOUND"}
    assert len({error["message"] for error in errors}) == 1


async def test_who_is_deactivated_is_out_at_once_also_of_an_open_socket(
    database: Database, server: Server
) -> None:
    alice, event = await new_user(database), await new_event(database)
    session = await logged_in(database, alice)
    headers = authorization(server, alice, session.session_id)
    async with server.socket(payload=headers) as socket:
        await watching(server, socket, event.id)
        await transact(server.app.state.house.database, deactivate_user, user_id=alice.id)
        answer = await server.http.post("/graphql", json={"query": "{ viewer { id } }"}, headers=headers)
        assert answer.status_code == 401
        assert (await closed_with(socket))[0] == 4401
