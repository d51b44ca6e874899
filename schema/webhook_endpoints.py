"""Webhook endpoints: addresses of other systems that are told what happens, as an ADMIN looks after them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from models import webhook_endpoints as rows
from schema import ids
from schema.context import Info
from schema.enums import AnnouncementKind
from schema.nodes import Node
from schema.refusals import Refusal
from steps.refusals import RefusalCode, Refused
from steps.webhook_endpoints import NO_ENDPOINT


@strawberry.type(description="An address of another system that is told what happens, by signed requests.")
class WebhookEndpoint(Node):
    url: str = strawberry.field(description="The address.")
    kinds: list[AnnouncementKind] = strawberry.field(description="What it is told of.")
    created_at: datetime = strawberry.field(description="Since when.")
    failing_since: datetime | None = strawberry.field(
        description="When the first of the attempts failed of which none has gone well since."
    )
    old_secret_until: datetime | None = strawberry.field(
        description="Until when the secret before the last change signs too."
    )
    disabled_at: datetime | None = strawberry.field(description="Since when it is told nothing any more.")

    @classmethod
    def of(cls, row: rows.WebhookEndpoint) -> "WebhookEndpoint":
        return cls(
            id=ids.endpoint_id(row.id),
            url=row.url,
            kinds=[AnnouncementKind(kind) for kind in row.kinds],
            created_at=row.created_at,
            failing_since=row.failing_since,
            old_secret_until=row.old_secret_until,
            disabled_at=row.disabled_at,
        )

    @classmethod
    async def at(cls, info: Info, endpoint_id: UUID) -> "WebhookEndpoint":
        """Read an endpoint; a row stays also when it is disabled. Refuses if there has never been one."""
        row = await info.context.loads.endpoint.load((endpoint_id,))
        if row is None:
            raise Refused(RefusalCode.VALIDATION_ERROR, NO_ENDPOINT)
        return cls.of(row)

    @classmethod
    async def find(cls, info: Info, id: str) -> "WebhookEndpoint | None":
        key, viewer = (ids.read_endpoint(id),), info.context.viewer
        row = await info.context.loads.endpoint.load(key) if viewer and viewer.manages_people else None
        return cls.of(row) if row else None


@strawberry.input(description="An address to tell what happens.")
class AddWebhookEndpointInput:
    url: str = strawberry.field(
        description="It begins with https://; outside production http:// will do for this machine itself."
    )
    kinds: list[AnnouncementKind] | None = strawberry.field(
        default=None, description="What to tell it of; null: everything."
    )


@strawberry.input(description="An endpoint, and how long its old secret signs too.")
class RotateWebhookSecretInput:
    endpoint_id: strawberry.ID = strawberry.field(description="The endpoint.")
    overlap_hours: int = strawberry.field(default=24, description="How many hours both sign: 0 to 720.")


@strawberry.input(description="An endpoint.")
class WebhookEndpointInput:
    endpoint_id: strawberry.ID = strawberry.field(description="The endpoint.")


@strawberry.input(description="An endpoint, and since when it wants to be told once more.")
class ReplayWebhooksInput:
    endpoint_id: strawberry.ID = strawberry.field(description="The endpoint.")
    since: datetime = strawberry.field(description="From when on; announcements are kept for 30 days.")


@strawberry.type(description="An endpoint and its secret.")
class WebhookSecretPayload:
    endpoint: WebhookEndpoint = strawberry.field(description="The endpoint.")
    secret: str = strawberry.field(description="What signs from now on. It is shown this once.")


@strawberry.type(description="An endpoint as it is now.")
class WebhookEndpointPayload:
    endpoint: WebhookEndpoint = strawberry.field(description="The endpoint.")


@strawberry.type(description="What an endpoint answered to a `webhook.test`.")
class WebhookTestPayload:
    endpoint: WebhookEndpoint = strawberry.field(description="The endpoint.")
    taken: bool = strawberry.field(description="Whether it answered a status of 2xx.")
    status: int | None = strawberry.field(description="The status; null: there was no answer.")
    answer: str = strawberry.field(description="How its answer begins, or why there was none.")


@strawberry.type(description="What is told once more.")
class ReplayWebhooksPayload:
    endpoint: WebhookEndpoint = strawberry.field(description="The endpoint.")
    webhooks: int = strawberry.field(description="How many will be sent again, each with the id that it had.")


WebhookSecretResult = Annotated[
    WebhookSecretPayload | Refusal,
    strawberry.union("WebhookSecretResult", description="The endpoint and its secret, or why not."),
]
WebhookEndpointResult = Annotated[
    WebhookEndpointPayload | Refusal,
    strawberry.union("WebhookEndpointResult", description="The endpoint, or why not."),
]
WebhookTestResult = Annotated[
    WebhookTestPayload | Refusal,
    strawberry.union("WebhookTestResult", description="What the endpoint answered, or why it was not asked."),
]
ReplayWebhooksResult = Annotated[
    ReplayWebhooksPayload | Refusal,
    strawberry.union("ReplayWebhooksResult", description="How much is told once more, or why not."),
]
