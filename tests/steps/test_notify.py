"""People are notified of what happens to them: who of what, once, with the change or not at all."""

import asyncio
from typing import Any

import pytest

from database import Database
from jobs.forget_notifications import forget_notifications_once
from jobs.release_holds import release_holds_once
from jobs.tell_people import tell_people_once
from messages.message import Address, Draft
from models.columns import new_id
from models.deliveries import DeliveryKind
from models.notifications import NotificationKind
from models.payments import ProviderName
from models.topics import person_topic
from payments.simulated import SimulatedProvider
from steps.cancel_event import cancel_event
from steps.delete_user import delete_user
from steps.deliver import post
from steps.idempotency import Key
from steps.ledger import CHARGE
from steps.locks import ORDERS_AND_THEIR_SEATS
from steps.notify import Notice, forget_notifications, notify
from steps.pay import pay_order
from steps.refund_cancelled import refund_cancelled
from steps.release import release_lapsed
from steps.reserve import ChosenSeats, reserve_seats
from steps.sell import SELL
from steps.settle import settle_payment
from steps.transact import transact
from tests.cards import charged, let_card_lapse
from tests.codes import ENVELOPES
from tests.paying import begun, settled
from tests.steps.scene import Told, Way, scene_of
from tests.steps.ways import WAYS
from tests.told import kinds_of, notices, telling
from tests.transfers import bought, cancelled, initiated
from tests.world import (
    CURRENCY,
    LIMITS,
    everything,
    hold,
    let_lapse,
    new_event,
    new_user,
    pay,
    refund,
    until_somebody_waits,
)

MAIL = Address(DeliveryKind.EMAIL, "alice@example.com")


@pytest.mark.parametrize(("way", "told"), WAYS.items(), ids=lambda value: getattr(value, "__name__", ""))
async def test_by_each_way_each_person_concerned_is_notified_once(
    database: Database, way: Way, told: Told
) -> None:
    scene = await scene_of(database)
    act = await way(scene)
    async with telling(database) as new:
        await act
    people = {scene.alice.id: "alice", scene.bob.id: "bob", scene.house.id: "house"}
    found: dict[str, list[str]] = {}
    for row in new:
        found.setdefault(people[row["user_id"]], []).append(row["kind"])
    assert found == told


def test_every_kind_comes_by_some_way() -> None:
    assert {kind for told in WAYS.values() for kinds in told.values() for kind in kinds} == {
        *NotificationKind
    }


async def test_what_it_is_about_is_named(database: Database) -> None:
    s = await scene_of(database)
    order = await s.paid(0)
    await refund(database, s.alice, order)
    confirmed, refunded = await notices(database)
    movements = await database.rows("SELECT id FROM movements WHERE event_id IS NOT NULL ORDER BY id")
    for row, movement in zip((confirmed, refunded), movements, strict=True):
        about = (row["event_id"], row["order_id"], row["transaction_id"])
        assert about == (s.event.id, order.id, movement["id"])
    ticket = await s.ticket(1)
    transfer = await initiated(database, s.alice, ticket, s.bob)
    (asked,) = [row for row in await notices(database) if row["user_id"] == s.bob.id]
    assert (asked["transfer_id"], asked["ticket_id"]) == (transfer.id, ticket.id)


async def test_a_transaction_that_rolls_back_notifies_nobody(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order, told = await hold(database, alice, event, [0]), list[set[str]]()
    database.on_touched = told.append
    before = await everything(database)
    named: dict[str, Any] = {"event_id": event.id, "order_id": order.id, "credits_currency": CURRENCY}
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await pay_order(tx, buyer_id=alice.id, **named)
            raise RuntimeError
    assert await everything(database) == before
    assert told == []
    await transact(database, pay_order, buyer_id=alice.id, **named)
    assert person_topic(alice.id) in told[0]


async def test_to_pay_with_credits_is_three_statements_still(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order, sent = await hold(database, alice, event, [0]), list[str]()
    named: dict[str, Any] = {"event_id": event.id, "order_id": order.id, "credits_currency": CURRENCY}
    async with database.transaction() as tx:
        with tx.driver.query_logger(lambda query: sent.append(query.query)):
            await pay_order(tx, buyer_id=alice.id, **named)
    assert sent == [ORDERS_AND_THEIR_SEATS, SELL, CHARGE]


async def test_a_repeat_under_the_same_key_notifies_nobody_again(database: Database) -> None:
    s = await scene_of(database)
    order, ticket = await s.held(0), await s.ticket(1)
    transfer = await initiated(database, s.alice, ticket, s.bob)
    for name in ("pay", "refund", "cancel"):
        key = Key.of(s.alice.id, name, "k", {})
        for _ in range(2):
            if name == "pay":
                await pay(database, s.alice, order, key=key)
            elif name == "refund":
                await refund(database, s.alice, order, key=key)
            else:
                await cancelled(database, s.alice, transfer, key=key)
    assert await kinds_of(database, s.alice) == ["ORDER_CONFIRMED", "ORDER_CONFIRMED", "ORDER_REFUNDED"]
    assert await kinds_of(database, s.bob) == ["TRANSFER_REQUESTED", "TRANSFER_FAILED"]


async def test_the_same_news_of_a_payment_notifies_once(database: Database) -> None:
    alice, provider = await new_user(database), SimulatedProvider(database, "a secret")
    news = await provider.play((await begun(database, alice, provider)).reference, "succeeded")
    for _ in range(2):
        await settled(database, news)
    assert await kinds_of(database, alice) == ["TOP_UP_SUCCEEDED"]


async def test_who_takes_lapsed_seats_and_two_sweeps_end_a_hold_once(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await let_lapse(database, await hold(database, alice, event, [0, 1]))
    async with database.transaction() as tx:
        seats = ChosenSeats((0,))
        await reserve_seats(tx, buyer_id=bob.id, event_id=event.id, selection=seats, limits=LIMITS)
        assert await release_holds_once(database) == 0  # one of its seats is in bob's hands
        assert await kinds_of(database, alice) == []
    async with database.transaction() as tx:
        assert await release_lapsed(tx, orders_max=10) == 1
        assert await release_holds_once(database) == 0
    assert await release_holds_once(database) == 0
    assert await kinds_of(database, alice) == ["HOLD_EXPIRED"]
    assert await kinds_of(database, bob) == []


async def test_two_orders_of_a_person_that_end_at_once_tell_of_the_cancelled_event_once(
    database: Database,
) -> None:
    s = await scene_of(database)
    orders = [await s.paid(0), await s.paid(1)]
    await transact(database, cancel_event, actor_id=s.house.id, event_id=s.event.id)
    named = [{"actor_id": s.house.id, "event_id": s.event.id, "order_id": order.id} for order in orders]
    async with database.transaction() as first:
        await refund_cancelled(first, **named[0])
        second = asyncio.create_task(transact(database, refund_cancelled, **named[1]))
        await until_somebody_waits(database)
    assert await second
    assert (await kinds_of(database, s.alice))[2:] == ["EVENT_CANCELLED"]


async def test_who_has_no_account_by_then_is_not_notified(database: Database) -> None:
    alice, provider = await new_user(database), SimulatedProvider(database, "a secret")
    news = await provider.play((await begun(database, alice, provider)).reference, "succeeded")
    async with database.transaction() as tx:
        await delete_user(tx, user_id=alice.id)
        settling = asyncio.create_task(settled(database, news))
        await until_somebody_waits(database)
    assert await settling
    assert await notices(database) == []


async def test_what_a_person_pays_who_is_gone_by_then_notifies_nobody(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as tx:
        await tx.rows("DELETE FROM users")
    assert (await pay(database, alice, order)).status == "CONFIRMED"
    assert await notices(database) == []


async def test_many_are_written_in_one_statement_for_those_who_have_an_account(database: Database) -> None:
    alice, bob = await new_user(database), await new_user(database)
    kind = NotificationKind.HOLD_EXPIRED
    async with database.transaction() as tx:
        await notify(tx, *(Notice(person, kind) for person in (bob.id, new_id(), alice.id, bob.id)))
    assert [await kinds_of(database, user) for user in (alice, bob)] == [[kind], [kind, kind]]
    assert len(await notices(database)) == 3


async def test_old_ones_are_forgotten_in_bounded_rounds_the_unread_later(database: Database) -> None:
    alice = await new_user(database)
    ages = ((181, True), (181, True), (179, True), (181, False), (399, False), (401, False))
    async with database.transaction() as tx:
        for days, is_read in ages:
            await tx.rows(
                """INSERT INTO notifications (user_id, id, kind, created_at, read_at)
                   SELECT $1, $2, 'TOP_UP_SUCCEEDED', t.at, CASE WHEN $4 THEN t.at END
                   FROM (SELECT now() - make_interval(days => $3) AS at) t""",
                alice.id,
                new_id(),
                days,
                is_read,
            )
    assert await transact(database, forget_notifications, notifications_max=1) == 2
    assert [await forget_notifications_once(database) for _ in range(2)] == [1, 0]
    left = await database.rows(
        "SELECT (now()::date - created_at::date) AS days FROM notifications ORDER BY 1"
    )
    assert [row["days"] for row in left] == [179, 181, 399]


async def test_bought_tickets_are_told_by_their_order_alone(database: Database) -> None:
    alice = await new_user(database, credits_minor=5_000)
    await bought(database, alice)
    assert await kinds_of(database, alice) == ["ORDER_CONFIRMED"]


async def test_who_is_deleted_while_they_are_notified_leaves_nothing(database: Database) -> None:
    alice = await new_user(database)
    async with database.transaction() as tx:
        await notify(tx, Notice(alice.id, NotificationKind.TOP_UP_SUCCEEDED))
        await post(tx, ENVELOPES, alice.id, Draft(MAIL, "en", "welcome", {}))
        deleting = asyncio.create_task(transact(database, delete_user, user_id=alice.id))
        await until_somebody_waits(database)
    await deleting
    assert await notices(database) == []
    assert not await database.rows("SELECT 1 FROM deliveries")


async def test_of_money_that_came_too_late_one_letter_tells(database: Database) -> None:
    s = await scene_of(database)
    news = await charged(database, order := await s.held(0), s.provider)
    await let_card_lapse(database, order)
    await hold(database, s.bob, s.event, [0])
    paying = {"provider": ProviderName.SIMULATED, "news": news, "envelopes": ENVELOPES}
    assert await transact(database, settle_payment, **paying)
    assert await tell_people_once(database, ENVELOPES) == 0
    rows = await database.rows("SELECT * FROM deliveries WHERE owner_id = $1", s.alice.id)
    assert [getattr(ENVELOPES.open(row), "template", None) for row in rows] == ["late_money"]
    assert await kinds_of(database, s.alice) == ["ORDER_REFUNDED"]
