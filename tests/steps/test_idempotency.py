"""The second same request gets the first answer."""

import asyncio

from database import Database
from models.users import User
from steps.idempotency import Key, forget_old_keys
from steps.refusals import RefusalCode
from steps.transact import transact
from tests.world import everything, hold, letters, new_event, new_user, pay, refusal_of


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


async def test_a_key_is_good_for_a_day(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    first = await hold(database, alice, event, [0], key=key_of(alice))
    async with database.transaction() as tx:
        await tx.rows("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'")
    second = await hold(database, alice, event, [1], key=key_of(alice))
    assert second.id != first.id
    assert await transact(database, forget_old_keys, keys_max=10) == 0
    async with database.transaction() as tx:
        await tx.rows("UPDATE idempotency_keys SET created_at = created_at - interval '24 hours'")
    assert await transact(database, forget_old_keys, keys_max=10) == 1
