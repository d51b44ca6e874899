"""`rowlock`: run the server and the worker, migrate, load the demo, import plans, check the books."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
import uvicorn
import uvloop
from graphql import GraphQLError

from commands.beside import NICE, jobs_beside
from commands.deliveries import deliveries
from commands.webhooks import webhooks
from console import change, demo_settings, run, say, servers
from database import Database
from messages import broker
from observing import logs, tracing
from observing.metrics import SHARED_FOLDER
from routes.connections import bounded
from settings import Settings, SettingsError, read_settings
from settings.example import env_example

SHUTDOWN_SECONDS_MAX = 5

cli = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
service_token = typer.Typer(
    help="Let other systems of the house in: make, list and revoke their clients.", no_args_is_help=True
)
for noun, commands in (("service-token", service_token), ("webhooks", webhooks), ("deliveries", deliveries)):
    cli.add_typer(commands, name=noun)


def main() -> None:
    """Run a command; what a person can put right is said in a sentence, without a traceback."""
    try:
        cli()
    except SettingsError as error:
        raise SystemExit(f"Some settings are not right:\n{error}") from None


WITH_DEMO = Annotated[bool, typer.Option("--demo", help="Migrate and load the demo first.")]


@cli.command()
def serve(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many server processes.")] = 1,
    demo: WITH_DEMO = False,
) -> None:
    """Serve GraphQL over HTTP and WebSocket until Ctrl-C."""
    settings = _checked(demo_settings() if demo else read_settings())
    tracing.require()
    logs.set_up(settings.log_level, as_json=settings.is_production)
    with servers(settings) as ready:
        if demo:
            run(_prepare_demo, ready)
        elif not run(Database.is_migrated, ready):
            raise SystemExit("The database is not of this release: run `rowlock migrate` first.")
        _tell(settings, ready, demo=demo)
        _hand_on(ready)
        with _shared_metrics(workers), jobs_beside(ready):
            _serve(ready, workers)


def _checked(settings: Settings) -> Settings:
    """The settings, once letters could be written by the templates that they name, and a broker spoken to."""
    from messages.letters import check_templates

    broker.require(settings)
    check_templates(settings)
    return settings


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """Give several processes an empty folder to count in together."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="rowlock-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        yield


def _hand_on(settings: Settings) -> None:
    """Let the processes that are started from here have these settings, by their environment."""
    assert settings.database_url
    os.environ |= {"ROWLOCK_MODE": settings.mode, "DATABASE_URL": settings.database_url}
    if settings.redis_url:
        os.environ["REDIS_URL"] = settings.redis_url


def _serve(settings: Settings, workers: int) -> None:
    uvicorn.run(
        "app:create_serving_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=workers,
        loop="uvloop",
        **bounded(settings),
        timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        log_config=None,  # its lines go the way of ours
        log_level="info" if settings.log_level == "DEBUG" else settings.log_level.lower(),
        access_log=False,
    )
    say("Stopped.")


@cli.command()
def worker(
    confirm: Annotated[bool, typer.Option(help="Confirm purchases that RabbitMQ tells of, too.")] = False,
    beside: Annotated[bool, typer.Option(hidden=True, help="Beside servers, until they end.")] = False,
) -> None:
    """Do the background jobs, without serving, until Ctrl-C."""
    from jobs.work import run_worker

    given = _checked(read_settings())
    if confirm and not given.amqp_url:
        raise SystemExit("AMQP_URL is not set: it says which RabbitMQ tells of purchases.")
    with servers(given) as settings:
        logs.set_up(settings.log_level, as_json=settings.is_production)
        tracing.start()
        if beside:
            os.nice(NICE)
        else:
            say("The worker runs. Ctrl-C stops it.")
        uvloop.run(run_worker(settings, confirms=confirm, is_beside=beside))


@cli.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with servers(read_settings()) as settings:
        run(Database.migrate, settings)
        say("The database is up to date.")


@cli.command()
def demo() -> None:
    """Migrate, and load what of the demo is not there yet."""
    with servers(demo_settings()) as settings:
        loaded = run(_prepare_demo, settings)
        say("The demo is loaded." if loaded else "The demo was there already.")


@cli.command()
def import_plan(
    file: Annotated[Path, typer.Argument(help="A seating plan as JSON: zones, rows and seats.")],
    event: Annotated[str, typer.Option(help="The id of the draft that it is for.")],
) -> None:
    """Lay out a draft's seats by a plan; a plan that is wrong changes nothing."""
    from schema.ids import read_event
    from steps.refusals import Refused
    from steps.transact import transact
    from steps.update_event import update_event

    async def replace_plan(database: Database) -> int:
        changed = await transact(
            database, update_event, event_id=read_event(event), changes={}, seat_plan=file.read_text("utf-8")
        )
        return changed.total_seats

    try:
        with servers(read_settings()) as settings:
            say(f"The event has {run(replace_plan, settings):,} seats and places now.")
    except (Refused, OSError, UnicodeDecodeError, GraphQLError) as error:
        raise SystemExit(f"Nothing was changed. {error}") from None


@service_token.command("create")
def create_service_token(name: Annotated[str, typer.Argument(help="What the system is called.")]) -> None:
    """Let another system in: show its client id, and once its secret."""
    from steps.service_clients import make_service_client

    client_id, secret = change(make_service_client, name=name)
    say(f"client_id={client_id}\nclient_secret={secret}")
    say("The secret is shown this once. With both, POST /oauth/token gives access tokens.")


@service_token.command("list")
def list_service_tokens() -> None:
    """List the systems that were let in."""

    async def clients(database: Database) -> Any:
        return await database.rows("SELECT * FROM service_clients ORDER BY id")

    with servers(read_settings()) as settings:
        for client in run(clients, settings):
            state = f"revoked {client['revoked_at']:%Y-%m-%d}" if client["revoked_at"] else "good"
            say(f"{client['id']}  {client['created_at']:%Y-%m-%d}  {state}  {client['name']}")


@service_token.command("revoke")
def revoke_service_token(
    client_id: Annotated[UUID, typer.Argument(help="The client id, as `list` shows it.")],
) -> None:
    """Shut a system out: its tokens are good for nothing within a second."""
    from steps.service_clients import revoke_service_client

    say(f"{change(revoke_service_client, client_id=client_id)} is shut out.")


@cli.command()
def schema() -> None:
    """Print the schema as SDL."""
    from schema.root import sorted_sdl

    typer.echo(sorted_sdl(), nl=False)


@cli.command()
def check() -> None:
    """Recompute every invariant on the database and name each violation; fails if there is one."""
    from jobs.check_invariants import violations

    with servers(read_settings()) as settings:
        found = run(violations, settings)
    for violation in found:
        say(violation)
    say(f"{len(found)} violations." if found else "Everything agrees: no violation of any invariant.")
    raise SystemExit(1 if found else 0)


@cli.command(name="pay-card")
def pay_card(
    client_secret: Annotated[str, typer.Argument(help="What `topUp`, or `pay` by CARD, answered.")],
    fail: Annotated[bool, typer.Option("--fail", help="The card is declined.")] = False,
    webhooks: Annotated[int, typer.Option(min=0, max=9, help="How often the webhook comes.")] = 1,
) -> None:
    """Play the customer of a top-up or an order, at the provider that only plays."""
    from demo.pay_card import play_customer

    with servers(demo_settings()) as settings:
        say(run(lambda database: play_customer(database, settings, client_secret, fail, webhooks), settings))


@cli.command()
def statement(
    from_: Annotated[datetime, typer.Option("--from", help="The first moment, in UTC.")],
    to: Annotated[datetime, typer.Option("--to", help="The moment after the last, in UTC.")],
    user: Annotated[str | None, typer.Option(help="Of this person's credits alone, by id.")] = None,
) -> None:
    """Print what money did in a period as CSV: each account as it opened, what moved, and as it closed."""
    from jobs.statement import NotOver, statement_lines
    from schema.ids import read_user

    async def print_lines(database: Database) -> None:
        user_id = None if user is None else read_user(user)
        async for line in statement_lines(database, from_, to, user_id):
            say(line)

    try:
        with servers(read_settings()) as settings:
            run(print_lines, settings)
    except (NotOver, GraphQLError) as error:
        raise SystemExit(f"This is no statement. {error}") from None


@cli.command(name="env-example")
def env_example_file() -> None:
    """Print the text of .env.example: every setting with what it is for."""
    typer.echo(env_example(Settings), nl=False)


async def _prepare_demo(database: Database) -> bool:
    from demo.load import load_demo

    await database.migrate()
    return await load_demo(database, read_settings().credits_currency)


def _tell(given: Settings, ready: Settings, *, demo: bool) -> None:
    from demo.welcome import welcome

    if ready is given:
        say("PostgreSQL is the one that DATABASE_URL names.")
    else:
        say("PostgreSQL 18 and Valkey run here, embedded; their data stays in .rowlock.")
    if demo:
        say(welcome(f"http://{ready.host}:{ready.port}"))


if __name__ == "__main__":
    main()
