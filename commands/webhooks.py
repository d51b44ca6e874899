"""`rowlock webhooks`: the addresses of other systems that are told what happens."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from auth.webhook_secrets import WebhookSecrets
from console import change, run, say, servers
from database import Database
from messages.envelopes import Envelopes
from models.announcements import AnnouncementKind
from settings import read_settings
from steps.refusals import Refused
from steps.webhook_endpoints import add_endpoint, disable_endpoint, rotate_secret

webhooks = typer.Typer(help="Tell other systems what happens, by signed requests.", no_args_is_help=True)
ENDPOINT = Annotated[UUID, typer.Argument(help="The endpoint's id, as `list` shows it.")]
ALL_KINDS = [kind.value for kind in AnnouncementKind]


@webhooks.command("add")
def add(
    url: Annotated[str, typer.Argument(help="The address, with https://.")],
    kind: Annotated[list[str], typer.Option(help="What it wants to know; default: all.")] = ALL_KINDS,
) -> None:
    """Tell an address what happens from now on: show its id, and once its secret."""
    settings = read_settings()
    endpoint_id, secret = change(
        add_endpoint,
        secrets=WebhookSecrets(settings),
        url=url,
        kinds=kind,
        only_https=settings.is_production,
    )
    say(f"endpoint={endpoint_id}\nsecret={secret}")
    say("The secret is shown this once. See docs/webhooks.md for what to do with it.")


@webhooks.command("list")
def show_list() -> None:
    """List all endpoints."""

    async def endpoints(database: Database) -> Any:
        return await database.rows("SELECT * FROM webhook_endpoints ORDER BY id")

    with servers(read_settings()) as settings:
        for endpoint in run(endpoints, settings):
            state = "good"
            if endpoint["disabled_at"]:
                state = f"disabled {endpoint['disabled_at']:%Y-%m-%d}"
            elif endpoint["failing_since"]:
                state = f"failing since {endpoint['failing_since']:%Y-%m-%d %H:%M}"
            say(f"{endpoint['id']}  {state}  {endpoint['url']}  {' '.join(endpoint['kinds'])}")


@webhooks.command("rotate")
def rotate(
    endpoint_id: ENDPOINT,
    overlap_hours: Annotated[int, typer.Option(help="How long the old secret signs too.")] = 24,
) -> None:
    """Give an endpoint another secret, and show it once."""
    secrets = WebhookSecrets(read_settings())
    secret = change(rotate_secret, secrets=secrets, endpoint_id=endpoint_id, overlap_hours=overlap_hours)
    say(f"secret={secret}")
    say(f"The secret is shown this once. For {overlap_hours} hours the old one signs too.")


@webhooks.command("disable")
def disable(endpoint_id: ENDPOINT) -> None:
    """Tell an address nothing any more; what waits to be sent to it is given up."""
    has_broker = bool(read_settings().amqp_url)
    url = change(disable_endpoint, endpoint_id=endpoint_id, has_broker=has_broker)
    say(f"{url} is told nothing any more.")


@webhooks.command("test")
def test(endpoint_id: ENDPOINT) -> None:
    """Send an endpoint a signed `webhook.test` now, and say what it answers."""
    from jobs.try_endpoint import try_endpoint

    try:
        with servers(read_settings()) as settings:
            tried = run(lambda database: try_endpoint(database, settings, endpoint_id), settings)
    except Refused as refused:
        raise SystemExit(f"Nothing was sent. {refused}") from None
    if not tried.taken:
        raise SystemExit(f"It answered {tried.status}: {tried.answer}" if tried.status else tried.answer)
    say(f"It answered {tried.status}." if tried.status else tried.answer)


@webhooks.command("replay")
def replay(
    endpoint_id: ENDPOINT,
    since: Annotated[datetime, typer.Option(help="From when on, in UTC: 2026-11-21T18:00:00.")],
) -> None:
    """Tell an endpoint once more all of its kinds that happened since a time, in that order."""
    from jobs.tell_endpoints import replay_since

    at = since.replace(tzinfo=UTC) if since.tzinfo is None else since
    try:
        with servers(read_settings()) as settings:
            told = run(
                lambda database: replay_since(database, Envelopes(settings), endpoint_id, at), settings
            )
    except Refused as refused:
        raise SystemExit(f"Nothing was changed. {refused}") from None
    say(f"{told} will be sent again, each with the id that it had.")
