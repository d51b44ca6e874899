"""What could not be sent, as an OPERATOR sees it: page by page, without what it says, and once more."""

from typing import Any

from database import Database
from models.users import Role, User
from schema import ids
from tests.delivering import CODE, given_up, posted
from tests.receiving import deliveries
from tests.serving import Server
from tests.world import everything, new_user

LIST = """query ($first: Int, $after: String) { deadLetters(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } nodes {
        id kind recipient attempts answerStatus answer createdAt givenUpAt } } }"""
RETRY = """mutation ($d: ID!) { retryDelivery(input: {deliveryId: $d}) { __typename
    ... on RetryDeliveryPayload { deliveryId } ... on Refusal { code message } } }"""


async def retried(server: Server, user: User, id: str) -> Any:
    return (await server.ask(RETRY, user, d=id))["retryDelivery"]


async def test_an_operator_sees_page_by_page_what_was_given_up_and_not_what_it_says(
    database: Database, server: Server
) -> None:
    operator, ann = await new_user(database, Role.OPERATOR), await new_user(database)
    for _ in range(3):
        await given_up(database, ann)
    await posted(database, ann)
    first = (await server.ask(LIST, operator, first=2))["deadLetters"]
    after = first["pageInfo"]["endCursor"]
    rest = (await server.ask(LIST, operator, first=2, after=after))["deadLetters"]
    shown = first["nodes"] + rest["nodes"]
    dead = {
        ids.delivery_id(r["owner_id"], r["id"]) for r in await deliveries(database) if r["state"] == "DEAD"
    }
    assert (len(shown), {letter["id"] for letter in shown}) == (3, dead)
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    (letter,) = rest["nodes"]
    assert {name: letter[name] for name in ("kind", "recipient", "attempts", "answerStatus", "answer")} == {
        "kind": "EMAIL",
        "recipient": "a***@example.com",
        "attempts": 12,
        "answerStatus": 550,
        "answer": "no such box: <a***@example.com>",
    }
    assert CODE not in str(shown)


async def test_what_is_tried_again_is_given_up_no_more_and_the_same_again_changes_nothing(
    database: Database, server: Server
) -> None:
    operator, ann = await new_user(database, Role.OPERATOR), await new_user(database)
    for _ in range(2):
        await given_up(database, ann)
    one, other = [ids.delivery_id(row["owner_id"], row["id"]) for row in await deliveries(database)]
    assert await retried(server, operator, one) == {"__typename": "RetryDeliveryPayload", "deliveryId": one}
    assert [node["id"] for node in (await server.ask(LIST, operator))["deadLetters"]["nodes"]] == [other]
    states = {(row["state"], row["attempts"]) for row in await deliveries(database)}
    assert states == {("PENDING", 0), ("DEAD", 12)}
    before = await everything(database)
    assert await retried(server, operator, one) == {"__typename": "RetryDeliveryPayload", "deliveryId": one}
    assert await everything(database) == before


async def test_what_was_sent_or_is_erased_is_not_tried_again(database: Database, server: Server) -> None:
    operator, ann = await new_user(database, Role.OPERATOR), await new_user(database)
    await given_up(database, ann)
    (row,) = await deliveries(database)
    for state in ("SENT", "DEAD"):
        async with database.transaction() as tx:
            await tx.rows("UPDATE deliveries SET state = $1, sealed = NULL", state)
        before = await everything(database)
        refused = await retried(server, operator, ids.delivery_id(row["owner_id"], row["id"]))
        assert refused["code"] == "VALIDATION_ERROR"
        assert await everything(database) == before


async def test_nobody_else_sees_or_retries_it(database: Database, server: Server) -> None:
    doorman, ann = await new_user(database, Role.STAFF), await new_user(database)
    await given_up(database, ann)
    (row,) = await deliveries(database)
    id, before = ids.delivery_id(row["owner_id"], row["id"]), await everything(database)
    for user, code in ((None, "UNAUTHORIZED"), (ann, "FORBIDDEN"), (doorman, "FORBIDDEN")):
        assert (await server.error(LIST, user))["extensions"]["code"] == code
        assert (await server.error(RETRY, user, d=id))["extensions"]["code"] == code
        assert (await server.ask("query ($d: ID!) { node(id: $d) { id } }", user, d=id))["node"] is None
    assert await everything(database) == before
