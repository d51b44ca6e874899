"""What could not be sent, as an ADMIN sees it: page by page, without what it says, and once more."""

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


async def test_an_admin_sees_page_by_page_what_was_given_up_and_not_what_it_says(
    database: Database, server: Server
) -> None:
    admin, ann = await new_user(database, Role.ADMIN), await new_user(database)
    for _ in range(3):
        await given_up(database, ann)
    await posted(database, ann)
    first = (await server.ask(LIST, admin, first=2))["deadLetters"]
    after = first["pageInfo"]["endCursor"]
    rest = (await server.ask(LIST, admin, first=2, after=after))["deadLetters"]
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
        "answer": "no such box",
    }
    assert CODE not in str(shown)


async def test_what_is_tried_again_is_given_up_no_more_and_only_once(
    database: Database, server: Server
) -> None:
    admin, ann = await new_user(database, Role.ADMIN), await new_user(database)
    for _ in range(2):
        await given_up(database, ann)
    one, other = [ids.delivery_id(row["owner_id"], row["id"]) for row in await deliveries(database)]
    assert await retried(server, admin, one) == {"__typename": "RetryDeliveryPayload", "deliveryId": one}
    assert [node["id"] for node in (await server.ask(LIST, admin))["deadLetters"]["nodes"]] == [other]
    states = {(row["state"], row["attempts"]) for row in await deliveries(database)}
    assert states == {("PENDING", 0), ("DEAD", 12)}
    before = await everything(database)
    assert (await retried(server, admin, one))["code"] == "VALIDATION_ERROR"
    assert await everything(database) == before


async def test_nobody_else_sees_or_retries_it(database: Database, server: Server) -> None:
    operator, ann = await new_user(database, Role.OPERATOR), await new_user(database)
    await given_up(database, ann)
    (row,) = await deliveries(database)
    id, before = ids.delivery_id(row["owner_id"], row["id"]), await everything(database)
    for user, code in ((None, "UNAUTHORIZED"), (ann, "FORBIDDEN"), (operator, "FORBIDDEN")):
        assert (await server.error(LIST, user))["extensions"]["code"] == code
        assert (await server.error(RETRY, user, d=id))["extensions"]["code"] == code
        assert (await server.ask("query ($d: ID!) { node(id: $d) { id } }", user, d=id))["node"] is None
    assert await everything(database) == before
