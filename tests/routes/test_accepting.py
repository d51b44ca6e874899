"""Content negotiation."""

import pytest

from routes.accepting import EVENT_STREAM, GRAPHQL_RESPONSE, JSON, accepted_type

URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        (URQL, GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", JSON),
        ("application/json;q=0.5, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/json;q=0, */*", GRAPHQL_RESPONSE),
        ("text/event-stream", EVENT_STREAM),
        ("text/event-stream, application/json;q=0.1", EVENT_STREAM),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=x", None),
        ("application/json;v=1;q=2", JSON),
    ],
)
def test_the_type_that_the_client_likes_best(accept: str | None, chosen: str | None) -> None:
    assert accepted_type(accept) == chosen
