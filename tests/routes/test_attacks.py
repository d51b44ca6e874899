"""What scanners of GraphQL servers try, graphql-cop's list above all, on a server in production."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from database import Database
from settings import Mode, Settings
from tests.serving import Server, serving

HTML = {"accept": "text/html,application/xhtml+xml"}
CREATE_VENUE = 'mutation { createVenue(input: {name: "a", address: "b"}) { __typename } }'


@pytest.fixture
async def production(settings: Settings, database: Database) -> AsyncIterator[Server]:
    secret = SecretStr("a secret of this house that is long enough")
    async with serving(settings.model_copy(update={"mode": Mode.PRODUCTION, "secret_key": secret})) as server:
        yield server


async def refusal(server: Server, body: Any, **headers: str) -> dict[str, Any]:
    """The one error that a POST of this is answered with; there is no data."""
    answer = await server.http.post("/graphql", json=body, headers=headers)
    assert "data" not in answer.json()
    (error,) = answer.json()["errors"]
    return error


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("query cop { " + "".join(f"alias{n}: __typename " for n in range(101)) + "}", "aliases"),
        ("query cop { __typename " + "@aa" * 51 + " }", "directives"),
        ("query cop { " + "__typename " * 500 + "}", "repeats"),
        ("query cop { events(first: 100) { nodes { seats(first: 100) { nodes { event {"
         " seats(first: 100) { nodes { id } } } } } } } }", "cost"),
    ],
)  # fmt: skip
async def test_overloading_is_refused(production: Server, query: str, found: str) -> None:
    extensions = (await refusal(production, {"query": query}))["extensions"]
    assert extensions["code"] == "QUERY_TOO_COMPLEX"
    assert extensions[found] > extensions["limit"]


async def test_too_many_tokens_are_refused(production: Server) -> None:
    query = "{ " + " ".join(f"field{n}" for n in range(1_000)) + " }"
    assert (await refusal(production, {"query": query}))["extensions"] == {
        "code": "QUERY_TOO_COMPLEX",
        "limit": 1_000,
    }


async def test_directives_do_not_multiply_the_errors(production: Server) -> None:
    answer = await production.post("query cop { __typename @aa@aa@aa@aa@aa@aa@aa@aa@aa@aa }")
    assert len(answer.json()["errors"]) <= 6


async def test_batches_are_refused(production: Server) -> None:
    error = await refusal(production, [{"query": "query cop { __typename }"}] * 10)
    assert error["message"] == "Send one operation in a request, not a list of them."


@pytest.mark.parametrize(
    "query",
    [
        "query cop { __schema { types { name fields { name } } } }",
        '{ __type(name: "User") { fields { name } } }',
        "query cop { __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "query ($a: Boolean!) { ...A @include(if: $a) } fragment A on Query { __schema { types { name } } }",
    ],
)
async def test_introspection_is_refused(production: Server, query: str) -> None:
    assert "the schema cannot be asked for" in (await refusal(production, {"query": query}))["message"]


async def test_a_mutation_by_get_is_refused(production: Server, database: Database) -> None:
    answer = await production.http.get("/graphql", params={"query": CREATE_VENUE})
    assert answer.status_code == 405
    assert not await database.rows("SELECT FROM venues")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
async def test_a_form_of_another_page_is_refused(production: Server, database: Database, kind: str) -> None:
    body = str(httpx2.QueryParams({"query": CREATE_VENUE}))
    answer = await production.http.post("/graphql", content=body, headers={"content-type": kind})
    assert answer.status_code == 415
    assert not await database.rows("SELECT FROM venues")


@pytest.mark.parametrize(
    "query",
    [
        "query cop { __schem }",
        "query cop { __schema { directive } }",
        "{ viewer { emal } }",
        '{ event(id: "x", idd: 1) { id } }',
        "{ ... on Usr { id } }",
        "{ __typename @skp }",
        "{ events(filter: {status: PUBLISHD}) { totalCount } }",
        "{ events(filter: {statuss: 1}) { totalCount } }",
    ],
)  # fmt: skip
async def test_nothing_is_suggested(production: Server, query: str) -> None:
    assert "Did you mean" not in (await production.post(query)).text


async def test_variables_suggest_nothing(production: Server) -> None:
    query = "query ($f: EventFilter) { events(filter: $f) { totalCount } }"
    for given in ({"statuss": 1}, {"status": ["PUBLISHD"]}):
        answer = await production.post(query, f=given)
        assert "errors" in answer.json()
        assert "Did you mean" not in answer.text


@pytest.mark.parametrize(
    "path", ["/graphql", "/graphiql", "/playground", "/console", "/graphql/assets/plain.js"]
)
async def test_there_is_no_query_page(production: Server, path: str) -> None:
    answer = await production.http.get(path, headers=HTML)
    assert answer.status_code in {404, 406}
    assert "graphiql" not in answer.text.lower()


async def test_there_is_no_trace(production: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    traced = {"X-Apollo-Tracing": "1", "apollo-federation-include-trace": "ftv1"}
    answer = await production.http.post("/graphql", json={"query": "{ __typename }"}, headers=traced)
    assert answer.json() == {"data": {"__typename": "Query"}}

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("postgresql://secret")

    monkeypatch.setattr(production.app.state.house.database, "rows", broken)
    for query in ("{ eventCategories }", "qwerty cop { abc }", "{ node(id: 1e3) { id } }"):
        answer = await production.post(query)
        assert answer.json()["errors"][0]["extensions"]["code"] in {"INTERNAL_ERROR", "VALIDATION_ERROR"}
        for told in ("Traceback", "secret", "exception", "stacktrace", ".py"):
            assert told not in answer.text


async def test_an_error_outside_of_an_operation_tells_nothing(
    production: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("postgresql://secret")

    monkeypatch.setattr("routes.graphql.accepted_type", broken)
    answer = await production.http.get("/graphql")
    assert answer.status_code == 500
    (error,) = answer.json()["errors"]
    assert error["extensions"].keys() == {"code", "correlationId"}
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
