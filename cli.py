"""`rowlock`: run the server and the worker, migrate, load the demo, import plans, check the books."""

import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
import uvicorn
import uvloop
from graphql import GraphQLError

from commands.deliveries import deliveries
from commands.webhooks import webhooks
from database import Database
from observing import logs, tracing
from observing.metrics import SHARED_FOLDER
from routes.connections import bounded
from settings import Mode, Settings, SettingsError, read_settings
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


def demo_settings() -> Settings:
    """The settings for the demo, which has no place in production: everybody knows its passwords."""
    settings = read_settings()
    if settings.is_production:
        raise SystemExit("The demo is not for production: its passwords are public. Use `rowlock migrate`.")
    return settings.model_copy(update={"mode": Mode.DEMO})


@contextmanager
def servers(settings: Settings) -> Iterator[Settings]:
    """The settings, with embedded servers in place of those that are not set."""
    if settings.database_url:
        yield settings
        return
    from embedded import EmbeddedUnavailable, running

    try:
        with running(Path(".rowlock")) as started:
            known = {"database_url": started.database_url, "redis_url": started.redis_url}
            yield settings.model_copy(update={**known, **_set_urls(settings)})
    except EmbeddedUnavailable as error:
        raise SystemExit(str(error)) from None


def _set_urls(settings: Settings) -> dict[str, str]:
    return {"redis_url": settings.redis_url} if settings.redis_url else {}


WITH_DEMO = Annotated[bool, typer.Option("--demo", help="Migrate and load the demo first.")]


@cli.command()
def serve(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many server processes.")] = 1,
    demo: WITH_DEMO = False,
) -> None:
    """Serve GraphQL over HTTP and WebSocket until Ctrl-C."""
    settings = demo_settings() if demo else read_settings()
    tracing.require()
    logs.set_up(settings.log_level, as_json=settings.is_production)
    with servers(settings) as ready:
        if demo:
            _run(_prepare_demo, ready)
        elif not _run(Database.is_migrated, ready):
            raise SystemExit("The database is not of this release: run `rowlock migrate` first.")
        _tell(settings, ready, demo=demo)
        with _shared_metrics(workers):
            _serve(ready, workers)


@contextmanager
def _shared_metrics(workers: int) -> Iterator[None]:
    """Give several processes an empty folder to count in together."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="rowlock-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        yield


def _serve(settings: Settings, workers: int) -> None:
    """Hand the settings to the server processes by their environment, and run them."""
    assert settings.database_url
    os.environ |= {"ROWLOCK_MODE": settings.mode, "DATABASE_URL": settings.database_url}
    if settings.redis_url:
        os.environ["REDIS_URL"] = settings.redis_url
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
def worker() -> None:
    """Do the background jobs, without serving, until Ctrl-C."""
    from jobs.work import run_worker

    with servers(read_settings()) as settings:
        logs.set_up(settings.log_level, as_json=settings.is_production)
        tracing.start()
        say("The worker runs. Ctrl-C stops it.")
        uvloop.run(run_worker(settings))


@cli.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    with servers(read_settings()) as settings:
        _run(Database.migrate, settings)
        say("The database is up to date.")


@cli.command()
def demo() -> None:
    """Migrate, and load what of the demo is not there yet."""
    with servers(demo_settings()) as settings:
        loaded = _run(_prepare_demo, settings)
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
            say(f"The event has {_run(replace_plan, settings):,} seats and places now.")
    except (Refused, OSError, UnicodeDecodeError, GraphQLError) as error:
        raise SystemExit(f"Nothing was changed. {error}") from None


@service_token.command("create")
def create_service_token(name: Annotated[str, typer.Argument(help="What the system is called.")]) -> None:
    """Let another system in: show its client id, and once its secret."""
    from steps.service_clients import make_service_client

    client_id, secret = _change(make_service_client, name=name)
    say(f"client_id={client_id}\nclient_secret={secret}")
    say("The secret is shown this once. With both, POST /oauth/token gives access tokens.")


@service_token.command("list")
def list_service_tokens() -> None:
    """List the systems that were let in."""

    async def clients(database: Database) -> Any:
        return await database.rows("SELECT * FROM service_clients ORDER BY id")

    with servers(read_settings()) as settings:
        for client in _run(clients, settings):
            state = f"revoked {client['revoked_at']:%Y-%m-%d}" if client["revoked_at"] else "good"
            say(f"{client['id']}  {client['created_at']:%Y-%m-%d}  {state}  {client['name']}")


@service_token.command("revoke")
def revoke_service_token(
    client_id: Annotated[UUID, typer.Argument(help="The client id, as `list` shows it.")],
) -> None:
    """Shut a system out: its tokens are good for nothing within a second."""
    from steps.service_clients import revoke_service_client

    say(f"{_change(revoke_service_client, client_id=client_id)} is shut out.")


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
        found = _run(violations, settings)
    for violation in found:
        say(violation)
    say(f"{len(found)} violations." if found else "Everything agrees: no violation of any invariant.")
    raise SystemExit(1 if found else 0)


@cli.command(name="pay-topup")
def pay_topup(
    client_secret: Annotated[str, typer.Argument(help="What `topUp` answered.")],
    fail: Annotated[bool, typer.Option("--fail", help="The card is declined.")] = False,
    webhooks: Annotated[int, typer.Option(min=0, max=9, help="How often the webhook comes.")] = 1,
) -> None:
    """Play the customer of a top-up, at the provider that only plays."""
    from demo.pay_top_up import pay_top_up

    with servers(demo_settings()) as settings:
        say(_run(lambda database: pay_top_up(database, settings, client_secret, fail, webhooks), settings))


@cli.command(name="env-example")
def env_example_file() -> None:
    """Print the text of .env.example: every setting with what it is for."""
    typer.echo(env_example(Settings), nl=False)


async def _prepare_demo(database: Database) -> bool:
    from demo.load import load_demo

    await database.migrate()
    return await load_demo(database, read_settings().credits_currency)


def _run(work: Callable[[Database], Awaitable[Any]], settings: Settings) -> Any:
    """Do some work on a database of its own, and close it."""

    async def run() -> Any:
        database = Database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return uvloop.run(run())


def _change(step: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
    """Run one step in a transaction; a refusal is said in its sentence."""
    from steps.refusals import Refused
    from steps.transact import transact

    try:
        with servers(read_settings()) as settings:
            return _run(lambda database: transact(database, step, **arguments), settings)
    except Refused as refused:
        raise SystemExit(f"Nothing was changed. {refused}") from None


def _tell(given: Settings, ready: Settings, *, demo: bool) -> None:
    from demo.welcome import welcome

    if ready is given:
        say("PostgreSQL is the one that DATABASE_URL names.")
    else:
        say("PostgreSQL 18 and Valkey run here, embedded; their data stays in .rowlock.")
    if demo:
        say(welcome(f"http://{ready.host}:{ready.port}"))


def say(text: str) -> None:
    typer.echo(text, file=sys.stdout)


if __name__ == "__main__":
    main()
