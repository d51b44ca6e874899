"""Sends an endpoint a message that says nothing, and tells how that went."""

from dataclasses import dataclass
from uuid import UUID

import httpx2

from auth.seals import Unreadable
from database import Database
from messages.message import NotTaken, Undeliverable
from messages.webhooks import WebhookSender, trial_message
from settings import Settings
from steps.refusals import RefusalCode, Refused
from steps.webhook_endpoints import NO_ENDPOINT


@dataclass(frozen=True)
class Trial:
    """Whether an endpoint took it, the status that it answered, and how its answer begins, or why not."""

    taken: bool
    status: int | None
    answer: str


async def try_endpoint(database: Database, settings: Settings, endpoint_id: UUID) -> Trial:
    """Send an endpoint a signed `webhook.test` now, for at most ten seconds. Refuses if there is none."""
    sender = WebhookSender(settings, database)
    try:
        answer = await sender.send(trial_message(endpoint_id))
        return Trial(True, answer.status, answer.excerpt)
    except NotTaken as refused:
        return Trial(False, refused.answer.status, refused.answer.excerpt)
    except Undeliverable:
        raise Refused(RefusalCode.VALIDATION_ERROR, NO_ENDPOINT) from None
    except (Unreadable, httpx2.HTTPError, TimeoutError) as error:
        return Trial(False, None, f"It was not sent: {type(error).__name__} {error}".strip())
    finally:
        await sender.close()
