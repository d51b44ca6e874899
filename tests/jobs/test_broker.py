"""A real broker is told what webhooks are told: at least once, in order for one order, whoever is away."""

import asyncio
import logging
from uuid import UUID

import pytest
from pydantic import SecretStr

from database import Database
from jobs.tell_endpoints import let_broker_listen_once, replay_since, tell_endpoints_once
from messages import broker
from messages.broker import BrokerSender
from messages.post import NobodySends, post_of
from messages.webhooks import trial_message
from models.announcements import AnnouncementKind
from models.catalogue import Event
from models.deliveries import DeliveryKind
from models.users import User
from models.webhook_endpoints import BROKER_ID
from settings import Settings
from steps.transact import transact
from steps.webhook_endpoints import disable_endpoint, rotate_secret
from tests.broker import SECONDS_MAX, listen, published, system
from tests.codes import ENVELOPES
from tests.delivering import posted
from tests.receiving import SECRETS, added, deliveries, let_all_be_due, receiving
from tests.way import way_to
from tests.world import everything, hold, new_event, new_user, pay, refund, refusal_of

SALE_AND_REFUND = ["ticket.purchased", "ticket.refunded"]


@pytest.fixture
async def event(database: Database) -> Event:
    return await new_event(database)


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=100_000)


async def sold(database: Database, alice: User, event: Event, *indexes: int, refunded: bool = False) -> UUID:
    order = await pay(database, alice, await hold(database, alice, event, list(indexes)))
    if refunded:
        await refund(database, alice, order)
    return order.id


async def states(database: Database) -> list[str]:
    return [row["state"] for row in await deliveries(database)]


async def test_a_message_is_the_webhook_with_all_that_a_message_has(
    database: Database, with_broker: Settings, alice: User, event: Event
) -> None:
    await listen(database)
    async with receiving() as receiver, system(with_broker, "ticket.*") as other:
        await added(database, receiver.url, ("ticket.purchased",))
        await sold(database, alice, event, 0, 1)
        assert await published(database, with_broker) == 2
        message = await other.got()
        (said,) = receiver.said
        assert message.body == receiver.got[0][1]
    assert (message.exchange, message.routing_key) == (with_broker.amqp_exchange, "ticket.purchased")
    assert (message.message_id, message.type) == (said["id"], said["type"])
    assert (message.content_type, message.app_id, message.delivery_mode) == ("application/json", "rowlock", 2)
    assert message.timestamp
    assert message.timestamp.isoformat() == said["timestamp"][:19] + "+00:00"
    assert await states(database) == ["SENT", "SENT"]


async def test_a_broker_that_is_away_gets_all_of_it_in_order_when_it_is_back(
    database: Database, with_broker: Settings, alice: User, event: Event, caplog: pytest.LogCaptureFixture
) -> None:
    await listen(database)
    assert with_broker.amqp_url
    async with way_to(with_broker.amqp_url.get_secret_value()) as way, system(with_broker) as other:
        there = with_broker.model_copy(update={"amqp_url": SecretStr(way.url)})
        await way.cut()
        await sold(database, alice, event, 0, refunded=True)
        with caplog.at_level(logging.DEBUG):
            assert await published(database, there) == 1  # the refund waits for the sale
        first, second = await deliveries(database)
        assert (first["state"], first["attempts"], second["attempts"]) == ("PENDING", 1, 0)
        assert await published(database, there) == 0  # not before its pause is over
        (row,) = await database.rows("SELECT failing_since FROM webhook_endpoints")
        assert row["failing_since"]
        await way.mend()
        await let_all_be_due(database)
        assert await published(database, there) == 2
        assert await other.kinds(2) == SALE_AND_REFUND
    assert await states(database) == ["SENT", "SENT"]
    (row,) = await database.rows("SELECT failing_since FROM webhook_endpoints")
    assert row["failing_since"] is None
    password = way.url.partition("rowlock:")[2].partition("@")[0]
    assert password
    assert password not in caplog.text
    assert password not in str(first["answer"])


async def test_a_broker_that_hangs_or_was_away_meanwhile_is_asked_again_on_another_connection(
    with_broker: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert with_broker.amqp_url
    url = with_broker.amqp_url.get_secret_value()
    async with asyncio.timeout(SECONDS_MAX), way_to(url) as way, system(with_broker) as other:
        sender = BrokerSender(with_broker.model_copy(update={"amqp_url": SecretStr(way.url)}))
        await sender.send(trial_message(BROKER_ID))
        way.block()
        with monkeypatch.context() as impatient:
            impatient.setattr(broker, "ANSWER_SECONDS_MAX", 0.2)
            impatient.setattr(broker, "CLOSE_SECONDS_MAX", 0.2)
            with pytest.raises(TimeoutError):
                await sender.send(trial_message(BROKER_ID))
        way.unblock()
        await sender.send(trial_message(BROKER_ID))
        await way.cut()
        await way.mend()
        while not (sender._channel and sender._channel.is_closed):
            await asyncio.sleep(0.01)
        await sender.send(trial_message(BROKER_ID))
        await sender.close()
        assert await other.kinds(3) == ["webhook.test"] * 3


async def test_those_who_publish_at_once_share_one_connection(with_broker: Settings) -> None:
    assert with_broker.amqp_url
    async with way_to(with_broker.amqp_url.get_secret_value()) as way:
        sender = BrokerSender(with_broker.model_copy(update={"amqp_url": SecretStr(way.url)}))
        await asyncio.gather(*(sender.send(trial_message(BROKER_ID)) for _ in range(20)), sender.answers())
        assert way.carries == 1
        await sender.close()


async def test_where_no_broker_is_set_nobody_else_takes_what_is_for_it(
    database: Database, settings: Settings
) -> None:
    with pytest.raises(NobodySends, match="AMQP_URL"):
        await post_of(settings, database).send(trial_message(BROKER_ID))
    assert await database.rows("SELECT FROM mailbox") == []


async def test_what_nobody_has_a_queue_for_is_taken_and_forgotten(
    database: Database, with_broker: Settings, alice: User, event: Event
) -> None:
    await listen(database)
    await sold(database, alice, event, 0)
    assert await published(database, with_broker) == 1
    assert await states(database) == ["SENT"]


async def test_what_the_broker_does_not_keep_is_published_again(
    database: Database, with_broker: Settings, alice: User, event: Event
) -> None:
    await listen(database)
    async with system(with_broker, "none") as other:
        full = await other.channel.declare_queue(
            exclusive=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"}
        )
        await full.bind(with_broker.amqp_exchange, "ticket.*")
        await sold(database, alice, event, 0)
        assert await published(database, with_broker) == 1
        await sold(database, alice, event, 1)
        assert await published(database, with_broker) == 1
        assert await states(database) == ["SENT", "PENDING"]
        assert (await deliveries(database))[1]["answer"].startswith("NotKept: ")
        await other.got(full.name)
        await let_all_be_due(database)
        await published(database, with_broker)
        assert await states(database) == ["SENT", "SENT"]
        assert (await other.got(full.name)).message_id == str((await deliveries(database))[1]["id"])


async def test_a_broker_that_is_away_holds_up_no_mail(
    database: Database, with_broker: Settings, alice: User, event: Event
) -> None:
    await listen(database)
    async with receiving() as receiver:
        await added(database, receiver.url, ("ticket.purchased",))
        away = with_broker.model_copy(update={"amqp_url": SecretStr("amqp://127.0.0.1:1/")})
        await sold(database, alice, event, 0)
        await posted(database, alice)
        await published(database, away)
        assert receiver.kinds == ["ticket.purchased"]
    by_kind = {row["kind"]: row["state"] for row in await deliveries(database)}
    assert by_kind == {"AMQP": "PENDING", "WEBHOOK": "SENT", "EMAIL": "SENT"}


async def test_the_broker_listens_since_it_was_named_until_it_is_disabled_and_may_come_back(
    database: Database, with_broker: Settings, alice: User, event: Event
) -> None:
    await sold(database, alice, event, 0)
    assert await database.rows("SELECT FROM announcements") == []
    await listen(database)
    before = await everything(database)
    assert await let_broker_listen_once(database) == 0
    assert await everything(database) == before
    await sold(database, alice, event, 1)
    await tell_endpoints_once(database, ENVELOPES)
    assert await transact(database, disable_endpoint, endpoint_id=BROKER_ID) == "amqp:"
    assert await states(database) == ["DEAD"]
    await added(database, "https://hook.example", ("event.cancelled",))
    await sold(database, alice, event, 2)  # announced, since another listens, and not to be told the broker
    await listen(database)
    await sold(database, alice, event, 3)
    assert await published(database, with_broker) == 1
    assert await states(database) == ["DEAD", "SENT"]
    (row,) = await database.rows("SELECT * FROM webhook_endpoints WHERE secret IS NULL")
    assert (row["id"], row["secret"], row["kinds"]) == (BROKER_ID, None, sorted(AnnouncementKind))


async def test_the_broker_is_told_again_what_was_announced_since_a_time(
    database: Database, with_broker: Settings, alice: User, event: Event
) -> None:
    await listen(database)
    (start,) = await database.rows("SELECT statement_timestamp() AS at")
    async with system(with_broker, "ticket.*") as other:
        await sold(database, alice, event, 0, refunded=True)
        await published(database, with_broker)
        assert await replay_since(database, ENVELOPES, BROKER_ID, start["at"]) == 2
        await published(database, with_broker)
        messages = [await other.got() for _ in range(4)]
    assert [message.routing_key for message in messages] == SALE_AND_REFUND * 2
    assert [m.body for m in messages[:2]] == [m.body for m in messages[2:]]


async def test_the_broker_has_no_secret_to_change(database: Database) -> None:
    await listen(database)
    before = await everything(database)
    refused = await refusal_of(
        transact(database, rotate_secret, secrets=SECRETS, endpoint_id=BROKER_ID, overlap_hours=1)
    )
    assert "AMQP_URL" in str(refused)
    assert await everything(database) == before


async def test_an_exchange_that_was_deleted_is_made_again(with_broker: Settings) -> None:
    sender = BrokerSender(with_broker)
    async with system(with_broker) as other:
        await sender.send(trial_message(BROKER_ID))
        await other.channel.exchange_delete(with_broker.amqp_exchange)
    with pytest.raises(Exception, match="no exchange"):
        await sender.send(trial_message(BROKER_ID))
    await sender.send(trial_message(BROKER_ID))
    assert await sender.answers()
    await sender.close()


def test_a_delivery_to_the_broker_is_of_a_kind_of_its_own() -> None:
    assert trial_message(BROKER_ID).to.kind is DeliveryKind.AMQP
    assert trial_message(UUID(int=2)).to.kind is DeliveryKind.WEBHOOK
