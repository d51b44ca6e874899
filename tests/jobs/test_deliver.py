"""What is to leave: sent at least once and by one, later when it fails, and erased at its end."""

import asyncio
import logging
from datetime import timedelta

import pytest
from pydantic import SecretStr

from database import Database, Transaction
from jobs import deliver
from jobs.deliver import ATTEMPTS_MAX, PAUSE_SECONDS_MAX, pause_seconds
from jobs.forget_deliveries import forget_deliveries_once
from messages.envelopes import Envelopes
from messages.message import Address, Draft, Message, Undeliverable
from models.deliveries import DeliveryKind
from models.users import User
from steps.deliver import LEASE_SECONDS, claim_deliveries, forget_deliveries, post
from steps.transact import transact
from tests.codes import ENVELOPES, SETTINGS
from tests.delivering import CODE, FACTS, Provider, delivered, deliverer, let_it_be_due, posted, row_of
from tests.world import everything, new_user


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database)


@pytest.fixture
def provider(database: Database) -> Provider:
    return Provider(database)


async def test_what_is_written_with_a_change_leaves_after_it_and_is_erased(
    database: Database, alice: User, provider: Provider
) -> None:
    id = await posted(database, alice)
    sealed = (await row_of(database))["sealed"]
    assert CODE.encode() not in sealed
    assert await delivered(database, provider) == 1
    (message,) = provider.sent
    assert (message.id, message.to.at) == (id, "ann@example.com")
    assert f"Code: {CODE}\n" in message.text.body
    row = await row_of(database)
    assert (row["state"], row["sealed"], row["attempts"]) == ("SENT", None, 1)
    assert provider.busy == 0  # no connection is held while a provider is asked
    assert await delivered(database, provider) == 0


async def test_what_is_rolled_back_never_leaves(database: Database, alice: User, provider: Provider) -> None:
    async def fail(tx: Transaction) -> None:
        draft = Draft(Address(DeliveryKind.EMAIL, "a@b.example"), "en", "code", FACTS)
        await post(tx, ENVELOPES, alice.id, draft)
        raise Undeliverable

    with pytest.raises(Undeliverable):
        await transact(database, fail)
    assert await delivered(database, provider) == 0


async def test_who_dies_between_sending_and_saying_so_leaves_it_to_another(
    database: Database, alice: User, provider: Provider
) -> None:
    await posted(database, alice)
    dying = Provider(database, hangs=True)
    of_worker = deliverer(database, dying)
    worker = asyncio.create_task(of_worker.deliver_once())
    async with asyncio.timeout(10):
        while not dying.sent:
            await asyncio.sleep(0)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await of_worker.stop()
    row = await row_of(database)
    assert (row["state"], row["attempts"]) == ("PENDING", 1)
    assert await delivered(database, provider) == 0  # it is in hand for so long
    assert row["next_attempt_at"] - row["created_at"] > timedelta(seconds=LEASE_SECONDS - 1)
    await let_it_be_due(database)
    assert await delivered(database, provider) == 1
    assert provider.sent == dying.sent  # the very same message, with its id
    assert (await row_of(database))["state"] == "SENT"


async def test_two_workers_do_not_send_the_same(database: Database, alice: User, provider: Provider) -> None:
    for _ in range(10):
        await posted(database, alice)
    await asyncio.gather(*(delivered(database, provider) for _ in range(4)))
    assert len({message.id for message in provider.sent}) == len(provider.sent) == 10


async def test_what_another_has_in_hand_is_passed_by(
    database: Database, alice: User, provider: Provider
) -> None:
    await posted(database, alice)
    async with database.transaction() as tx:
        assert len(await claim_deliveries(tx, deliveries_max=10, lane_max=10, rooms={})) == 1
        await posted(database, alice)
        assert await delivered(database, provider) == 1
    assert len(provider.sent) == 1


async def test_what_fails_is_tried_again_later_and_later_and_at_last_given_up(
    database: Database, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "rowlock")
    await posted(database, alice)
    failing = Provider(database, fails_with=OSError("away"))
    for attempt in range(1, 4):
        assert await delivered(database, failing) == 1
        row = await row_of(database)
        assert (row["state"], row["attempts"]) == ("PENDING", attempt)
        assert await delivered(database, failing) == 0
        await let_it_be_due(database)
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET attempts = $1", ATTEMPTS_MAX - 1)
    assert await delivered(database, failing) == 1
    row = await row_of(database)
    assert (row["state"], row["attempts"], row["answer"]) == ("DEAD", ATTEMPTS_MAX, "OSError: away")
    assert row["sealed"]  # for whoever tries it again
    assert "given up: OSError: away" in caplog.text
    assert "123456" not in caplog.text
    assert "ann@" not in caplog.text


def test_pauses_double_up_to_an_hour_and_are_not_in_step() -> None:
    for attempts in range(1, 100):
        longest = min(2.0**attempts, PAUSE_SECONDS_MAX)
        pauses = {pause_seconds(attempts) for _ in range(10)}
        assert len(pauses) == 10
        assert all(longest / 2 <= pause <= longest for pause in pauses)


async def test_what_will_never_be_taken_is_not_tried_again(database: Database, alice: User) -> None:
    await posted(database, alice)
    await delivered(database, Provider(database, fails_with=Undeliverable("unknown")))
    assert (await row_of(database))["state"] == "DEAD"


async def test_what_cannot_be_opened_is_given_up(database: Database, alice: User, provider: Provider) -> None:
    await posted(database, alice)
    strange = Envelopes(SETTINGS.model_copy(update={"secret_key": SecretStr("x" * 32)}))
    await delivered(database, provider, strange)
    assert (await row_of(database))["state"] == "DEAD"
    assert provider.sent == []


async def test_a_message_that_was_moved_to_another_address_is_not_sent(
    database: Database, alice: User, provider: Provider
) -> None:
    await posted(database, alice)
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET recipient = 'mallory@example.com'")
    await delivered(database, provider)
    assert provider.sent == []


async def test_one_that_fails_does_not_hold_up_the_others(
    database: Database, alice: User, provider: Provider
) -> None:
    await posted(database, alice)
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET kind = 'SMS'")
    await posted(database, alice)
    assert await delivered(database, provider) == 2
    assert len(provider.sent) == 1


async def test_what_is_past_its_time_is_erased_and_not_sent(
    database: Database, alice: User, provider: Provider
) -> None:
    await posted(database, alice, expires_in_seconds=300)
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET expires_at = statement_timestamp()")
    assert await delivered(database, provider) == 0
    row = await row_of(database)
    assert (row["state"], row["sealed"]) == ("DEAD", None)
    assert provider.sent == []


async def test_what_runs_out_is_erased_also_when_it_is_given_up(database: Database, alice: User) -> None:
    await posted(database, alice, expires_in_seconds=300)
    await delivered(database, Provider(database, fails_with=Undeliverable("unknown")))
    row = await row_of(database)
    assert (row["state"], row["sealed"]) == ("DEAD", None)


async def test_a_provider_that_never_answers_is_left(
    database: Database, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "SEND_SECONDS_MAX", 0)
    await posted(database, alice)
    assert await delivered(database, Provider(database, hangs=True)) == 1
    assert (await row_of(database))["state"] == "PENDING"


@pytest.mark.parametrize("is_done", [True, False])
async def test_a_late_failure_does_not_undo_what_another_did_or_does(
    database: Database, alice: User, provider: Provider, is_done: bool
) -> None:
    await posted(database, alice)
    started, go = asyncio.Event(), asyncio.Event()

    class Slow(Provider):
        async def send(self, message: Message) -> None:
            started.set()
            await go.wait()
            raise OSError("too late")

    slow = asyncio.create_task(delivered(database, Slow(database)))
    await asyncio.wait_for(started.wait(), 10)
    await let_it_be_due(database)
    if is_done:
        await delivered(database, provider)
    else:
        await transact(database, claim_deliveries, deliveries_max=10, lane_max=10, rooms={})
    after = await everything(database)
    go.set()
    await slow
    assert await everything(database) == after


async def test_what_was_sent_a_week_ago_is_forgotten_in_bounded_rounds(
    database: Database, alice: User, provider: Provider
) -> None:
    for _ in range(4):
        await posted(database, alice)
    await delivered(database, provider)
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET next_attempt_at = next_attempt_at - interval '169 hours'")
    await posted(database, alice)
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE deliveries SET next_attempt_at = next_attempt_at - interval '169 hours' "
            "WHERE state = 'PENDING'"
        )
    assert await transact(database, forget_deliveries, deliveries_max=3) == 3
    assert [await forget_deliveries_once(database) for _ in range(2)] == [1, 0]
    assert (await row_of(database))["state"] == "PENDING"
