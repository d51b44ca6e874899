"""Webhook endpoints: who of the other systems is told what, as an ADMIN looks after them."""

from typing import Annotated

import strawberry

from auth.webhook_secrets import WebhookSecrets
from dataloaders.loads import ENDPOINTS
from jobs.tell_endpoints import replay_since
from jobs.try_endpoint import try_endpoint
from messages.envelopes import Envelopes
from schema import ids
from schema.context import Info
from schema.enums import AnnouncementKind
from schema.webhook_endpoints import (
    AddWebhookEndpointInput,
    ReplayWebhooksInput,
    ReplayWebhooksPayload,
    ReplayWebhooksResult,
    RotateWebhookSecretInput,
    WebhookEndpoint,
    WebhookEndpointInput,
    WebhookEndpointPayload,
    WebhookEndpointResult,
    WebhookSecretPayload,
    WebhookSecretResult,
    WebhookTestPayload,
    WebhookTestResult,
)
from steps.webhook_endpoints import add_endpoint, disable_endpoint, rotate_secret

LISTENING = f"SELECT {ENDPOINTS.columns} FROM webhook_endpoints r WHERE disabled_at IS NULL ORDER BY id"
Which = Annotated[WebhookEndpointInput, strawberry.argument(description="Which.")]


@strawberry.type
class WebhookEndpointQueries:
    @strawberry.field(
        description="The endpoints that are told what happens, at most 100, the oldest first. ADMIN."
    )
    async def webhook_endpoints(self, info: Info) -> list[WebhookEndpoint] | None:
        info.context.require_admin()
        found = await ENDPOINTS.rows(info.context.house.database, LISTENING)
        return [WebhookEndpoint.of(row) for row in found]


@strawberry.type
class WebhookEndpointMutations:
    @strawberry.mutation(
        description="Tell an address what happens from now on; the answer shows its secret, once. ADMIN."
    )
    async def add_webhook_endpoint(
        self,
        info: Info,
        input: Annotated[
            AddWebhookEndpointInput, strawberry.argument(description="Which address, and of what.")
        ],
    ) -> WebhookSecretResult:
        info.context.require_admin()
        settings = info.context.house.settings
        endpoint_id, secret = await info.context.transact(
            add_endpoint,
            secrets=WebhookSecrets(settings),
            url=input.url,
            kinds=list(AnnouncementKind) if input.kinds is None else input.kinds,
            only_https=settings.is_production,
        )
        return WebhookSecretPayload(endpoint=await WebhookEndpoint.at(info, endpoint_id), secret=secret)

    @strawberry.mutation(
        description="Sign with another secret, which is shown this once, and for some hours with both. ADMIN."
    )
    async def rotate_webhook_secret(
        self,
        info: Info,
        input: Annotated[RotateWebhookSecretInput, strawberry.argument(description="Whose.")],
    ) -> WebhookSecretResult:
        info.context.require_admin()
        endpoint_id = ids.read_endpoint(input.endpoint_id)
        secret = await info.context.transact(
            rotate_secret,
            secrets=WebhookSecrets(info.context.house.settings),
            endpoint_id=endpoint_id,
            overlap_hours=input.overlap_hours,
        )
        return WebhookSecretPayload(endpoint=await WebhookEndpoint.at(info, endpoint_id), secret=secret)

    @strawberry.mutation(
        description="Tell an address nothing any more, for good; what waits for it is given up. ADMIN."
    )
    async def disable_webhook_endpoint(self, info: Info, input: Which) -> WebhookEndpointResult:
        info.context.require_admin()
        endpoint_id = ids.read_endpoint(input.endpoint_id)
        has_broker = bool(info.context.house.settings.amqp_url)
        await info.context.transact(disable_endpoint, endpoint_id=endpoint_id, has_broker=has_broker)
        return WebhookEndpointPayload(endpoint=await WebhookEndpoint.at(info, endpoint_id))

    @strawberry.mutation(description="Send a signed `webhook.test` now, and say what is answered. ADMIN.")
    async def test_webhook_endpoint(self, info: Info, input: Which) -> WebhookTestResult:
        info.context.require_admin()
        endpoint_id, house = ids.read_endpoint(input.endpoint_id), info.context.house
        endpoint = await WebhookEndpoint.at(info, endpoint_id)
        tried = await try_endpoint(house.database, house.settings, endpoint_id)
        return WebhookTestPayload(
            endpoint=endpoint, taken=tried.taken, status=tried.status, answer=tried.answer
        )

    @strawberry.mutation(
        description="Tell an endpoint once more all of its kinds that happened since a time. ADMIN."
    )
    async def replay_webhooks(
        self,
        info: Info,
        input: Annotated[ReplayWebhooksInput, strawberry.argument(description="Whom, and since when.")],
    ) -> ReplayWebhooksResult:
        info.context.require_admin()
        endpoint_id, house = ids.read_endpoint(input.endpoint_id), info.context.house
        told = await replay_since(house.database, Envelopes(house.settings), endpoint_id, input.since)
        return ReplayWebhooksPayload(endpoint=await WebhookEndpoint.at(info, endpoint_id), webhooks=told)
