"""Let another system or the broker be told what happens, change its secret, and stop telling it."""

from collections.abc import Sequence
from uuid import UUID

from auth.webhook_secrets import WebhookSecrets, new_secret
from database import Transaction
from models.announcements import AnnouncementKind
from models.columns import new_id
from models.webhook_endpoints import BROKER_ID, BROKER_URL
from settings.addresses import web_url
from steps.refusals import Inputs, RefusalCode, Refused

ENDPOINTS_MAX = 100
OVERLAP_HOURS_MAX = 24 * 30
URL_CHARACTERS_MAX = 2_000
TAKE_IT_AWAY = "Take AMQP_URL away first, from every server and worker: it says who is told."
IS_BROKER = "The broker has no secret of ours: change AMQP_URL."
NO_ENDPOINT = "There is no such endpoint, or it is disabled."

ADD = "INSERT INTO webhook_endpoints (id, url, kinds, secret) VALUES ($1, $2, $3, $4)"
LISTEN = """
    INSERT INTO webhook_endpoints AS e (id, url, kinds) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET kinds = excluded.kinds, disabled_at = NULL, created_at =
        CASE WHEN e.disabled_at IS NULL THEN e.created_at ELSE statement_timestamp() END
    WHERE e.disabled_at IS NOT NULL OR e.kinds <> excluded.kinds RETURNING 1"""
COUNT = "SELECT count(*) FROM webhook_endpoints WHERE disabled_at IS NULL"
ROTATE = """
    UPDATE webhook_endpoints SET secret = $2, old_secret = secret,
        old_secret_until = statement_timestamp() + make_interval(hours => $3)
    WHERE id = $1 AND disabled_at IS NULL RETURNING url"""
DISABLE = """
    UPDATE webhook_endpoints SET disabled_at = statement_timestamp(), failing_since = NULL
    WHERE id = $1 AND disabled_at IS NULL RETURNING url"""
GIVE_UP = """
    UPDATE deliveries SET state = 'DEAD', next_attempt_at = statement_timestamp(),
        answer_status = NULL, answer = 'the endpoint was disabled'
    WHERE owner_id = $1 AND state = 'PENDING'"""


async def add_endpoint(
    tx: Transaction, *, secrets: WebhookSecrets, url: str, kinds: Sequence[str], only_https: bool
) -> tuple[UUID, str]:
    """Tell an address of these kinds from now on; return its id and its secret, which is shown this once."""
    inputs = Inputs()
    inputs.check_text(url, "url", "address", URL_CHARACTERS_MAX)
    inputs.take(lambda: web_url(url), "url", "")
    inputs.check(url.startswith("https://") or not only_https, "url", "The address must begin with https://.")
    unknown = sorted(set(kinds) - set(AnnouncementKind))
    inputs.check(not unknown, "kinds", f"Nothing is announced as {', '.join(unknown)}.")
    inputs.check(bool(kinds), "kinds", "Name at least one kind.")
    inputs.refuse_if_wrong()
    if await tx.value(COUNT) >= ENDPOINTS_MAX:
        raise Refused(RefusalCode.VALIDATION_ERROR, f"There are {ENDPOINTS_MAX} endpoints: disable one.")
    endpoint_id, secret = new_id(), new_secret()
    await tx.rows(ADD, endpoint_id, url, sorted(set(kinds)), secrets.seal(endpoint_id, secret))
    return endpoint_id, secret


async def let_broker_listen(tx: Transaction) -> bool:
    """Tell the broker of everything from now on; say whether that is new."""
    return await tx.value(LISTEN, BROKER_ID, BROKER_URL, sorted(AnnouncementKind)) is not None


async def rotate_secret(
    tx: Transaction, *, secrets: WebhookSecrets, endpoint_id: UUID, overlap_hours: int
) -> str:
    """Sign with another secret, which is returned, and for some hours with the old one too."""
    inputs = Inputs()
    in_bounds = 0 <= overlap_hours <= OVERLAP_HOURS_MAX
    inputs.check(endpoint_id != BROKER_ID, "endpoint", IS_BROKER)
    inputs.check(in_bounds, "overlap", f"Both secrets sign for 0 to {OVERLAP_HOURS_MAX} hours.")
    inputs.refuse_if_wrong()
    secret = new_secret()
    await _change(tx, ROTATE, endpoint_id, secrets.seal(endpoint_id, secret), overlap_hours)
    return secret


async def disable_endpoint(tx: Transaction, *, endpoint_id: UUID, has_broker: bool = False) -> str:
    """Tell an address nothing any more, not even what waits to be sent; return the address.

    Refuses for the broker while the settings have one: every server would let it listen again.
    """
    if has_broker and endpoint_id == BROKER_ID:
        raise Refused(RefusalCode.VALIDATION_ERROR, TAKE_IT_AWAY)
    url = await _change(tx, DISABLE, endpoint_id)
    await tx.rows(GIVE_UP, endpoint_id)
    return url


async def _change(tx: Transaction, statement: str, *values: object) -> str:
    url: str | None = await tx.value(statement, *values)
    if url is None:
        raise Refused(RefusalCode.VALIDATION_ERROR, NO_ENDPOINT)
    return url
