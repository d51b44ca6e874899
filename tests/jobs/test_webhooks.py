"""Webhooks to a real receiver: at least once, in order for one order, whoever dies and whatever fails."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from database import Database
from jobs import deliver
from jobs.deliver import ATTEMPTS_MAX, LANE_MAX
from jobs.tell_endpoints import replay_since, tell_endpoints_once
from messages import webhooks
from settings import Settings
from steps.dead_letters import retry_deliveries
from steps.deliver import claim_deliveries
from steps.transact import transact
from tests.codes import ENVELOPES
from tests.receiving import Receiver, added, deliveries, let_all_be_due, receiving, told, worker
from tests.world import hold, new_event, new_user, pay, refund

ROOT = Path(__file__).parent.parent.parent
SALE_AND_REFUND = ["ticket.purchased", "ticket.refunded"]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


async def sold(database: Database, *, refunded: bool = False) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=10_000)
    order = await pay(database, alice, await hold(database, alice, event, [0, 1]))
    if refunded:
        await refund(database, alice, order)


async def only_of_orders(database: Database, receiver: Receiver) -> None:
    await added(database, receiver.url, ("ticket.purchased", "ticket.refunded"))


async def test_a_receiver_that_answers_500_for_an_hour_gets_all_of_it_in_order(
    database: Database, receiver: Receiver
) -> None:
    await only_of_orders(database, receiver)
    await sold(database, refunded=True)
    receiver.status, receiver.text = 500, "out of \0 order"
    tries = 0
    passed = timedelta()
    while passed < timedelta(hours=1):
        assert await told(database) == 1  # the refund waits for the sale
        tries += 1
        first, second = await deliveries(database)
        assert (first["state"], first["attempts"], second["attempts"]) == ("PENDING", tries, 0)
        assert (first["answer_status"], first["answer"]) == (500, "out of \ufffd order")
        (now,) = await database.rows("SELECT statement_timestamp() AS at")
        passed += first["next_attempt_at"] - now["at"]
        await let_all_be_due(database)
    (failing,) = await database.rows("SELECT failing_since FROM webhook_endpoints")
    assert failing["failing_since"]
    receiver.status = 204
    assert await told(database) == 2
    assert receiver.kinds == ["ticket.purchased"] * (tries + 1) + ["ticket.refunded"]
    assert len({said["id"] for said in receiver.said}) == 2
    assert [row["state"] for row in await deliveries(database)] == ["SENT", "SENT"]
    (failing,) = await database.rows("SELECT failing_since FROM webhook_endpoints")
    assert failing["failing_since"] is None


async def test_a_receiver_that_hangs_is_left_and_asked_again(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await only_of_orders(database, receiver)
    await sold(database)
    receiver.hangs = True
    monkeypatch.setattr(webhooks, "ANSWER_SECONDS_MAX", 0.2)
    await told(database)
    ((row),) = await deliveries(database)
    assert (row["state"], row["attempts"], row["answer"]) == ("PENDING", 1, "TimeoutError: ")
    receiver.hangs = False
    monkeypatch.undo()
    await let_all_be_due(database)
    await told(database)
    assert receiver.kinds[-1] == "ticket.purchased"
    assert [row["state"] for row in await deliveries(database)] == ["SENT"]


async def test_one_that_is_not_there_is_tried_again_and_a_redirect_is_not_followed(
    database: Database, receiver: Receiver
) -> None:
    await added(database, "http://127.0.0.1:1/hook", ("ticket.purchased",))
    await only_of_orders(database, receiver)
    receiver.status, receiver.headers = 307, {"location": receiver.url}
    await sold(database)
    await told(database)
    away, moved = sorted(await deliveries(database), key=lambda row: row["answer_status"] or 0)
    assert (away["state"], away["answer_status"]) == ("PENDING", None)
    assert away["answer"].startswith("ConnectError")
    assert (moved["state"], moved["answer_status"], len(receiver.got)) == ("PENDING", 307, 1)


async def test_whoever_dies_with_a_delivery_in_hand_leaves_it_to_another(
    database: Database, receiver: Receiver
) -> None:
    await only_of_orders(database, receiver)
    await sold(database)
    while await tell_endpoints_once(database, ENVELOPES):
        pass
    await transact(database, claim_deliveries, deliveries_max=10, lane_max=10, rooms={})
    assert await told(database) == 0  # another has it in hand, for all that anybody knows
    await let_all_be_due(database)  # they died: its time is over
    assert await told(database) == 1
    assert receiver.kinds == ["ticket.purchased"]


async def test_a_worker_that_is_killed_after_sending_sends_it_again_with_the_same_id(
    database: Database, settings: Settings, receiver: Receiver
) -> None:
    await only_of_orders(database, receiver)
    await sold(database)
    assert settings.database_url
    assert settings.redis_url
    receiver.hangs = True
    environment = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "cli.py"),
        "worker",
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.wait_for(receiver.came.wait(), 60)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    (row,) = [row for row in await deliveries(database) if row["kind"] == "WEBHOOK"]
    assert (row["state"], row["attempts"]) == ("PENDING", 1)
    receiver.hangs = False
    receiver.released.set()
    await let_all_be_due(database)
    await told(database)
    (first, first_body), (second, second_body) = receiver.got
    assert first["webhook-id"] == second["webhook-id"] == receiver.said[0]["id"]
    assert first_body == second_body
    assert {row["state"] for row in await deliveries(database) if row["kind"] == "WEBHOOK"} == {"SENT"}


async def test_a_settling_that_fails_is_done_again_without_sending_again(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await only_of_orders(database, receiver)
    await sold(database)
    while await tell_endpoints_once(database, ENVELOPES):
        pass

    async def fail(*_: object, **__: object) -> None:
        raise OSError("the database is away")

    async with worker(database) as deliverer:
        with monkeypatch.context() as broken:
            broken.setattr(deliver, "settle_deliveries", fail)
            with pytest.raises(Exception, match="cannot be reached"):
                await deliverer.deliver_once()
        await deliverer.deliver_once()
    assert [row["state"] for row in await deliveries(database)] == ["SENT"]
    assert len(receiver.got) == 1


async def test_a_slow_receiver_holds_no_connection_and_stops_nobody_else(
    database: Database, receiver: Receiver
) -> None:
    async with receiving() as slow:
        slow.hangs = True
        await only_of_orders(database, slow)
        await only_of_orders(database, receiver)
        for _ in range(LANE_MAX + 2):
            await sold(database)
        while await tell_endpoints_once(database, ENVELOPES):
            pass
        async with worker(database, round_seconds=0.01) as deliverer, asyncio.timeout(30):
            while len(receiver.got) < LANE_MAX + 2 or len(slow.got) < LANE_MAX:
                await deliverer.deliver_once()
            await deliverer.deliver_once()
            assert database.pools["writing"].in_use == database.pools["reading"].in_use == 0
            assert len(slow.got) == LANE_MAX


async def test_each_endpoint_is_told_of_its_kinds_since_it_was_added(
    database: Database, receiver: Receiver
) -> None:
    async with receiving() as late:
        await added(database, receiver.url, ("event.published", "ticket.refunded"))
        await sold(database)
        await only_of_orders(database, late)
        await sold(database, refunded=True)
        await told(database)
        assert sorted(receiver.kinds) == ["event.published", "event.published", "ticket.refunded"]
        assert late.kinds == SALE_AND_REFUND


async def test_what_was_announced_since_a_time_is_told_again_with_its_ids(
    database: Database, receiver: Receiver
) -> None:
    endpoint_id, _ = await added(database, receiver.url, ("ticket.purchased", "ticket.refunded"))
    await sold(database)
    await told(database)
    (between,) = await database.rows("SELECT statement_timestamp() AS at")
    await sold(database, refunded=True)
    await told(database)
    before = [said["id"] for said in receiver.said]
    assert await replay_since(database, ENVELOPES, endpoint_id, between["at"]) == 2
    await told(database)
    assert [said["id"] for said in receiver.said] == before + before[1:]
    assert receiver.got[-1][1] == receiver.got[2][1]


async def test_replaying_leaves_what_still_waits_as_it_is(database: Database, receiver: Receiver) -> None:
    endpoint_id, _ = await added(database, receiver.url, ("ticket.purchased",))
    (start,) = await database.rows("SELECT statement_timestamp() AS at")
    await sold(database)
    assert await replay_since(database, ENVELOPES, endpoint_id, start["at"]) == 0  # not told once yet
    receiver.status = 500
    await told(database)
    before = await deliveries(database)
    await replay_since(database, ENVELOPES, endpoint_id, start["at"])
    assert await deliveries(database) == before


async def test_replaying_in_many_rounds_leaves_nothing_out(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.tell_endpoints.REPLAYED_MAX", 2)
    endpoint_id, _ = await added(database, receiver.url, ("ticket.purchased",))
    (start,) = await database.rows("SELECT statement_timestamp() AS at")
    for _ in range(5):
        await sold(database)
    await told(database)
    assert await replay_since(database, ENVELOPES, endpoint_id, start["at"]) == 5
    await told(database)
    assert sorted(said["id"] for said in receiver.said[:5]) == sorted(s["id"] for s in receiver.said[5:])


async def test_what_is_given_up_after_days_can_be_tried_again(database: Database, receiver: Receiver) -> None:
    endpoint_id, _ = await added(database, receiver.url, ("ticket.purchased",))
    await sold(database)
    receiver.status = 503
    await told(database)
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET attempts = $1, next_attempt_at = now()", ATTEMPTS_MAX - 1)
    await told(database)
    ((row),) = await deliveries(database)
    assert (row["state"], row["attempts"], row["answer_status"]) == ("DEAD", ATTEMPTS_MAX, 503)
    receiver.status = 200
    assert await told(database) == 0
    assert await transact(database, retry_deliveries, owner_id=endpoint_id, delivery_ids=[row["id"]]) == 1
    assert await told(database) == 1
    ((row),) = await deliveries(database)
    assert (row["state"], row["sealed"], row["answer_status"]) == ("SENT", None, 200)
