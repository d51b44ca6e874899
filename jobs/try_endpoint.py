"""Sends an endpoint a message that says nothing, and tells how that went."""

from dataclasses import dataclass
from uuid import UUID

from database import Database
from messages.broker import BrokerSender
from messages.message import NotTaken, Undeliverable
from messages.webhooks import WebhookSender, trial_message
from models.webhook_endpoints import BROKER_ID
from settings import Settings
from steps.refusals import RefusalCode, Refused
from steps.webhook_endpoints import NO_ENDPOINT

TAKEN = "The broker has it."
NO_BROKER = "AMQP_URL is not set: there is no broker."


@dataclass(frozen=True)
class Trial:
    """Whether an endpoint took it, the status that it answered, and how its answer begins, or why not."""

    taken: bool
    status: int | None
    answer: str


async def try_endpoint(database: Database, settings: Settings, endpoint_id: UUID) -> Trial:
    """Send an endpoint, or the broker, a `webhook.test` now, within ten seconds. Refuses if there is none."""
    is_broker = endpoint_id == BROKER_ID
    if is_broker and not settings.amqp_url:
        raise Refused(RefusalCode.VALIDATION_ERROR, NO_BROKER)
    sender = BrokerSender(settings) if is_broker else WebhookSender(settings, database)
    try:
        answer = await sender.send(trial_message(endpoint_id))
        return Trial(True, answer.status, answer.excerpt) if answer else Trial(True, None, TAKEN)
    except NotTaken as refused:
        return Trial(False, refused.answer.status, refused.answer.excerpt)
    except Undeliverable:
        raise Refused(RefusalCode.VALIDATION_ERROR, NO_ENDPOINT) from None
    except Exception as error:  # whatever it does, whoever tries it is told
        return Trial(False, None, f"It was not sent: {type(error).__name__} {error}".strip())
    finally:
        await sender.close()
