"""What every command of `rowlock` begins with and ends with: settings, servers, a database, a sentence."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
import uvloop

from database import Database
from settings import Mode, Settings, read_settings


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


def run(work: Callable[[Database], Awaitable[Any]], settings: Settings) -> Any:
    """Do some work on a database of its own, and close it."""

    async def run() -> Any:
        database = Database(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return uvloop.run(run())


def change(step: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
    """Run one step in a transaction; a refusal is said in its sentence."""
    from steps.refusals import Refused
    from steps.transact import transact

    try:
        with servers(read_settings()) as settings:
            return run(lambda database: transact(database, step, **arguments), settings)
    except Refused as refused:
        raise SystemExit(f"Nothing was changed. {refused}") from None


def say(text: str) -> None:
    typer.echo(text, file=sys.stdout)
