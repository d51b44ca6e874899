"""The description of the plain routes: valid, whole, and true of what they answer."""

from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from app import create_app
from database import Database
from messages.mailbox import Mailbox
from messages.message import Message, Text, address_at
from models.columns import new_id
from routes.docs.openapi import described_as, openapi
from schema import ids
from schema.root import schema
from settings import Mode, Settings
from settings.providers import OidcIssuer
from steps.service_clients import make_service_client
from steps.transact import transact
from tests.serving import Server
from tests.world import new_event

NOT_PLAIN = ("/graphql", "/docs")
PROVIDER = OidcIssuer.model_validate(
    {
        "name": "door",
        "issuer": "https://id.example",
        "audiences": ["rowlock"],
        "login": {"client_id": "us", "redirect_uri": "https://tickets.example/oidc/door/callback"},
    }
)


def routes_of(settings: Settings) -> list[Route]:
    routes = [route for route in create_app(settings).routes if isinstance(route, Route)]
    return [route for route in routes if not route.path.startswith(NOT_PLAIN)]


def told_of(settings: Settings) -> dict[str, Any]:
    return openapi(schema.graphql_schema, routes_of(settings))


@pytest.fixture(params=["everything", "production"])
def chosen(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """A house with all routes that there can be, and one with as few as possible."""
    if request.param == "production":
        return settings.model_copy(update={"mode": Mode.PRODUCTION, "metrics": False})
    return settings.model_copy(update={"oidc_issuers": [PROVIDER]})


def test_it_is_valid(chosen: Settings) -> None:
    OpenAPIV31SpecValidator(told_of(chosen)).validate()


def test_every_plain_route_is_described_and_every_described_one_is_there(chosen: Settings) -> None:
    described = {(path, method) for path, item in told_of(chosen)["paths"].items() for method in item}
    there = {
        (described_as(route.path), method.lower())
        for route in routes_of(chosen)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert described == there
    is_production = chosen.mode is Mode.PRODUCTION
    assert (("/mailbox", "get") in described) is not is_production
    assert (("/oidc/{provider}/login", "get") in described) is not is_production


def test_the_providers_are_named(settings: Settings) -> None:
    several = settings.model_copy(update={"oidc_issuers": [PROVIDER]})
    assert told_of(several)["components"]["schemas"]["Provider"] == {"type": "string", "enum": ["door"]}


def assert_described(told: dict[str, Any], path: str, answer: Response) -> None:
    """The status, the media type and the body are as the description says."""
    answers = told["paths"][path][answer.request.method.lower()]["responses"]
    media_type = answer.headers["content-type"].partition(";")[0]
    body = answers[str(answer.status_code)]["content"][media_type]["schema"]
    value = answer.json() if media_type == "application/json" else answer.text
    OAS31Validator(body | {"components": told["components"]}).validate(value)


async def test_answers_are_as_described(database: Database, server: Server, settings: Settings) -> None:
    told, event = told_of(settings), await new_event(database)
    asked = {
        "/events/{event_id}/plan": [ids.event_id(event.id), ids.event_id(uuid4()), "x"],
        "/health": [""],
        "/health/ready": [""],
        "/health/live": [""],
        "/health/db": [""],
        "/health/redis": [""],
        "/metrics": [""],
        "/mailbox": [""],
    }
    for path, values in asked.items():
        for value in values:
            answer = await server.http.get(path.replace("{event_id}", value))
            assert_described(told, path, answer)
    answers = [
        await server.http.post("/oauth/token"),
        await server.http.post("/oauth/token", data={"grant_type": "client_credentials"}),
    ]
    assert [answer.status_code for answer in answers] == [400, 401]
    for answer in answers:
        assert_described(told, "/oauth/token", answer)


async def test_a_token_and_a_message_are_as_described(
    database: Database, server: Server, settings: Settings
) -> None:
    told = told_of(settings)
    client_id, secret = await transact(database, make_service_client, name="door")
    form = {"grant_type": "client_credentials", "client_id": str(client_id), "client_secret": secret}
    token = await server.http.post("/oauth/token", data=form)
    assert token.status_code == 200
    assert_described(told, "/oauth/token", token)
    await Mailbox(database).send(Message(new_id(), address_at("alice@example.com"), Text("Hello", "Alice")))
    kept = await server.http.get("/mailbox")
    assert len(kept.json()) == 1
    assert_described(told, "/mailbox", kept)
