"""Webhook endpoints: addresses of other systems, and what each wants to be told of; one is the broker."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from models.columns import born, ids, moments, new_id, texts
from models.deliveries import DeliveryKind

BROKER_ID = UUID(int=1)
BROKER_URL = "amqp:"
"""The endpoint that is the broker: where it is and who may use it is in the settings alone."""


def kind_of_endpoint(endpoint_id: UUID) -> DeliveryKind:
    """By what an endpoint is told."""
    return DeliveryKind.AMQP if endpoint_id == BROKER_ID else DeliveryKind.WEBHOOK


class WebhookEndpoint(SQLModel, table=True):
    """An address that is told what happens, signed with a secret that lies here sealed; the broker has none.

    `old_secret` signs too until `old_secret_until`. `failing_since` is when the first of the attempts
    failed of which none has gone well since.
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (
        CheckConstraint("cardinality(kinds) > 0", name="webhook_endpoints_some_kinds"),
        CheckConstraint(
            "(old_secret IS NULL) = (old_secret_until IS NULL)", name="webhook_endpoints_old_secret_ends"
        ),
        CheckConstraint(
            f"(secret IS NULL) = (id = '{BROKER_ID}'::uuid)", name="webhook_endpoints_secret_but_the_broker"
        ),
    )

    id: UUID = Field(default_factory=new_id, sa_column=ids(primary_key=True))
    url: str = Field(sa_column=texts())
    kinds: list[str] = Field(sa_column=Column(ARRAY(Text()), nullable=False))
    secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    old_secret: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    old_secret_until: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    created_at: datetime = Field(default=None, sa_column=born())
    failing_since: datetime | None = Field(default=None, sa_column=moments(nullable=True))
    disabled_at: datetime | None = Field(default=None, sa_column=moments(nullable=True))
