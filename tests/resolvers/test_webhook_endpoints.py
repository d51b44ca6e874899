"""Endpoints over the API: an ADMIN adds, tries, changes, replays and disables them; nobody else sees them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from database import Database
from models.users import Role
from models.webhook_endpoints import BROKER_ID
from schema import ids
from settings import Mode, Settings
from tests.broker import listen, system
from tests.receiving import Receiver, deliveries, receiving, told
from tests.serving import Server, serving
from tests.world import everything, hold, new_event, new_user, pay

ENDPOINT = "{ id url kinds createdAt failingSince oldSecretUntil disabledAt }"
REFUSAL = "... on Refusal { code message field }"
LIST = f"{{ webhookEndpoints {ENDPOINT} }}"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ ... on WebhookEndpoint {ENDPOINT} }} }}"
ADD = f"""mutation ($i: AddWebhookEndpointInput!) {{ addWebhookEndpoint(input: $i) {{
    ... on WebhookSecretPayload {{ secret endpoint {ENDPOINT} }} {REFUSAL} }} }}"""
ROTATE = f"""mutation ($i: RotateWebhookSecretInput!) {{ rotateWebhookSecret(input: $i) {{
    ... on WebhookSecretPayload {{ secret endpoint {ENDPOINT} }} {REFUSAL} }} }}"""
DISABLE = f"""mutation ($i: WebhookEndpointInput!) {{ disableWebhookEndpoint(input: $i) {{
    ... on WebhookEndpointPayload {{ endpoint {ENDPOINT} }} {REFUSAL} }} }}"""
TRY = f"""mutation ($i: WebhookEndpointInput!) {{ testWebhookEndpoint(input: $i) {{
    ... on WebhookTestPayload {{ taken status answer endpoint {{ id }} }} {REFUSAL} }} }}"""
REPLAY = f"""mutation ($i: ReplayWebhooksInput!) {{ replayWebhooks(input: $i) {{
    ... on ReplayWebhooksPayload {{ webhooks endpoint {{ id }} }} {REFUSAL} }} }}"""
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def done(server: Server, document: str, admin: Any, **input: Any) -> dict[str, Any]:
    (answer,) = (await server.ask(document, admin, i=input)).values()
    assert isinstance(answer, dict)
    return answer


async def test_an_admin_looks_after_an_endpoint(
    database: Database, server: Server, receiver: Receiver
) -> None:
    admin, alice = await new_user(database, Role.ADMIN), await new_user(database, credits_minor=10_000)
    added = await done(server, ADD, admin, url=receiver.url, kinds=["TICKET_PURCHASED"])
    endpoint = added["endpoint"]
    assert added["secret"].startswith("whsec_")
    assert endpoint["kinds"] == ["TICKET_PURCHASED"]
    assert (await server.ask(LIST, admin))["webhookEndpoints"] == [endpoint]
    assert (await server.ask(NODE, admin, id=endpoint["id"]))["node"] == endpoint

    which = {"endpointId": endpoint["id"]}
    tried = {"taken": True, "status": 204, "answer": "", "endpoint": {"id": endpoint["id"]}}
    assert await done(server, TRY, admin, **which) == tried
    receiver.status, receiver.text = 500, "Not today."
    assert await done(server, TRY, admin, **which) == tried | {
        "taken": False,
        "status": 500,
        "answer": "Not today.",
    }
    receiver.status = 204

    event = await new_event(database)
    await pay(database, alice, await hold(database, alice, event, [0]))
    await told(database)
    again = await done(server, REPLAY, admin, since=LONG_AGO, **which)
    assert again == {"webhooks": 1, "endpoint": {"id": endpoint["id"]}}
    await told(database)
    assert receiver.kinds == ["webhook.test", "webhook.test", "ticket.purchased", "ticket.purchased"]

    rotated = await done(server, ROTATE, admin, overlapHours=1, **which)
    assert rotated["secret"] != added["secret"]
    assert rotated["endpoint"]["oldSecretUntil"]
    assert (await done(server, DISABLE, admin, **which))["endpoint"]["disabledAt"]
    assert (await server.ask(LIST, admin))["webhookEndpoints"] == []


async def test_an_endpoint_without_kinds_is_told_everything(
    database: Database, server: Server, receiver: Receiver
) -> None:
    admin = await new_user(database, Role.ADMIN)
    added = await done(server, ADD, admin, url=receiver.url)
    assert len(added["endpoint"]["kinds"]) == 10


async def test_nobody_answers_at_an_address(database: Database, server: Server) -> None:
    admin = await new_user(database, Role.ADMIN)
    endpoint = (await done(server, ADD, admin, url="http://127.0.0.1:9/hook"))["endpoint"]
    tried = await done(server, TRY, admin, endpointId=endpoint["id"])
    assert (tried["taken"], tried["status"]) == (False, None)
    assert tried["answer"].startswith("It was not sent: ConnectError")
    assert await deliveries(database) == []


async def test_in_production_an_address_is_of_https(database: Database, settings: Settings) -> None:
    admin = await new_user(database, Role.ADMIN)
    before = await everything(database)
    async with serving(settings.model_copy(update={"mode": Mode.PRODUCTION})) as server:
        refused = await done(server, ADD, admin, url="http://127.0.0.1:9/hook")
    assert (refused["code"], refused["field"]) == ("VALIDATION_ERROR", "url")
    assert await everything(database) == before


async def test_what_cannot_be_is_refused_and_changes_nothing(
    database: Database, server: Server, receiver: Receiver
) -> None:
    admin = await new_user(database, Role.ADMIN)
    gone = (await done(server, ADD, admin, url=receiver.url))["endpoint"]["id"]
    await done(server, DISABLE, admin, endpointId=gone)
    unknown = ids.endpoint_id(admin.id)
    before = await everything(database)
    for document, input in (
        (ADD, {"url": "ftp://example.com"}),
        (ADD, {"url": receiver.url, "kinds": []}),
        *((ROTATE, {"endpointId": id}) for id in (gone, unknown)),
        (ROTATE, {"endpointId": gone, "overlapHours": -1}),
        *((DISABLE, {"endpointId": id}) for id in (gone, unknown)),
        *((TRY, {"endpointId": id}) for id in (gone, unknown)),
        *((REPLAY, {"endpointId": id, "since": LONG_AGO}) for id in (gone, unknown)),
    ):
        assert (await done(server, document, admin, **input))["code"] == "VALIDATION_ERROR", input
    assert await everything(database) == before
    assert receiver.got == []


@pytest.mark.parametrize(
    ("document", "input"),
    [
        (ADD, {"url": "https://example.com"}),
        (ROTATE, {"endpointId": "we_"}),
        (DISABLE, {"endpointId": "we_"}),
        (TRY, {"endpointId": "we_"}),
        (REPLAY, {"endpointId": "we_", "since": LONG_AGO}),
    ],
)
async def test_endpoints_are_for_admins_alone(
    database: Database, server: Server, document: str, input: dict[str, str]
) -> None:
    operator = await new_user(database, Role.OPERATOR, Role.STAFF)
    before = await everything(database)
    assert (await server.error(document, i=input))["extensions"]["code"] == "UNAUTHORIZED"
    assert (await server.error(document, operator, i=input))["extensions"]["code"] == "FORBIDDEN"
    assert (await server.error(LIST, operator))["extensions"]["code"] == "FORBIDDEN"
    assert await everything(database) == before


async def test_an_endpoint_is_nothing_to_others(
    database: Database, server: Server, receiver: Receiver
) -> None:
    admin, operator = await new_user(database, Role.ADMIN), await new_user(database, Role.OPERATOR)
    id = (await done(server, ADD, admin, url=receiver.url))["endpoint"]["id"]
    for other in (None, operator):
        assert (await server.ask(NODE, other, id=id))["node"] is None


async def test_a_broker_that_was_never_told_anything_is_not_tried(
    database: Database, with_broker: Settings
) -> None:
    admin = await new_user(database, Role.ADMIN)
    async with serving(with_broker) as server, system(with_broker) as other:
        tried = await done(server, TRY, admin, endpointId=ids.endpoint_id(BROKER_ID))
        assert (tried["code"], await other.queue.get(fail=False)) == ("VALIDATION_ERROR", None)
        await listen(database)
        tried = await done(server, TRY, admin, endpointId=ids.endpoint_id(BROKER_ID))
        assert (tried["taken"], tried["status"]) == (True, None)
        assert (await other.got()).type == "webhook.test"
        before = await everything(database)
        refused = await done(server, DISABLE, admin, endpointId=ids.endpoint_id(BROKER_ID))
        assert "AMQP_URL" in refused["message"]
        assert await everything(database) == before
