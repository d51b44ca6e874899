"""Plans that are made before there is anything, and kept: every row is found by its key all the same."""

from collections.abc import Collection
from typing import Any

import pytest

from database import Database
from steps.add_items import ADD
from steps.check_in import FACTS_LOCKED, NOTE
from steps.delete_order import DELETE
from steps.hold import HOLD
from steps.ledger import CHARGE
from steps.locks import ORDERS_AND_THEIR_SEATS
from steps.pay_back import REFUND
from steps.remove_items import REMOVE
from steps.sell import SELL
from steps.take_back_tickets import TAKE_BACK_LAPSED
from steps.undo_check_in import UNDO

TYPES = {
    HOLD: "uuid, int[], uuid[], uuid[], text[], int[], uuid[], float8, int",
    ADD: "uuid, int[], uuid, uuid, int",
    SELL: "uuid, uuid[], uuid[], int[], uuid[], text[], uuid[]",
    REMOVE: "uuid, uuid, int[]",
    REFUND: "uuid, uuid, uuid[], int[], boolean",
    DELETE: "uuid, uuid, int[]",
    ORDERS_AND_THEIR_SEATS: "uuid, uuid[]",
}
KEYS = {"order_items": "order_id", "seats": "index", "orders": "id"}
TYPES_AT_THE_DOOR = {
    FACTS_LOCKED: "uuid, uuid, uuid, text, uuid",
    NOTE: "uuid, uuid, uuid, uuid, text, uuid, uuid, uuid[]",
    UNDO: "uuid, uuid, uuid, text, int",
}
KEYS_AT_THE_DOOR = {"tickets": "id", "seats": "index", "scans": "ticket_id"}


@pytest.mark.parametrize("statement", TYPES)
async def test_a_plan_made_on_empty_tables_still_finds_every_row_by_its_key(
    database: Database, statement: str
) -> None:
    plan = await _planned(database, statement, TYPES[statement], KEYS)
    scans = list(_scans(plan))
    assert scans
    for scan in scans:
        conditions = scan.get("Index Cond", scan.get("Recheck Cond", ""))
        assert "event_id = $1" in conditions, scan
        assert f"({KEYS[scan['Relation Name']]} = " in conditions or "buyer_id = " in conditions, scan


@pytest.mark.parametrize("statement", TYPES_AT_THE_DOOR)
async def test_a_scan_finds_its_ticket_and_its_seat_by_their_keys(database: Database, statement: str) -> None:
    plan = await _planned(database, statement, TYPES_AT_THE_DOOR[statement], KEYS_AT_THE_DOOR)
    scans = list(_scans(plan, KEYS_AT_THE_DOOR))
    assert scans
    for scan in scans:
        conditions = scan.get("Index Cond", scan.get("Recheck Cond", ""))
        assert "event_id = $1" in conditions, scan
        assert f"({KEYS_AT_THE_DOOR[scan['Relation Name']]} = " in conditions, scan


async def test_a_lapsed_ticket_is_found_by_its_seat(database: Database) -> None:
    plan = await _planned(database, TAKE_BACK_LAPSED, "uuid, int[], uuid[]", ["tickets"])
    by_seat, by_id = sorted(scan["Index Cond"] for scan in _scans(plan, {"tickets": "index"}))[::-1]
    assert "(index = taken.index)" in by_seat
    assert "(id = ANY" in by_id


async def _planned(database: Database, statement: str, types: str, tables: Collection[str]) -> dict[str, Any]:
    """The plan of a statement that was prepared while these tables were empty."""
    async with database.transaction() as tx:
        await tx.rows(f"TRUNCATE {', '.join(tables)} CASCADE")
        await tx.rows("DELETE FROM pg_statistic")  # what autovacuum may have seen in other tests
        await tx.rows(f"PREPARE planned ({types}) AS {statement}")
        nothing = ", ".join("NULL" for _ in types.split(","))
        (plan,) = await tx.value(f"EXPLAIN (FORMAT JSON) EXECUTE planned ({nothing})")
        await tx.rows("DEALLOCATE planned")
    found: dict[str, Any] = plan["Plan"]
    return found


async def test_whether_a_buyer_needs_a_code_is_found_by_key(database: Database) -> None:
    async with database.transaction() as tx:
        types = "uuid[], uuid[], text[], bigint[], uuid[], uuid[], uuid[]"
        await tx.rows(f"PREPARE planned ({types}) AS {CHARGE}")
        nothing = ", ".join("NULL" for _ in types.split(","))
        (plan,) = await tx.value(f"EXPLAIN (FORMAT JSON) EXECUTE planned ({nothing})")
        await tx.rows("DEALLOCATE planned")
    scans = list(_scans(plan["Plan"], {"users", "codes"}))
    assert {scan["Relation Name"] for scan in scans} == {"users", "codes"}
    for scan in scans:
        condition = scan.get("Index Cond", scan.get("Recheck Cond", ""))
        assert ".user_id)" in condition, scan
        assert scan["Relation Name"] == "users" or "(object_id = d.order_id)" in condition, scan


def _scans(plan: dict[str, Any], tables: Collection[str] = KEYS) -> Any:
    """Every node of a plan that reads one of these tables, by default those that a sale writes."""
    if plan.get("Relation Name") in tables and plan["Node Type"] not in {"ModifyTable", "LockRows"}:
        yield plan
    for below in plan.get("Plans", []):
        yield from _scans(below, tables)
