"""Transactions through the API: what they say, who sees them, and an ADMIN's corrections."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from database import Database
from models.columns import new_id
from models.users import Role, User
from schema import ids
from tests.serving import Server
from tests.world import everything, hold, new_event, new_user, pay

TRANSACTIONS = """query ($f: TransactionFilter, $n: Int, $a: String) {
    transactions(filter: $f, first: $n, after: $a) { totalCount pageInfo { hasNextPage endCursor } nodes {
        id kind status amount { amount currency } method reason createdAt user { id }
        order { id } refundOf { id } } } }"""
ADJUST = """mutation ($i: AdjustCreditsInput!) { adjustCredits(input: $i) { __typename
    ... on TransactionPayload { transaction { id kind status amount { amount currency } reason user { id } } }
    ... on Refusal { code field missing { amount currency } } } }"""
BALANCE = "{ viewer { creditBalance { amount } } }"


def correction(user: User, amount: str, key: str | None = None, reason: str = "a voucher") -> dict[str, Any]:
    return {"userId": ids.user_id(user.id), "amount": amount, "reason": reason, "idempotencyKey": key}


async def test_a_persons_transactions_say_what_was_given_and_paid(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    order = await pay(database, alice, await hold(database, alice, event, [0, 1]))
    order_id = ids.order_id(event.id, order.id)
    seen = (await server.ask(TRANSACTIONS, alice))["transactions"]
    paid, given = seen["nodes"]
    assert (paid["kind"], paid["status"], paid["method"]) == ("PURCHASE", "SUCCESS", "CREDITS")
    assert paid["amount"] == {"amount": "-20.00", "currency": "EUR"}
    assert (paid["order"], paid["user"]) == ({"id": order_id}, {"id": ids.user_id(alice.id)})
    assert (given["kind"], given["amount"]["amount"], given["reason"]) == (
        "ADJUSTMENT",
        "50.00",
        "for a test",
    )
    assert (given["order"], given["method"]) == (None, None)
    of_order = "query ($o: ID!) { order(id: $o) { transactions { id kind } } }"
    shown = (await server.ask(of_order, alice, o=order_id))["order"]["transactions"]
    assert shown == [{"id": paid["id"], "kind": "PURCHASE"}]


async def test_a_purchase_whose_refunds_cover_it_is_refunded(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=5_000)
    await pay(database, alice, await hold(database, alice, event, [0, 1]))
    statuses = []
    for amount_minor in (500, 1_500):
        async with database.transaction() as tx:
            await tx.rows(
                """INSERT INTO movements
                       (user_id, id, debit, credit, amount_minor, currency, kind, event_id, reference)
                   SELECT user_id, gen_random_uuid(), credit, debit, $1, currency, 'REFUND',
                       event_id, reference
                   FROM movements WHERE kind = 'PURCHASE'""",
                amount_minor,
            )
        seen = (await server.ask(TRANSACTIONS, alice))["transactions"]["nodes"]
        (bought,) = (node for node in seen if node["kind"] == "PURCHASE")
        statuses.append(bought["status"])
        assert {node["refundOf"]["id"] for node in seen if node["kind"] == "REFUND"} == {bought["id"]}
    assert statuses == ["SUCCESS", "REFUNDED"]


async def test_who_sees_a_transaction(database: Database, server: Server) -> None:
    alice, stranger = await new_user(database, credits_minor=5_000), await new_user(database)
    operator = await new_user(database, Role.OPERATOR)
    (mine,) = (await server.ask(TRANSACTIONS, alice))["transactions"]["nodes"]
    node = "query ($i: ID!) { node(id: $i) { id } }"
    theirs = {"userId": ids.user_id(alice.id)}
    for who, sees in ((None, False), (stranger, False), (operator, True), (alice, True)):
        found = (await server.ask(node, who, i=mine["id"]))["node"]
        assert (found is not None) == sees
    assert (await server.ask(TRANSACTIONS, stranger))["transactions"]["totalCount"] == 0
    assert (await server.ask(TRANSACTIONS, operator, f=theirs))["transactions"]["totalCount"] == 1
    assert (await server.error(TRANSACTIONS, stranger, f=theirs))["extensions"]["code"] == "FORBIDDEN"
    assert (await server.error(TRANSACTIONS))["extensions"]["code"] == "UNAUTHORIZED"


async def test_pages_and_filters_find_each_transaction_once(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=50_000)
    orders = [await pay(database, alice, await hold(database, alice, event, [i])) for i in range(5)]
    found, after = [], None
    while True:
        page = (await server.ask(TRANSACTIONS, alice, n=4, a=after))["transactions"]
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(found) == len(set(found)) == page["totalCount"] == 6
    for wanted, count in (
        ({"kind": ["PURCHASE"]}, 5),
        ({"kind": ["PURCHASE", "ADJUSTMENT"], "status": ["SUCCESS"]}, 6),
        ({"status": ["PENDING", "FAILED", "REFUNDED"]}, 0),
        ({"orderId": ids.order_id(event.id, orders[2].id)}, 1),
        ({"to": "2020-01-01T00:00:00Z"}, 0),
        ({"from": "2020-01-01T00:00:00Z"}, 6),
    ):
        seen = (await server.ask(TRANSACTIONS, alice, f=wanted))["transactions"]
        assert (seen["totalCount"], len(seen["nodes"])) == (count, count), wanted


async def test_a_statement_of_a_period_reconciles_to_the_cent(database: Database, server: Server) -> None:
    event, alice = await new_event(database), await new_user(database, credits_minor=1_999)
    admin = await new_user(database, Role.ADMIN)
    balances, moments = [Decimal(0)], []
    for act in (None, "0.07", "-3.33", [1], "1.01"):
        if isinstance(act, str):
            await server.ask(ADJUST, admin, i=correction(alice, act))
        elif act:
            await pay(database, alice, await hold(database, alice, event, act))
        balances.append(Decimal((await server.ask(BALANCE, alice))["viewer"]["creditBalance"]["amount"]))
        (now,) = await database.rows("SELECT statement_timestamp()")
        moments.append(now[0])
    first: datetime | None = None
    for place, moment in enumerate(moments):
        period = {"to": moment.isoformat(), "status": ["SUCCESS", "REFUNDED"]}
        if first is not None:
            period["from"] = first.isoformat()
        seen = (await server.ask(TRANSACTIONS, alice, f=period, n=100))["transactions"]["nodes"]
        total = sum((Decimal(node["amount"]["amount"]) for node in seen), Decimal(0))
        assert total == balances[place + 1] - balances[place]
        first = moment


async def test_a_correction_is_a_movement_with_a_reason_and_by_whom(
    database: Database, server: Server
) -> None:
    alice, admin = await new_user(database), await new_user(database, Role.ADMIN)
    made = (await server.ask(ADJUST, admin, i=correction(alice, "12.34")))["adjustCredits"]["transaction"]
    assert (made["kind"], made["status"], made["reason"]) == ("ADJUSTMENT", "SUCCESS", "a voucher")
    assert made["amount"] == {"amount": "12.34", "currency": "EUR"}
    assert made["user"] == {"id": ids.user_id(alice.id)}
    taken = (await server.ask(ADJUST, admin, i=correction(alice, "-2.34")))["adjustCredits"]["transaction"]
    assert taken["amount"]["amount"] == "-2.34"
    assert (await server.ask(BALANCE, alice))["viewer"]["creditBalance"]["amount"] == "10.00"
    rows = await database.rows("SELECT debit, credit, actor_id, amount_minor FROM movements ORDER BY id")
    assert [tuple(row) for row in rows] == [
        ("CORRECTIONS", "CREDITS", admin.id, 1_234),
        ("CREDITS", "CORRECTIONS", admin.id, 234),
    ]


async def test_one_key_corrects_once(database: Database, server: Server) -> None:
    alice, admin = await new_user(database), await new_user(database, Role.ADMIN)
    made = {
        (await server.ask(ADJUST, admin, i=correction(alice, "5.00", "k")))["adjustCredits"]["transaction"][
            "id"
        ]
        for _ in range(2)
    }
    assert len(made) == 1
    assert (await server.ask(BALANCE, alice))["viewer"]["creditBalance"]["amount"] == "5.00"
    other = (await server.ask(ADJUST, admin, i=correction(alice, "6.00", "k")))["adjustCredits"]
    assert other["code"] == "IDEMPOTENCY_MISMATCH"


async def test_corrections_that_cannot_be_change_nothing(database: Database, server: Server) -> None:
    alice, admin = await new_user(database, credits_minor=500), await new_user(database, Role.ADMIN)
    nobody = User(id=new_id(), email="")
    before = await everything(database)
    for wrong, code, field in (
        (correction(alice, "0"), "VALIDATION_ERROR", "input.amount"),
        (correction(alice, "1.001"), "VALIDATION_ERROR", "input.amount"),
        (correction(alice, "99999999999999.99"), "VALIDATION_ERROR", "input.amount"),
        (correction(alice, "1", reason=" "), "VALIDATION_ERROR", "input.reason"),
        (correction(alice, "1", reason="x" * 501), "VALIDATION_ERROR", "input.reason"),
        (correction(alice, "-5.01"), "INSUFFICIENT_CREDITS", None),
        (correction(nobody, "1"), "USER_NOT_FOUND", None),
    ):
        refused = (await server.ask(ADJUST, admin, i=wrong))["adjustCredits"]
        assert (refused["code"], refused["field"]) == (code, field), wrong
    short = (await server.ask(ADJUST, admin, i=correction(alice, "-5.01")))["adjustCredits"]
    assert short["missing"] == {"amount": "0.01", "currency": "EUR"}
    assert await everything(database) == before


@pytest.mark.parametrize("role", [None, Role.USER, Role.STAFF, Role.OPERATOR])
async def test_only_an_admin_corrects(database: Database, server: Server, role: Role | None) -> None:
    alice = await new_user(database)
    who = await new_user(database, role) if role else None
    before = await everything(database)
    code = (await server.error(ADJUST, who, i=correction(alice, "1")))["extensions"]["code"]
    assert code == ("FORBIDDEN" if role else "UNAUTHORIZED")
    assert await everything(database) == before
