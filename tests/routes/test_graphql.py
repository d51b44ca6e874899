"""GraphQL over HTTP: what is asked wrongly is answered with what to do, never with a 500."""

import orjson
import pytest

from database import Database
from settings import Settings
from tests.serving import Server, serving
from tests.world import new_event, new_user

JSON = {"content-type": "application/json"}
RESPONSE = {"accept": "application/graphql-response+json"}
QUERY = {"query": "{ __typename }"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"1",
        b'"x"',
        b"true",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"9" * 6_000,
        b'{"query": 1}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "extensions": "x"}',
        b'{"query": "\\ud800"}',
    ],
)
async def test_a_body_that_is_no_request_is_refused(server: Server, body: bytes) -> None:
    answer = await server.http.post("/graphql", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "xapplication/jsonx"}, 415),
        ({"content-type": "application/json; charset=latin-1"}, 415),
        ({"content-type": "application/json; charset=UTF-8"}, 200),
        (JSON | {"accept": "text/html"}, 406),
        (JSON | {"accept": "*/*"}, 200),
        (JSON | {"authorization": "Basic x"}, 401),
        (JSON | {"authorization": "Bearer x.y.z"}, 401),
    ],
)
async def test_headers_decide(server: Server, headers: dict[str, str], status: int) -> None:
    answer = await server.http.post("/graphql", content=orjson.dumps(QUERY), headers=headers)
    assert answer.status_code == status, answer.text


async def test_methods(server: Server) -> None:
    answer = await server.http.get("/graphql", params=QUERY)
    assert answer.json() == {"data": {"__typename": "Query"}}
    mutation = 'mutation { login(input: {email: "a", password: "b"}) { __typename } }'
    refused = await server.http.get("/graphql", params={"query": mutation})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    deleted = await server.http.delete("/graphql")
    assert deleted.status_code == 405
    variables = {"query": "query ($i: ID!) { node(id: $i) { id } }", "variables": "{"}
    assert (await server.http.get("/graphql", params=variables)).status_code == 400


async def test_a_wrong_document_has_no_data_and_a_status_where_the_client_understands_it(
    server: Server,
) -> None:
    for query in (
        "{",
        "{ nope }",
        "query A { __typename } query B { __typename }",
        "fragment F on Query { a }",
    ):
        plain = await server.http.post("/graphql", json={"query": query})
        assert (plain.status_code, "data" in plain.json()) == (200, False)
        strict = await server.http.post("/graphql", json={"query": query}, headers=RESPONSE)
        assert (strict.status_code, "data" in strict.json()) == (400, False)
        assert strict.headers["content-type"].startswith("application/graphql-response+json")
        assert strict.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"
    named = {"query": "query A { __typename } query B { b: __typename }", "operationName": "B"}
    assert (await server.http.post("/graphql", json=named)).json() == {"data": {"b": "Query"}}
    named["operationName"] = "C"
    assert "errors" in (await server.http.post("/graphql", json=named)).json()
    subscription = {"query": 'subscription { seatStatus(eventId: "x") { __typename } }'}
    assert (await server.http.post("/graphql", json=subscription)).status_code == 400


async def test_strings_that_cannot_be_kept_are_refused(server: Server) -> None:
    query = "query ($s: String) { venues(search: $s) { totalCount } }"
    assert (await server.error(query, s="a\0b"))["extensions"]["code"] == "VALIDATION_ERROR"
    literal = '{ venues(search: "a\\u0000b") { totalCount } }'
    assert (await server.error(literal))["extensions"]["code"] == "VALIDATION_ERROR"


async def test_a_body_that_is_too_large_is_refused(server: Server) -> None:
    answer = await server.http.post("/graphql", content=b" " * (16 * 1024 * 1024 + 1), headers=JSON)
    assert answer.status_code == 413


async def test_an_expired_token_says_so(settings: Settings, database: Database) -> None:
    alice = await new_user(database)
    async with serving(settings) as server:
        token = server.token(alice)
        server.app.state.house.tokens.lifetime_seconds = -1
        expired = server.token(alice)
        for sent, code in (
            (expired, "TOKEN_EXPIRED"),
            (f"{token}x", "UNAUTHORIZED"),
            ("a" * 5_000, "UNAUTHORIZED"),
        ):
            headers = {"authorization": f"Bearer {sent}"}
            answer = await server.http.post("/graphql", json=QUERY, headers=headers)
            assert answer.json()["errors"][0]["extensions"]["code"] == code


async def test_what_nobody_foresaw_is_masked_and_logged_with_its_id(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("postgresql://secret")

    monkeypatch.setattr(server.app.state.house.database, "rows", broken)
    error = await server.error("{ eventCategories }")
    assert error["extensions"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in orjson.dumps(error).decode()
    assert error["extensions"]["correlationId"] in caplog.text


async def test_without_a_database_the_answer_is_unavailable(settings: Settings) -> None:
    nowhere = settings.model_copy(
        update={"database_url": "postgresql://nobody@127.0.0.1:1/none", "redis_url": "redis://127.0.0.1:1/0"}
    )
    async with serving(nowhere) as server:
        error = await server.error("{ eventCategories }")
        assert error["extensions"]["code"] == "SERVICE_UNAVAILABLE"
        answer = await server.http.get("/health")
        assert (answer.status_code, answer.json()["checks"]["database"]) == (503, "disconnected")


async def test_health(server: Server) -> None:
    answer = await server.http.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "healthy")


async def test_a_browser_gets_the_query_page_but_not_in_production(
    settings: Settings, database: Database, server: Server
) -> None:
    html = {"accept": "text/html,application/xhtml+xml"}
    page = await server.http.get("/graphql", headers=html)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (await server.http.get("/graphql/assets/plain.js")).status_code == 200
    production = settings.model_copy(update={"mode": "production"})
    async with serving(production.model_copy(update={"mode": type(settings.mode)("production")})) as strict:
        assert (await strict.http.get("/graphql", headers=html)).status_code == 406
        assert (await strict.http.get("/graphql/assets/plain.js")).status_code == 404


async def test_pages_forwards_and_backwards(database: Database, server: Server) -> None:
    event = await new_event(database)
    query = """query ($e: ID!, $f: Int, $a: String, $l: Int, $b: String) { node(id: $e) { ... on Event {
        seats(first: $f, after: $a, last: $l, before: $b) {
            edges { cursor node { index } } totalCount
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }"""
    from schema import ids

    async def page(**given: object) -> tuple[list[int], dict[str, object]]:
        seats = (await server.ask(query, e=ids.event_id(event.id), **given))["node"]["seats"]
        assert seats["totalCount"] == 10
        return [edge["node"]["index"] for edge in seats["edges"]], seats["pageInfo"]

    first, info = await page(f=4)
    assert (first, info["hasNextPage"], info["hasPreviousPage"]) == ([0, 1, 2, 3], True, False)
    then, info = await page(f=4, a=info["endCursor"])
    assert (then, info["hasNextPage"], info["hasPreviousPage"]) == ([4, 5, 6, 7], True, True)
    back, info = await page(l=3, b=info["startCursor"])
    assert (back, info["hasNextPage"], info["hasPreviousPage"]) == ([1, 2, 3], True, True)
    last, info = await page(l=2)
    assert (last, info["hasNextPage"], info["hasPreviousPage"]) == ([8, 9], False, True)
    assert (await page())[0] == list(range(10))
    wrong = ({"f": 0}, {"f": 101}, {"l": -1}, {"f": 1, "l": 1}, {"a": "x"}, {"b": "bnVsbA"}, {"a": "WyJ4Il0"})
    for given in wrong:
        error = await server.error(query, e=ids.event_id(event.id), **given)
        assert error["extensions"]["code"] == "VALIDATION_ERROR", given
