"""`rowlock deliveries`: what is to be sent, was sent, and was given up."""

from functools import partial
from typing import Annotated
from uuid import UUID

import typer
from asyncpg import Record

from console import change, run, say, servers
from models.deliveries import DeliveryState
from settings import read_settings
from steps.dead_letters import list_deliveries, retry_deliveries, shown_answer, shown_recipient

deliveries = typer.Typer(
    help="See what leaves the house, and try again what was given up.", no_args_is_help=True
)
TO = Annotated[UUID | None, typer.Option("--to", help="Only to this webhook endpoint, or to this person.")]
ANSWER_CHARACTERS_SHOWN = 60


@deliveries.command("list")
def show_list(
    state: Annotated[DeliveryState, typer.Option(help="How far they are.")] = DeliveryState.DEAD,
    to: TO = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 100,
) -> None:
    """List deliveries, the last to change first: by default those that were given up."""
    with servers(read_settings()) as settings:
        found = run(
            lambda database: list_deliveries(database, state=state, owner_id=to, deliveries_max=limit),
            settings,
        )
    for row in found:
        answer = _answer(row).replace("\n", " ")[:ANSWER_CHARACTERS_SHOWN]
        say(f"{row['id']}  {row['kind']:7}  {row['attempts']:3} tried  {_recipient(row)}  {answer}")


@deliveries.command("show")
def show(delivery_id: Annotated[UUID, typer.Argument(help="The id, as `list` shows it.")]) -> None:
    """Show all that is known of a delivery; a webhook has the same id at each endpoint."""
    with servers(read_settings()) as settings:
        found = run(partial(list_deliveries, delivery_id=delivery_id), settings)
    for row in found:
        say(f"{row['id']} by {row['kind']} to {_recipient(row)}, of {row['created_at']:%Y-%m-%d %H:%M:%S}")
        when = "next" if row["state"] == DeliveryState.PENDING else "ended"
        at = f"{row['next_attempt_at']:%Y-%m-%d %H:%M:%S}"
        say(f"  {row['state']}, {row['attempts']} tried, {when} at {at}")
        say(f"  {_answer(row)}")
    if not found:
        raise SystemExit("There is no such delivery; what was settled is forgotten in the end.")


@deliveries.command("retry")
def retry(
    delivery_ids: Annotated[list[UUID] | None, typer.Argument(help="Ids, as `list` shows them.")] = None,
    to: TO = None,
    everything: Annotated[bool, typer.Option("--all", help="All that was given up.")] = False,
) -> None:
    """Try again what was given up."""
    if not (delivery_ids or to or everything):
        raise SystemExit("Name deliveries, or whose they are with --to, or give --all.")
    count = change(retry_deliveries, owner_id=to, delivery_ids=delivery_ids or None)
    say(f"{count} will be tried again.")


def _recipient(row: Record) -> str:
    return shown_recipient(row["kind"], row["recipient"], row["owner_id"])


def _answer(row: Record) -> str:
    status = f"{row['answer_status']}: " if row["answer_status"] else ""
    answer = shown_answer(row["answer"], row["kind"], row["recipient"], row["owner_id"])
    return f"{status}{answer or ''}" or "no answer yet"
