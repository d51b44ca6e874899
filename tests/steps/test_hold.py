"""Many wishes in one statement: each has an answer of its own."""

from database import Database
from models.columns import new_id
from steps.hold import Wish, hold
from steps.locks import lock_buyers
from steps.refusals import RefusalCode, Refused
from tests.world import LIMITS, letters, new_event, new_user
from tests.world import hold as hold_seats


async def test_one_wish_is_refused_and_the_other_held(database: Database) -> None:
    event, alice, bob = await new_event(database), await new_user(database), await new_user(database)
    await hold_seats(database, alice, event, [4])
    wishes = [Wish(alice.id, new_id(), (0, 1)), Wish(bob.id, new_id(), (3, 4))]
    async with database.transaction() as tx:
        await lock_buyers(tx, event.id, [alice.id, bob.id])
        order, refused = await hold(tx, event.id, wishes, LIMITS)
    assert not isinstance(order, Refused)
    assert isinstance(refused, Refused)
    assert (order.buyer_id, order.id, order.total_minor) == (alice.id, wishes[0].order_id, 2_000)
    assert (refused.code, refused.seats) == (RefusalCode.SEAT_UNAVAILABLE, ((event.id, 4),))
    assert await letters(database, event) == "HHAAHAAAAA"
    items = await database.rows("SELECT order_id, index FROM order_items ORDER BY index")
    assert [tuple(row) for row in items][:2] == [(order.id, 0), (order.id, 1)]
    assert [row["index"] for row in items] == [0, 1, 4]
