"""Holding seats for somebody else: at a counter, and by other systems of the house."""

from uuid import UUID

from database import Database
from models.catalogue import Event
from models.columns import new_id
from models.orders import Order
from steps.hold import Limits
from steps.permit import deactivate_user
from steps.refusals import RefusalCode
from steps.reserve import ChosenSeats
from steps.reserve_for import reserve_for_other
from steps.transact import transact
from tests.world import everything, letters, new_event, new_user, refusal_of

LIMITS = Limits(hold_seconds=300, seats_per_order_max=3, seats_per_buyer_max=1)


async def hold_for(database: Database, buyer_id: UUID, event: Event, *indexes: int) -> Order:
    return await transact(
        database,
        reserve_for_other,
        buyer_id=buyer_id,
        event_id=event.id,
        selection=ChosenSeats(indexes),
        limits=LIMITS,
    )


async def test_a_counter_holds_more_than_one_buyer_may_have_but_not_more_than_an_order(
    database: Database,
) -> None:
    event, alice = await new_event(database), await new_user(database)
    for indexes in ((0, 1), (2, 3)):
        assert (await hold_for(database, alice.id, event, *indexes)).buyer_id == alice.id
    assert await letters(database, event) == "HHHHAAAAAA"
    before = await everything(database)
    assert (await refusal_of(hold_for(database, alice.id, event, 4, 5, 6, 7))).code is (
        RefusalCode.TOO_MANY_SEATS
    )
    assert await everything(database) == before


async def test_who_has_no_open_account_gets_no_seats(database: Database) -> None:
    event, closed = await new_event(database), await new_user(database)
    await transact(database, deactivate_user, user_id=closed.id)
    before = await everything(database)
    for buyer_id, code in (
        (new_id(), RefusalCode.USER_NOT_FOUND),
        (closed.id, RefusalCode.USER_DEACTIVATED),
    ):
        assert (await refusal_of(hold_for(database, buyer_id, event, 0))).code is code
    assert await everything(database) == before
