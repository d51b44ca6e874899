"""Endpoints: who is told what, with secrets that are shown once, sealed, and changed with an overlap."""

import base64
import hmac
from collections.abc import AsyncIterator

import pytest

from auth.seals import Unreadable
from database import Database
from messages.message import Undeliverable
from messages.webhooks import WebhookSender, trial_message
from steps import webhook_endpoints
from steps.dead_letters import list_deliveries, retry_deliveries
from steps.transact import transact
from steps.webhook_endpoints import add_endpoint, disable_endpoint, rotate_secret
from tests.codes import SETTINGS
from tests.receiving import SECRETS, Receiver, added, deliveries, receiving, told
from tests.world import everything, hold, new_event, new_user, pay, refusal_of


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
async def sender(database: Database) -> AsyncIterator[WebhookSender]:
    sender = WebhookSender(SETTINGS, database)
    yield sender
    await sender.close()


def is_signed_with(secret: str, receiver: Receiver) -> bool:
    """Say whether the last request is, as a receiver with this secret would find."""
    headers, body = receiver.got[-1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return expected in headers["webhook-signature"].split()


async def test_a_test_event_is_signed_with_the_secret_that_was_shown(
    database: Database, receiver: Receiver, sender: WebhookSender
) -> None:
    endpoint_id, secret = await added(database, receiver.url)
    assert (await sender.send(trial_message(endpoint_id))).status == 204
    assert is_signed_with(secret, receiver)
    assert receiver.kinds == ["webhook.test"]
    (row,) = await database.rows("SELECT to_jsonb(e)::text FROM webhook_endpoints e")
    assert secret not in row[0]


async def test_while_a_secret_is_changed_both_sign_and_then_the_new_one_alone(
    database: Database, receiver: Receiver, sender: WebhookSender
) -> None:
    endpoint_id, old = await added(database, receiver.url)
    new = await transact(database, rotate_secret, secrets=SECRETS, endpoint_id=endpoint_id, overlap_hours=1)
    await sender.send(trial_message(endpoint_id))
    assert is_signed_with(old, receiver)
    assert is_signed_with(new, receiver)
    async with database.transaction() as tx:
        await tx.rows("UPDATE webhook_endpoints SET old_secret_until = statement_timestamp()")
    await sender.send(trial_message(endpoint_id))
    assert not is_signed_with(old, receiver)
    assert is_signed_with(new, receiver)


async def test_a_secret_that_was_moved_to_another_endpoint_signs_nothing(
    database: Database, receiver: Receiver, sender: WebhookSender
) -> None:
    first, _ = await added(database, receiver.url)
    second, _ = await added(database, receiver.url)
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE webhook_endpoints SET secret = (SELECT secret FROM webhook_endpoints WHERE id = $1) "
            "WHERE id = $2",
            first,
            second,
        )
    with pytest.raises(Unreadable):
        await sender.send(trial_message(second))
    assert receiver.got == []


async def test_a_disabled_endpoint_is_told_nothing_not_even_what_waits(
    database: Database, receiver: Receiver, sender: WebhookSender
) -> None:
    endpoint_id, _ = await added(database, receiver.url, ("ticket.purchased",))
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    await pay(database, alice, await hold(database, alice, event, [0]))
    receiver.status = 500
    await told(database)
    assert await transact(database, disable_endpoint, endpoint_id=endpoint_id) == receiver.url
    ((row),) = await list_deliveries(database, owner_id=endpoint_id)
    assert (row["state"], row["answer"]) == ("DEAD", "the endpoint was disabled")
    with pytest.raises(Undeliverable):
        await sender.send(trial_message(endpoint_id))
    await transact(database, retry_deliveries, owner_id=endpoint_id, delivery_ids=None)
    await told(database)
    assert [row["state"] for row in await deliveries(database)] == ["DEAD"]
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("url", "kinds", "sentence"),
    [
        ("http://hook.example", ["order.expired"], "https://"),
        ("http://127.0.0.1/", ["order.expired"], "https://"),
        ("https://me:secret@hook.example", ["order.expired"], "plain address"),
        ("ftp://hook.example", ["order.expired"], "https://"),
        ("https://hook.example:port", ["order.expired"], "plain address"),
        ("https://hook.example:99999", ["order.expired"], "plain address"),
        ("https://hook.example/a b", ["order.expired"], "plain address"),
        ("https://hook.example/\0", ["order.expired"], "plain address"),
        ("https://\u2603.example/", ["order.expired"], "plain address"),
        ("https://hook.example/" + "x" * 2_000, ["order.expired"], "2,000"),
        ("https://hook.example", ["order.lost", "ticket.eaten"], "order.lost, ticket.eaten"),
        ("https://hook.example", [], "at least one"),
    ],
)
async def test_an_endpoint_that_is_not_right_is_refused(
    database: Database, url: str, kinds: list[str], sentence: str
) -> None:
    before = await everything(database)
    refused = await refusal_of(
        transact(database, add_endpoint, secrets=SECRETS, url=url, kinds=kinds, only_https=True)
    )
    assert sentence in str(refused)
    assert await everything(database) == before


async def test_there_are_only_so_many_endpoints(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_endpoints, "ENDPOINTS_MAX", 1)
    endpoint_id, _ = await added(database, "https://hook.example")
    before = await everything(database)
    assert "disable one" in str(await refusal_of(added(database, "https://other.example")))
    assert await everything(database) == before
    await transact(database, disable_endpoint, endpoint_id=endpoint_id)
    await added(database, "https://other.example")


async def test_what_is_disabled_or_out_of_bounds_is_not_changed(database: Database) -> None:
    endpoint_id, _ = await added(database, "https://hook.example")
    given = {"secrets": SECRETS, "endpoint_id": endpoint_id}
    before = await everything(database)
    assert "hours" in str(await refusal_of(transact(database, rotate_secret, overlap_hours=-1, **given)))
    assert await everything(database) == before
    await transact(database, disable_endpoint, endpoint_id=endpoint_id)
    before = await everything(database)
    assert "disabled" in str(await refusal_of(transact(database, rotate_secret, overlap_hours=1, **given)))
    assert "disabled" in str(await refusal_of(transact(database, disable_endpoint, endpoint_id=endpoint_id)))
    nothing = transact(database, retry_deliveries, owner_id=None, delivery_ids=[endpoint_id])
    assert "given up" in str(await refusal_of(nothing))
    assert await everything(database) == before
