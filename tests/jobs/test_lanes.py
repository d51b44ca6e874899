"""What leaves by one way has its own trouble: slow or dead, it stops nothing that leaves by another."""

import asyncio
from uuid import uuid4

import pytest

from database import Database
from jobs import deliver
from jobs.deliver import LANE_MAX, Deliverer
from messages.message import Address, Message, Text
from messages.post import Post
from models.columns import new_id
from models.deliveries import DeliveryKind
from models.users import User
from steps.deliver import post
from steps.transact import transact
from tests.codes import ENVELOPES, LETTERS
from tests.delivering import Provider, deliverer, posted
from tests.receiving import added, deliveries, receiving, worker
from tests.world import new_user


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database)


async def waiting_webhooks(database: Database, url: str, many: int) -> None:
    """An endpoint to which so many deliveries are due, each of an order of its own."""
    endpoint_id, _ = await added(database, url)
    for _ in range(many):
        to = Address(DeliveryKind.WEBHOOK, str(endpoint_id))
        await transact(
            database,
            post,
            envelopes=ENVELOPES,
            user_id=endpoint_id,
            message=Message(new_id(), to, Text("event.published", "{}")),
        )
    async with database.transaction() as tx:
        await tx.rows("UPDATE deliveries SET queue_id = id WHERE kind = 'WEBHOOK'")


async def test_one_that_hangs_holds_up_nothing_that_leaves_by_another_way(
    database: Database, alice: User
) -> None:
    await posted(database, alice)
    hanging, quick = Provider(database, hangs=True), Provider(database)
    senders = {DeliveryKind.EMAIL: hanging, DeliveryKind.SMS: quick}
    patient = Deliverer(database, ENVELOPES, Post(senders, LETTERS), round_seconds=0)
    assert await patient.deliver_once() == 1
    to = Address(DeliveryKind.SMS, "+4930123456")
    said = Message(new_id(), to, Text("", "x"))
    await transact(database, post, envelopes=ENVELOPES, user_id=alice.id, message=said)
    async with asyncio.timeout(10):
        while not quick.sent:
            await patient.deliver_once()
    await patient.stop()
    assert len(hanging.sent) == 1


async def test_of_a_lane_only_so_many_are_in_hand_and_of_one_that_fails_only_one(
    database: Database, alice: User
) -> None:
    for _ in range(2 * LANE_MAX):
        await posted(database, alice)
    failing = Provider(database, fails_with=OSError("away"))
    worker = deliverer(database, failing)
    assert await worker.deliver_once() == 2 * LANE_MAX
    assert await worker.deliver_once() == 2
    failing.fails_with = None
    assert await worker.deliver_once() == 2
    assert await worker.deliver_once() == 2 * (LANE_MAX - 2)


async def test_dead_endpoints_with_all_hands_full_leave_room_for_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "SENDING_MAX", 4 * LANE_MAX)
    async with receiving() as dead, receiving() as well:
        dead.hangs = True
        for _ in range(2):
            await waiting_webhooks(database, dead.url, 2 * LANE_MAX)
        for _ in range(3):
            await waiting_webhooks(database, well.url, LANE_MAX)
        async with worker(database, round_seconds=0.01) as busy, asyncio.timeout(30):
            while len(well.got) < 3 * LANE_MAX:
                await busy.deliver_once()
            await busy.deliver_once()
        assert len(dead.got) <= 2 * LANE_MAX
    states = [row["state"] for row in await deliveries(database)]
    assert states.count("SENT") == 3 * LANE_MAX


async def test_lanes_take_turns_where_there_is_room_for_few(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "SENDING_MAX", 1)
    rounds = 30  # that one lane has all the turns by chance is one in 500 million
    async with receiving() as receiver:
        for _ in range(2):
            await waiting_webhooks(database, receiver.url, rounds)
        async with worker(database) as single:
            for _ in range(rounds):
                assert await single.deliver_once() == 2
    assert {row["owner_id"] for row in await deliveries(database) if row["state"] == "SENT"} == {
        row["owner_id"] for row in await deliveries(database)
    }


async def test_a_lane_that_is_full_is_not_claimed_from_but_another_worker_may(database: Database) -> None:
    async with receiving() as slow:
        slow.hangs = True
        await waiting_webhooks(database, slow.url, LANE_MAX + 3)
        async with worker(database, 0) as first, worker(database, 0) as second:
            assert await first.deliver_once() == LANE_MAX
            assert await first.deliver_once() == 0
            assert await second.deliver_once() == 3


async def test_what_waits_in_one_queue_leaves_one_after_the_other_and_other_queues_meanwhile(
    database: Database,
) -> None:
    async with receiving() as receiver:
        await waiting_webhooks(database, receiver.url, 4)
        queue_id = uuid4()
        async with database.transaction() as tx:
            await tx.rows(
                """UPDATE deliveries SET queue_id = $1
                   WHERE id IN (SELECT id FROM deliveries ORDER BY created_at LIMIT 3)""",
                queue_id,
            )
        async with worker(database) as single:
            assert [await single.deliver_once() for _ in range(4)] == [4, 2, 2, 0]
        ids = [headers["webhook-id"] for headers, _ in receiver.got]
        wanted = [str(row["id"]) for row in await deliveries(database) if row["queue_id"] == queue_id]
        assert [id for id in ids if id in wanted] == wanted
