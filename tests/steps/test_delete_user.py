"""Deleting a person: who they were is gone from every table, what they did stays in the books."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import orjson
import pytest
from sqlmodel import SQLModel

from database import Database
from models.users import User
from steps.delete_user import delete_user
from steps.export_data import EVERYTHING, export_data
from steps.idempotency import Key
from steps.pay import pay_order
from steps.refusals import RefusalCode
from steps.transact import transact
from steps.update_user import update_user
from tests.carts import put_seats
from tests.codes import CODES
from tests.doors import SCANNER, checked_in, ticket_at
from tests.people import logged_in, refreshed, session_row
from tests.transfers import bought, disputed, initiated, rejected, transferred
from tests.world import (
    CURRENCY,
    everything,
    hold,
    let_lapse,
    new_event,
    new_user,
    pay,
    refusal_of,
    until_somebody_waits,
)

PERSONAL = {"username": "alice.a", "full_name": "Alice Archer", "phone": "+4930123456"}
OF_A_PERSON = {"user_id", "buyer_id", "owner_id", "seller_id"}
TOLD_BY_ORDERS = {"buyers"}
KEPT_BY_ID = {
    "deleted_tickets",
    "accounts",
    "movements",
    "payments",
    "refunds",
    "simulated_payments",
    "buyers",
    "orders",
    "tickets",
    "transfers",
    "sessions",
    "identities",
}


@pytest.fixture
async def alice(database: Database) -> User:
    alice = await new_user(database, credits_minor=10_000, email="alice@example.com")
    return await transact(
        database,
        update_user,
        caller_id=alice.id,
        any_user=False,
        user_id=alice.id,
        changes=PERSONAL,
        codes=CODES,
    )


async def deleted(database: Database, user: User) -> None:
    assert await transact(database, delete_user, user_id=user.id) == user.id


async def let_events_be_over(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.rows(
            "UPDATE events SET starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'"
        )


async def test_who_a_person_was_is_gone_and_the_books_stay(database: Database, alice: User) -> None:
    event, bob = await new_event(database), await new_user(database)
    session = await logged_in(database, alice, "Alice's phone")
    await logged_in(database, bob, "Bob's phone")
    key = Key.of(alice.id, "reserve", "alice's key", {})
    await pay(database, alice, await hold(database, alice, event, [0, 1], key=key))
    await let_lapse(database, await hold(database, alice, event, [2]))
    await put_seats(database, alice, event, 5)
    await put_seats(database, bob, event, 6)
    await let_events_be_over(database)
    before = await everything(database)
    await deleted(database, alice)
    after = await everything(database)
    for table in ("orders", "order_items", "tickets", "movements", "accounts", "buyers", "seats"):
        assert after.rows[table] == before.rows[table], table
    left = repr(after.rows).lower()
    for trace in ("alice", "archer", "4930123456"):
        assert trace not in left
    assert (await session_row(database, session.session_id))["ended_by"] == "DELETED"
    refusal = await refusal_of(refreshed(database, session.refresh_token))
    assert refusal.code is RefusalCode.SESSION_REVOKED
    assert "Bob's phone" in "".join(after.rows["sessions"])
    assert len(after.rows["users"]) == len(after.rows["carts"]) == len(after.rows["cart_items"]) == 1
    await new_user(database, email="alice@example.com")


async def test_with_tickets_to_come_or_seats_held_nobody_is_deleted(database: Database, alice: User) -> None:
    event = await new_event(database)
    await logged_in(database, alice)
    order = await hold(database, alice, event, [0])
    for act in (None, pay):
        if act:
            await act(database, alice, order)
        before = await everything(database)
        refusal = await refusal_of(transact(database, delete_user, user_id=alice.id))
        assert refusal.code is RefusalCode.USER_HAS_TICKETS
        assert await everything(database) == before
    await let_events_be_over(database)
    await deleted(database, alice)


async def test_whose_transfer_is_disputed_is_not_deleted_before_the_house_has_decided(
    database: Database, alice: User
) -> None:
    bob = await new_user(database, credits_minor=5_000)
    transfer = await transferred(database, alice, await bought(database, alice), bob)
    await disputed(database, bob, transfer)
    await let_events_be_over(database)
    before = await everything(database)
    for party in (alice, bob):
        refusal = await refusal_of(transact(database, delete_user, user_id=party.id))
        assert refusal.code is RefusalCode.USER_HAS_TICKETS
        assert "disputed" in str(refusal)
    assert await everything(database) == before
    await rejected(database, transfer)
    await deleted(database, alice)


async def test_who_is_not_there_cannot_be_deleted(database: Database, alice: User) -> None:
    before = await everything(database)
    refusal = await refusal_of(transact(database, delete_user, user_id=uuid4()))
    assert refusal.code is RefusalCode.USER_NOT_FOUND
    assert await everything(database) == before


async def test_somebody_who_is_paying_at_this_moment_is_not_deleted(database: Database, alice: User) -> None:
    event = await new_event(database)
    order = await hold(database, alice, event, [0])
    async with database.transaction() as tx:
        await pay_order(
            tx, buyer_id=alice.id, event_id=event.id, order_id=order.id, credits_currency=CURRENCY
        )
        deletion = asyncio.create_task(transact(database, delete_user, user_id=alice.id))
        await until_somebody_waits(database)
    assert (await refusal_of(deletion)).code is RefusalCode.USER_HAS_TICKETS
    assert len(await database.rows("SELECT 1 FROM users")) == 1


async def test_the_export_tells_everything_and_nothing_of_others(database: Database, alice: User) -> None:
    event, bob = await new_event(database), await new_user(database, credits_minor=5_000)
    await logged_in(database, alice, "Alice's phone")
    await logged_in(database, bob, "Bob's phone")
    order = await pay(database, alice, await hold(database, alice, event, [0, 1]))
    await put_seats(database, alice, event, 5)
    await put_seats(database, bob, event, 6)
    others = await pay(database, bob, await hold(database, bob, event, [2]))
    text = await transact(database, export_data, user_id=alice.id)
    told = orjson.loads(text)
    assert set(told) == set(EVERYTHING)
    assert told["account"][0]["email"] == "alice@example.com"
    assert {name: told["account"][0][name] for name in PERSONAL} == PERSONAL
    assert [row["device"] for row in told["sessions"]] == ["Alice's phone"]
    assert [row["reference"] for row in told["orders"]] == [order.reference]
    assert [row["index"] for row in told["order_items"]] == [0, 1]
    assert len(told["tickets"]) == 2
    assert [(row["index"], row["quantity"], row["price_minor"]) for row in told["cart"]] == [(5, 1, 1_000)]
    assert [row["kind"] for row in told["movements"]] == ["ADJUSTMENT", "PURCHASE"]
    assert told["credits"] == [{"currency": CURRENCY, "balance_minor": 8_000}]
    assert datetime.fromisoformat(told["account"][0]["created_at"]) > datetime.now(UTC) - timedelta(hours=1)
    for secret in ("password", "refresh_hash", "Bob", str(bob.id), others.reference):
        assert secret not in text


async def test_the_export_has_the_transfers_from_and_to_a_person(database: Database, alice: User) -> None:
    event, bob = await new_event(database), await new_user(database, credits_minor=5_000)
    carol = await new_user(database)
    there = await transferred(database, alice, await bought(database, alice, event, 0), bob)
    back = await initiated(database, bob, await bought(database, bob, event, 1), alice)
    await initiated(database, bob, await bought(database, bob, event, 2), carol, price_minor=0)
    told = orjson.loads(await transact(database, export_data, user_id=alice.id))
    assert [(row["id"], row["status"]) for row in told["transfers"]] == [
        (str(there.id), "COMPLETED"),
        (str(back.id), "PENDING_OTP"),
    ]


async def test_the_export_does_not_tell_a_buyer_what_the_seller_had_spent(
    database: Database, alice: User
) -> None:
    event, bob = await new_event(database), await new_user(database, credits_minor=5_000)
    there = await transferred(
        database, alice, await bought(database, alice, event, 0), bob, price_minor=2_000
    )
    await pay(database, alice, await hold(database, alice, event, list(range(1, 10))))
    await pay(database, alice, await hold(database, alice, await new_event(database), [0, 1]))
    await disputed(database, bob, there)
    exports = [orjson.loads(await transact(database, export_data, user_id=user.id)) for user in (alice, bob)]
    assert [told["transfers"][0]["receivable_minor"] for told in exports] == [2_000, None]


async def test_the_export_has_the_scans_of_a_persons_tickets(database: Database, alice: User) -> None:
    event, bob = await new_event(database), await new_user(database, credits_minor=5_000)
    await bought(database, alice, event, 0)
    await bought(database, bob, event, 1)
    for index in (0, 1):
        await checked_in(database, await ticket_at(database, event.id, index))
    text = await transact(database, export_data, user_id=alice.id)
    (told,) = orjson.loads(text)["scans"]
    assert (told["result"], told["ticket_id"]) == (
        "SUCCESS",
        str((await ticket_at(database, event.id))["id"]),
    )
    assert str(SCANNER) not in text


async def test_nothing_is_exported_of_nobody(database: Database) -> None:
    refusal = await refusal_of(transact(database, export_data, user_id=uuid4()))
    assert refusal.code is RefusalCode.USER_NOT_FOUND


def test_every_table_of_people_is_exported_and_erased_or_kept_on_purpose() -> None:
    """A new table with people in it has to say in `export_data` and `delete_user` what becomes of it."""
    from steps.delete_user import ERASE

    of_people = {n for n, t in SQLModel.metadata.tables.items() if OF_A_PERSON & set(t.columns.keys())}
    exported = {table for table in of_people if any(f" {table} " in f"{s} " for s in EVERYTHING.values())}
    assert of_people - exported == TOLD_BY_ORDERS
    deleted_from = {table for table in of_people if any(f"DELETE FROM {table} " in s for s in ERASE)}
    assert of_people - deleted_from == KEPT_BY_ID
