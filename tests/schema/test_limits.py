"""What a document may ask for: each limit where it holds, and one beyond; bombs are refused."""

from typing import Any

import pytest
from graphql import get_introspection_query

from schema.documents import ERRORS_TOLD_MAX, TOKENS_KEPT_MAX, Document, Documents
from schema.engine import Asked, Engine
from schema.root import schema
from settings import Mode, Settings, read_settings
from tests import deep_queries

SETTINGS = read_settings(database_url="postgresql://nobody@127.0.0.1/none")
INTROSPECTION = get_introspection_query(
    specified_by_url=True,
    directive_is_repeatable=True,
    schema_description=True,
    input_value_deprecation=True,
)


def read(query: str, settings: Settings = SETTINGS, **changes: Any) -> Document:
    return Documents(schema.graphql_schema, settings.model_copy(update=changes)).of(query)


def fault(query: str, **changes: Any) -> dict[str, Any]:
    """The extensions of the one error that a document has."""
    (error,) = read(query, **changes).errors
    assert error.extensions
    return error.extensions


def cost(query: str, **variables: Any) -> int:
    document = read(query)
    assert not document.errors, document.errors
    return document.operation(None).cost.of(variables)


def nested(rounds: int) -> str:
    """A query that goes from people to their orders and back; 2 levels and 4 for each round."""
    return "{ viewer { " + "orders { nodes { buyer { user { " * rounds + "id" + " } } } }" * rounds + " } }"


def test_tokens() -> None:
    words = "{ " + "__typename id: __typename " * 25 + "}"
    held = words.replace("{ ", '{ a: node(id: "' + "x" * 10_000 + '") { id } ')
    assert not read(held, query_tokens_max=113).errors
    assert fault(held, query_tokens_max=112) == {"code": "QUERY_TOO_COMPLEX", "limit": 112}
    comments = "{ __typename }" + "\n#" * 200
    assert not read(comments, query_tokens_max=200).errors
    assert fault(comments, query_tokens_max=199)["code"] == "QUERY_TOO_COMPLEX"


def test_depth_counts_through_fragments() -> None:
    query = "{ ...A } fragment A on Query { viewer { ...B } } fragment B on User { creditBalance { amount } }"
    assert not read(query, query_depth_max=3).errors
    assert fault(query, query_depth_max=2) == {"code": "QUERY_TOO_COMPLEX", "limit": 2, "depth": 3}
    inline = "{ ... on Query { viewer { ... { creditBalance { ... on Money { amount } } } } } }"
    assert not read(inline, query_depth_max=3).errors
    assert fault(inline, query_depth_max=2)["depth"] == 3
    assert fault(nested(4))["depth"] == 18
    assert not read(nested(1)).errors


def test_aliases_count_through_fragments() -> None:
    query = "{ ...A ...A } fragment A on Query { a: __typename b: __typename }"
    assert not read(query, query_aliases_max=4).errors
    assert fault(query, query_aliases_max=3) == {"code": "QUERY_TOO_COMPLEX", "limit": 3, "aliases": 4}


def test_directives_count_through_fragments() -> None:
    query = "{ ...A @include(if: true) ...A } fragment A on Query { __typename @skip(if: false) }"
    assert not read(query, query_directives_max=3).errors
    assert fault(query, query_directives_max=2) == {"code": "QUERY_TOO_COMPLEX", "limit": 2, "directives": 3}


def test_repeats_count_through_fragments() -> None:
    query = "{ __typename ...A ... { __typename } } fragment A on Query { __typename }"
    assert not read(query, query_repeats_max=3).errors
    assert fault(query, query_repeats_max=2) == {"code": "QUERY_TOO_COMPLEX", "limit": 2, "repeats": 3}
    below = "{ viewer { id id id } }"
    assert not read(below, query_repeats_max=3).errors
    assert fault(below, query_repeats_max=2)["repeats"] == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ __typename eventCategories }", 0),
        ("{ viewer { id creditBalance { amount } } }", 2),
        ("{ events { totalCount pageInfo { endCursor } } }", 2),
        ("{ events { nodes { id } } }", 1 + 20),
        ("{ events(first: 7) { nodes { id } edges { node { id } } } }", 1 + 7 + 7 * 2),
        ("{ events(last: 7) { nodes { seats(first: 3) { nodes { id } } } } }", 1 + 7 * (1 + 1 + 3)),
        ("{ events(first: 0) { nodes { id } } }", 1 + 1),
        ("{ events(first: 2147483647) { nodes { id } } }", 1 + 100),
        ("{ events(first: -5) { nodes { id } } }", 1 + 1),
        ('{ event(id: "x") { pricingTiers { id } } }', 1 + 10),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('{ nodes(ids: "a") { id } }', 1),
        ("{ ...A ...A } fragment A on Query { viewer { id } }", 2),
        ("{ events(first: 3) { ...A } } fragment A on EventConnection { nodes { id } }", 1 + 3),
        (
            "mutation { exportMyData { __typename } ...B } fragment B on Mutation { logout { __typename } }",
            20,
        ),
        ("mutation { exportMyData { ... on ExportPayload { json } } }", 10),
        ('subscription { seatStatus(eventId: "x") { ... on SeatStatusChanges { changes { index } } } }', 11),
    ],
)
def test_what_an_operation_costs(query: str, expected: int) -> None:
    assert cost(query) == expected


def test_the_cost_follows_the_variables() -> None:
    query = """query ($n: Int, $m: Int = 5, $ids: [ID!]!, $l: Int) {
        events(first: $n) { nodes { seats(first: $m, last: $l) { nodes { id } } } }
        nodes(ids: $ids) { id } }"""
    for given, events, seats, ids in (
        ({"ids": []}, 20, 5, 1),
        ({"n": None, "m": None, "ids": ["a"]}, 20, 20, 1),
        ({"n": 3, "m": 4, "ids": ["a", "b"]}, 3, 4, 2),
        ({"n": 3.0, "m": None, "l": 9, "ids": "a"}, 3, 9, 1),
        ({"n": 101, "m": -1, "ids": ["a"] * 7}, 100, 1, 7),
        ({"n": "many", "m": True, "ids": {}}, 1, 1, 1),
    ):
        assert cost(query, **given) == 1 + events * (2 + seats) + ids


async def test_a_cost_beyond_the_limit_is_refused_with_any_variables_that_make_it() -> None:
    fixed = "{ events(first: 100) { nodes { id } } }"
    assert not read(fixed, query_cost_max=101).errors
    assert fault(fixed, query_cost_max=100) == {"code": "QUERY_TOO_COMPLEX", "limit": 100, "cost": 101}
    varying = "query ($n: Int) { events(first: $n) { nodes { __typename id } } }"
    engine = Engine(schema, SETTINGS.model_copy(update={"query_cost_max": 90}))
    asked = Asked(varying, {"n": 90}, None, frozenset())
    assert engine.documents.of(varying).operation(None).cost.of(asked.variables) == 91
    result = await engine.execute(asked, None)
    assert result.errors
    assert result.errors[0].extensions == {"code": "QUERY_TOO_COMPLEX", "limit": 90, "cost": 91}


def test_a_cost_that_no_variables_make_small_is_refused_when_it_is_read() -> None:
    deep = """query ($n: Int) { events(first: $n) { nodes {
        seatMap { plan { sections { rows { seats { index } } } } } } } }"""
    assert fault(deep, query_cost_max=1_000)["cost"] > 1_000


@pytest.mark.parametrize("name", ["VIEWER", "BY_EVENT", "OPERATORS", "EDGES", "ADMINS", "NODES"])
def test_what_front_ends_ask_for_is_within_the_limits(name: str) -> None:
    assert not read(getattr(deep_queries, name)).errors


def test_introspection_is_for_development() -> None:
    assert not read(INTROSPECTION).errors
    production = SETTINGS.model_copy(update={"mode": Mode.PRODUCTION})
    for query in (INTROSPECTION, '{ __type(name: "User") { name } }', "{ a: __schema { types { name } } }"):
        (error,) = read(query, production).errors
        assert "schema/schema.graphql" in error.message
        assert not read(query, production, introspection=True).errors
        assert read(query, introspection=False).errors
    assert not read("{ __typename viewer { __typename } }", production).errors


def test_introspection_in_a_circle_is_refused() -> None:
    circle = "{ __schema { types { " + "fields { type { " * 4 + "name" + " } }" * 4 + " } } }"
    (error,) = read(circle).errors
    assert error.message == "Maximum introspection depth exceeded"
    deep = "{ __schema { types { fields { type { " + "ofType { " * 20 + "name" + " }" * 20 + " } } } } }"
    assert fault(deep)["code"] == "QUERY_TOO_COMPLEX"
    many = "{" + "".join(f"a{i}: __schema {{ types {{ name }} }} " for i in range(20)) + "}"
    assert fault(many)["code"] == "QUERY_TOO_COMPLEX"


def test_a_list_has_a_bounded_length() -> None:
    def ids(length: int) -> str:
        return "{ nodes(ids: [" + '"a"' * length + "]) { id } }"

    assert not read(ids(120), list_items_max=120).errors
    assert fault(ids(121), list_items_max=120) == {"code": "VALIDATION_ERROR"}


@pytest.mark.parametrize(
    "query",
    [
        "{" * 2_000,
        "{a" * 480 + "}" * 40,
        "{ viewer" * 90 + "{ id }" + "}" * 90,
        "{ node(id: " + "[" * 450 + "]" * 450 + ") { id } }",
        "query ($a: " + "[" * 450 + "Int" + "]" * 450 + ") { __typename }",
        "{ events(first: " + "9" * 60_000 + ") { totalCount } }",
        "{ events(first: 1e" + "9" * 60_000 + ") { totalCount } }",
        "{ ...A } fragment A on Query { ...A }",
        "{ ...A } fragment A on Query { ...B } fragment B on Query { viewer { id } ...A }",
        "{ ...F0 } fragment F99 on Query { nope }"
        + "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60)),
        "{ ...F0 } " + "".join(f"fragment F{n} on User {{ a: viewer {{ ...F{n + 1} }} }}" for n in range(80)),
        "{ viewer { ...F0 } } fragment F30 on User { a: id }"
        + "".join(
            f"fragment F{n} on User {{ orders {{ nodes {{ buyer {{ user {{ ...F{n + 1} }} }} }} }} }}"
            for n in range(30)
        ),
        "".join(f"query Q{n} {{ nope }} " for n in range(200)),
        "{ __typename " + "@nope " * 400 + "}",
    ],
    ids=range(14),
)
def test_a_bomb_is_refused(query: str) -> None:
    errors = read(query).errors
    assert 1 <= len(errors) <= 1 + ERRORS_TOLD_MAX


def test_a_chain_of_fragments_that_is_too_long_is_refused() -> None:
    links = "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(600))
    chain = "{ ...F0 } " + links + "fragment F600 on Query { __typename }"
    assert fault(chain, query_tokens_max=20_000) == {"code": "VALIDATION_ERROR"}


def test_what_is_kept_of_documents_is_bounded() -> None:
    documents = Documents(schema.graphql_schema, SETTINGS)
    first = "{ __typename }"
    kept = documents.of(first)
    assert documents.of(first) is kept
    for number in range(100):
        documents.of(f"{number} {'x' * 3_600}")
        assert documents.of(first) is kept  # what is used stays
    assert documents._tokens_kept <= TOKENS_KEPT_MAX
    assert 40 < len(documents._kept) < 60
    assert sum(tokens for _, tokens in documents._kept.values()) == documents._tokens_kept
    before = list(documents._kept)
    documents.of("x" * 5_000)
    assert list(documents._kept) == before
