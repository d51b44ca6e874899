"""The transfers of a person, with all about them, cost as many statements however many there are."""

from database import Database
from tests.counting import Asking
from tests.deep_queries import NOTIFICATIONS, TRANSFERS
from tests.test_statements import SIZES, asking, rich  # noqa: F401  (the fixture)
from tests.transfers import bought, initiated, transferred


async def test_the_transfers_of_a_person(database: Database, asking: Asking) -> None:  # noqa: F811
    alice, bob = await rich(database), await rich(database)
    found, there = [], 0
    for size in SIZES:
        for _ in range(size - there):
            ticket = await bought(database, alice)
            await transferred(database, alice, ticket, bob)
            await initiated(database, bob, ticket, alice)
            async with database.transaction() as tx:  # nobody gets more than 20 of them within an hour
                await tx.rows("DELETE FROM codes")
        there = size
        data, statements = await asking.ask(TRANSFERS, bob)
        assert len(data["transfers"]["nodes"]) == 2 * size
        moved = [node for node in data["transactions"]["nodes"] if node["transfer"]]
        assert len(moved) == size
        told, of_notifications = await asking.ask(NOTIFICATIONS, bob)
        assert told["viewer"]["notifications"]["totalCount"] == 2 * size
        found.append((statements, of_notifications))
    assert len(set(found)) == 1, found
