"""The second same request gets the first answer."""

import asyncio

import pytest

from database import Database
from models.columns import new_id
from models.users import User
from settings import Settings
from steps.idempotency import Key, claim, forget_old_keys
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.world import (
    everything,
    hold,
    let_lapse,
    letters,
    new_event,
    new_user,
    pay,
    refusal_of,
    until_somebody_waits,
)


async def let_a_day_pass(database: Database) -> None:
    """Move every key's time a day into the past."""
    async with database.transaction() as tx:
        await tx.rows("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'")


def key_of(user: User, key: str = "k", mutation: str = "reserve", **request: object) -> Key:
    return Key.of(user.id, mutation, key, request)


async def test_a_repeat_has_no_second_effect_and_answers_with_what_the_first_made(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    first = await hold(database, alice, event, [0], key=key_of(alice, seats=[0]))
    await pay(database, alice, first, key=key_of(alice, mutation="pay"))
    before = await everything(database)
    again = await hold(database, alice, event, [0], key=key_of(alice, seats=[0]))
    assert (again.id, again.status) == (first.id, "CONFIRMED")
    paid = await pay(database, alice, first, key=key_of(alice, mutation="pay"))
    assert paid.id == first.id
    assert await everything(database) == before


async def test_another_input_under_the_same_key_is_refused(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await hold(database, alice, event, [0], key=key_of(alice, seats=[0]))
    before = await everything(database)
    refused = await refusal_of(hold(database, alice, event, [1], key=key_of(alice, seats=[1])))
    assert refused.code is RefusalCode.IDEMPOTENCY_MISMATCH
    assert await everything(database) == before


async def test_keys_are_a_space_for_each_caller_and_mutation(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await hold(database, alice, event, [0], key=key_of(alice))
    await hold(database, bob, event, [1], key=key_of(bob))
    await hold(database, alice, event, [2], key=key_of(alice, mutation="other"))
    assert await letters(database, event) == "HHHAAAAAAA"


async def test_a_refusal_is_not_remembered(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await hold(database, bob, event, [0])
    key = key_of(alice, seats=[0])
    assert (await refusal_of(hold(database, alice, event, [0], key=key))).code
    assert not await database.rows("SELECT 1 FROM idempotency_keys")
    assert (await hold(database, alice, event, [1], key=key_of(alice, seats=[1]))).buyer_id == alice.id


async def test_thirty_twins_at_once_have_one_effect(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    key = key_of(alice, seats=[0, 1])
    orders = await asyncio.gather(*(hold(database, alice, event, [0, 1], key=key) for _ in range(30)))
    assert len({order.id for order in orders}) == 1
    assert len(await database.rows("SELECT 1 FROM orders")) == 1


async def test_payments_under_one_key_at_once_pay_once_and_all_answer_with_the_order(
    database: Database,
) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    order = await hold(database, alice, event, [0])
    key = key_of(alice, mutation="pay", order=order.id)
    paid = await asyncio.gather(*(pay(database, alice, order, key=key) for _ in range(10)))
    assert {(one.id, one.status) for one in paid} == {(order.id, "CONFIRMED")}
    assert len(await database.rows("SELECT 1 FROM movements WHERE kind = 'PURCHASE'")) == 1
    assert (await database.rows("SELECT balance_minor FROM accounts"))[0]["balance_minor"] == 8_000


async def test_a_twin_of_a_request_that_fails_does_the_work_itself(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    key = key_of(alice, seats=[0])
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as first:
            assert await claim(first, key, new_id()) is None
            twin = asyncio.create_task(hold(database, alice, event, [0], key=key))
            await until_somebody_waits(database)
            raise ZeroDivisionError
    assert (await twin).buyer_id == alice.id


async def test_another_input_while_the_first_is_under_way_is_refused_after_it(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    async with database.transaction() as first:
        assert await claim(first, key_of(alice, seats=[0]), new_id()) is None
        other = asyncio.create_task(hold(database, alice, event, [1], key=key_of(alice, seats=[1])))
        await until_somebody_waits(database)
    assert (await refusal_of(other)).code is RefusalCode.IDEMPOTENCY_MISMATCH
    assert await letters(database, event) == "A" * 10


async def test_a_twin_that_waits_too_long_is_busy(database: Database, settings: Settings) -> None:
    event, alice = await new_event(database), await new_user(database)
    hurried = Database(settings.model_copy(update={"lock_timeout_ms": 20}))
    async with database.transaction() as first:
        assert await claim(first, key_of(alice), new_id()) is None
        assert (
            await refusal_of(hold(hurried, alice, event, [0], key=key_of(alice)))
        ).code is RefusalCode.BUSY
    await hurried.close()


async def test_a_repeat_reads_what_was_made_as_it_is_now(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=9_000)
    first = await hold(database, alice, event, [0], key=key_of(alice))
    await let_lapse(database, first)
    again = await hold(database, alice, event, [0], key=key_of(alice))
    assert (again.id, again.status, again.held_until) == (first.id, "EXPIRED", None)
    order = await hold(database, alice, event, [1])
    await pay(database, alice, order, key=key_of(alice, mutation="pay"))
    async with database.transaction() as tx:
        await tx.rows("UPDATE events SET starts_at = now() - interval '2 h', ends_at = now()")
    assert (await pay(database, alice, order, key=key_of(alice, mutation="pay"))).status == "COMPLETED"


async def test_a_key_is_good_for_a_day(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    first = await hold(database, alice, event, [0], key=key_of(alice, seats=[0]))
    await let_a_day_pass(database)
    second = await hold(database, alice, event, [1], key=key_of(alice, seats=[1]))
    assert second.id != first.id
    again = await hold(database, alice, event, [1], key=key_of(alice, seats=[1]))
    assert again.id == second.id


async def test_old_keys_are_forgotten_so_many_at_a_time_and_good_ones_stay(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    for index in range(3):
        await hold(database, alice, event, [index], key=key_of(alice, key=f"{index}"))
    assert await transact(database, forget_old_keys, keys_max=10) == 0
    await let_a_day_pass(database)
    await hold(database, alice, event, [3], key=key_of(alice, key="new"))
    assert [await transact(database, forget_old_keys, keys_max=2) for _ in range(3)] == [2, 1, 0]
    assert [row["key"] for row in await database.rows("SELECT key FROM idempotency_keys")] == ["new"]


async def test_old_keys_that_are_taken_anew_are_passed_by(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    await hold(database, alice, event, [0], key=key_of(alice))
    await let_a_day_pass(database)
    async with database.transaction() as anew:
        assert await claim(anew, key_of(alice), new_id()) is None
        assert await transact(database, forget_old_keys, keys_max=10) == 0
