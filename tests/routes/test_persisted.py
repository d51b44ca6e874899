"""Automatic persisted queries: by every way that a request comes, in one process and in many."""

import asyncio
from hashlib import sha256
from typing import Any

import httpx2
import orjson
import pytest

import routes.persisted
from database import Database
from routes.persisted import PersistedDocuments
from schema.engine import Engine
from schema.errors import RequestError
from schema.root import schema
from settings import Settings, read_settings
from tests.live.valkey import Valkey
from tests.routes.test_graphql_events import EVENTS, events
from tests.serving import Server, receive, serving

QUERY = "{ __typename }"
ANSWER = {"data": {"__typename": "Query"}}


def digest_of(query: str) -> str:
    return sha256(query.encode()).hexdigest()


def named(text: str, **more: Any) -> dict[str, Any]:
    """A request that names a document by its hash alone, and what else is given."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest_of(text)}}} | more


def whole(text: str) -> dict[str, Any]:
    """A request with a document and its hash."""
    return named(text, query=text)


def code_of(body: Any) -> str:
    (error,) = body["errors"]
    assert "data" not in body
    return error["extensions"]["code"]


async def post(server: Server, body: dict[str, Any], **headers: str) -> httpx2.Response:
    return await server.http.post("/graphql", json=body, headers=headers)


async def by_get(server: Server, request: dict[str, Any]) -> httpx2.Response:
    texts = {name: v if isinstance(v, str) else orjson.dumps(v).decode() for name, v in request.items()}
    return await server.http.get("/graphql", params=texts)


@pytest.fixture
async def server(database: Database, settings: Settings) -> Any:
    """A server that knows no document: it shares none with those of other tests."""
    async with serving(settings.model_copy(update={"redis_url": None})) as running:
        yield running


async def test_a_document_is_sent_once_and_then_only_its_hash(server: Server) -> None:
    unknown = await post(server, named(QUERY))
    assert (unknown.status_code, unknown.headers["cache-control"]) == (200, "no-store")
    assert unknown.headers["content-type"] == "application/json; charset=utf-8"
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert code_of(unknown.json()) == "PERSISTED_QUERY_NOT_FOUND"
    strict = await post(server, named(QUERY), accept="application/graphql-response+json")
    assert (strict.status_code, code_of(strict.json())) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert (await post(server, whole(QUERY))).json() == ANSWER
    known = await post(server, named(QUERY))
    assert known.json() == ANSWER
    assert (await by_get(server, named(QUERY))).json() == ANSWER
    assert (await post(server, {"documentId": f"sha256:{digest_of(QUERY)}"})).json() == ANSWER


async def test_documents_are_known_by_get_too_and_a_mutation_is_not_run(server: Server) -> None:
    assert code_of((await by_get(server, named(QUERY))).json()) == "PERSISTED_QUERY_NOT_FOUND"
    assert (await by_get(server, whole(QUERY))).json() == ANSWER
    assert (await by_get(server, {"documentId": f"sha256:{digest_of(QUERY)}"})).json() == ANSWER
    mutation = 'mutation { login(input: {email: "a@example.com", password: "b"}) { __typename } }'
    refused = {"data": {"login": {"__typename": "Refusal"}}}
    assert (await post(server, whole(mutation))).json() == refused
    assert (await by_get(server, named(mutation))).status_code == 405
    assert (await post(server, named(mutation))).json() == refused


async def test_documents_are_known_over_sockets_and_events(server: Server) -> None:
    async def of_socket(body: dict[str, Any]) -> Any:
        await socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": body}).decode())
        answer = await receive(socket)
        if answer["type"] == "next":
            assert (await receive(socket))["type"] == "complete"
        return answer["payload"]

    async def of_events(body: dict[str, Any]) -> Any:
        async with server.http.stream("POST", "/graphql", json=body, headers=EVENTS) as response:
            assert response.status_code == 200
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            (_, said), end = [event async for event in events(response.aiter_lines())]
            assert end == ("complete", None)
            return said

    one, other = "{ a: __typename }", "{ b: __typename }"
    async with server.socket() as socket:
        (error,) = await of_socket(named(one))
        assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        assert await of_socket(whole(one)) == {"data": {"a": "Query"}}
        assert await of_events(named(one)) == {"data": {"a": "Query"}}
        assert code_of(await of_events(named(other))) == "PERSISTED_QUERY_NOT_FOUND"
        assert await of_events(whole(other)) == {"data": {"b": "Query"}}
        assert await of_socket(named(other)) == {"data": {"b": "Query"}}
        (error,) = await of_socket({"documentId": "sha256:0"})
        assert error["extensions"]["code"] == "PERSISTED_DOCUMENT_NOT_FOUND"


async def test_a_hash_of_something_else_is_refused_and_keeps_nothing(server: Server) -> None:
    refused = await post(server, named("{ other: __typename }", query=QUERY))
    assert code_of(refused.json()) == "VALIDATION_ERROR"
    assert "SHA-256" in refused.text
    for query in (QUERY, "{ other: __typename }"):
        assert code_of((await post(server, named(query))).json()) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize("said", [1, {}, {"version": 2, "sha256Hash": "0" * 64}, {"version": 1}, "x"])
async def test_an_extension_of_another_form_is_refused(server: Server, said: Any) -> None:
    answer = await post(server, {"query": QUERY, "extensions": {"persistedQuery": said}})
    assert code_of(answer.json()) == "VALIDATION_ERROR"
    assert "64 lower-case hex digits" in answer.text


async def test_what_cannot_be_run_is_not_kept(server: Server) -> None:
    for query in ("{", "{ nope }", QUERY + " " * routes.persisted.DOCUMENT_BYTES_MAX):
        await post(server, whole(query))
        assert code_of((await post(server, named(query))).json()) == "PERSISTED_QUERY_NOT_FOUND", query


@pytest.mark.parametrize("id", ["", "sha256:", "sha256:" + "0" * 64, "0" * 64, "x-ours:1", "plain"])
async def test_an_unknown_id_of_a_document_is_answered_as_such(server: Server, id: str) -> None:
    assert code_of((await post(server, {"documentId": id})).json()) == "PERSISTED_DOCUMENT_NOT_FOUND"


async def test_an_id_that_is_no_string_is_refused(server: Server) -> None:
    assert code_of((await post(server, {"documentId": 7})).json()) == "VALIDATION_ERROR"


async def test_a_house_without_persisted_queries_says_so(settings: Settings, database: Database) -> None:
    async with serving(settings.model_copy(update={"persisted_queries": False})) as server:
        assert (await post(server, whole(QUERY))).json() == ANSWER
        refused = await post(server, named(QUERY))
        assert refused.json()["errors"][0]["message"] == "PersistedQueryNotSupported"
        assert code_of(refused.json()) == "PERSISTED_QUERY_NOT_SUPPORTED"
        by_id = await post(server, {"documentId": f"sha256:{digest_of(QUERY)}"})
        assert code_of(by_id.json()) == "PERSISTED_DOCUMENT_NOT_FOUND"


def documents(url: str | None) -> PersistedDocuments:
    return PersistedDocuments(Engine(schema, read_settings()).is_valid, url, is_on=True)


async def is_known(documents: PersistedDocuments, query: str) -> bool:
    try:
        found = await documents.with_text(named(query))
    except RequestError as error:
        assert (error.extensions or {})["code"] == "PERSISTED_QUERY_NOT_FOUND"
        return False
    assert found["query"] == query
    return True


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not taken for a Redis that is down."""
    monkeypatch.setattr(routes.persisted, "REDIS_SECONDS_MAX", 10)


async def test_processes_share_documents_for_a_time(valkey: Valkey) -> None:
    one, other = documents(valkey.url), documents(valkey.url)
    await one.with_text(whole(QUERY))
    assert await is_known(other, QUERY)
    key = routes.persisted._slot(digest_of(QUERY))
    assert 0 < await valkey.ask("TTL", key) <= routes.persisted.SHARED_SECONDS_MAX  # type: ignore[operator]
    for documents_ in (one, other):
        await documents_.close()


async def test_what_redis_has_of_another_hash_is_not_run(valkey: Valkey) -> None:
    here = documents(valkey.url)
    slot = routes.persisted._slot(digest_of(QUERY))
    for text in ("{ other: __typename }", b"\xff"):
        await valkey.ask("SET", slot, text)  # type: ignore[arg-type]
        assert not await is_known(here, QUERY)
    await here.close()


async def test_redis_that_dies_or_hangs_is_passed_over(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes.persisted, "REDIS_REST_SECONDS", 0)
    one, other = documents(valkey.url), documents(valkey.url)
    await one.with_text(whole(QUERY))
    monkeypatch.setattr(routes.persisted, "REDIS_SECONDS_MAX", 0.1)
    valkey.freeze()
    async with asyncio.timeout(30):
        assert not await is_known(other, QUERY)
    assert await is_known(one, QUERY)
    valkey.thaw()
    monkeypatch.setattr(routes.persisted, "REDIS_SECONDS_MAX", 10)
    assert await is_known(other, QUERY)
    await valkey.kill()
    assert await one.with_text(whole("{ a: __typename }"))
    assert await is_known(one, "{ a: __typename }")
    assert not await is_known(other, "{ a: __typename }")
    await valkey.start()
    assert not await is_known(other, "{ a: __typename }")
    await one.with_text(whole("{ b: __typename }"))
    assert await is_known(other, "{ b: __typename }")
    for documents_ in (one, other):
        await documents_.close()


async def test_redis_that_failed_is_left_alone_for_a_moment(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = documents(valkey.url), documents(valkey.url)
    await one.with_text(whole(QUERY))
    monkeypatch.setattr(routes.persisted, "REDIS_REST_SECONDS", 3_600)
    await valkey.kill()
    assert not await is_known(other, QUERY)
    await valkey.start()
    await one.with_text(whole("{ a: __typename }"))
    assert not await is_known(other, "{ a: __typename }")
    for documents_ in (one, other):
        await documents_.close()


async def test_a_process_keeps_the_documents_that_were_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes.persisted, "DOCUMENTS_KEPT_MAX", 2)
    here = documents(None)
    for name in "ab":
        await here.with_text(whole(f"{{ {name}: __typename }}"))
    assert await is_known(here, "{ a: __typename }")
    await here.with_text(whole(QUERY))
    known = [await is_known(here, query) for query in ("{ a: __typename }", "{ b: __typename }", QUERY)]
    assert known == [True, False, True]
