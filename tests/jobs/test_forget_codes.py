"""Codes that have been over for a day are deleted; with them goes the count of wrong tries."""

from database import Database
from jobs.forget_codes import forget_codes_once
from steps.codes import forget_codes
from steps.transact import transact
from tests.codes import order_reference, requested
from tests.world import hold, new_event, new_user


async def test_only_what_is_over_for_a_day_is_deleted_in_bounded_rounds(database: Database) -> None:
    event, alice = await new_event(database), await new_user(database)
    orders = [await hold(database, alice, event, [index]) for index in range(4)]
    for order in orders:
        await requested(database, alice, order_reference(order))
    for order, hours in zip(orders, (25, 25, 23, 0), strict=True):
        async with database.transaction() as tx:
            await tx.rows(
                "UPDATE codes SET expires_at = expires_at - make_interval(hours => $2) WHERE object_id = $1",
                order.id,
                hours,
            )
    assert await transact(database, forget_codes, codes_max=1) == 1
    assert [await forget_codes_once(database) for _ in range(2)] == [1, 0]
    left = {row["object_id"] for row in await database.rows("SELECT object_id FROM codes")}
    assert left == {orders[2].id, orders[3].id}
