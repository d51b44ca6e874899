"""Everybody tries every mutation on what is alice's or a draft's; to strangers that is not there."""

import asyncio
from typing import Any

import orjson

from database import Database
from schema import ids
from tests.alice import READERS, House, Ids, alices_house, flat, strangers_ids
from tests.asking import Input, mutations
from tests.docs.access import assert_told, done_table
from tests.serving import Server
from tests.world import everything

SHUT = {"UNAUTHORIZED", "FORBIDDEN"}
SHUT_TO_ALL = {"PAYMENT_METHOD_NOT_ALLOWED"}
STRANGERS = ("anonymous", "SERVICE", "USER", "STAFF")
NOT_THERE = ("_NOT_FOUND", "SESSION_EXPIRED")
"""How the refusals end that speak of a thing that is not there; the latter is that of a session."""
MAY = {("SERVICE", "reserve"), ("SERVICE", "activateTicket")}
"""What a stranger may do for a person after all."""
BROKEN = {"INTERNAL_ERROR", "SERVICE_UNAVAILABLE"}
DONE = "DONE"


async def said(server: Server, token: str | None, document: str, input: Input) -> tuple[str, str]:
    """The code of an answer, or DONE, and all of the answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": {"input": input}}
    answer = (await server.http.post("/graphql", json=body, headers=headers)).json()
    return _code(answer), orjson.dumps(answer).decode()


def _code(answer: dict[str, Any]) -> str:
    if "errors" in answer:
        code: str = answer["errors"][0]["extensions"]["code"]
        return code
    (result,) = answer["data"].values()
    return result.get("code", DONE) if result else DONE


def hidden(house: House) -> Ids:
    """Alice's things, and those of the draft, which strangers must not come to either."""
    draft = house.alices["event"][0]
    of_draft, (of_order, _) = ids.read_event(draft), ids.read_order(house.alices["order"][0])
    return house.alices | {
        "event": [draft],
        "tier": [ids.tier_id(of_draft, 0)],
        "seat": [ids.seat_id(of_draft, 0)],
        "tier of order": [ids.tier_id(of_order, 0)],
        "seat of order": [ids.seat_id(of_order, 2)],
    }


def renamed(value: Any, known: Ids, others: Ids) -> Any:
    """The same input about things that are not there."""
    if isinstance(value, dict):
        return {name: renamed(inner, known, others) for name, inner in value.items()}
    if isinstance(value, list):
        return [renamed(inner, known, others) for inner in value]
    kinds = [kind for kind, named in known.items() if value in named]
    return others[kinds[0]][0] if kinds else value


async def test_what_is_not_a_strangers_is_as_what_is_not_there_and_stays_as_it_is(
    database: Database, server: Server
) -> None:
    house = await alices_house(database, server)
    known, others = hidden(house), strangers_ids()
    before = await everything(database)
    for name, document, inputs in mutations(known):
        for input in inputs:
            unknown = renamed(input, known, others)
            if unknown == input:
                continue
            for reader in (each for each in STRANGERS if (each, name) not in MAY):
                token = house.tokens[reader]
                code, answer = await said(server, token, document, input)
                assert code in SHUT | SHUT_TO_ALL or code.endswith(NOT_THERE), (reader, name, input, answer)
                _, of_nothing = await said(server, token, document, unknown)
                assert without(answer, known) == without(of_nothing, others), (reader, name, input)
                assert not [word for words in house.secrets.values() for word in words if word in answer]
    assert await everything(database) == before


def without(answer: str, known: Ids) -> str:
    """An answer but for the ids that it was asked about."""
    for id in flat(known):
        answer = answer.replace(id, "")
    return answer


async def test_everybody_may_do_what_the_page_says_and_nothing_else(
    database: Database, server: Server
) -> None:
    house = await alices_house(database, server)
    known, others = hidden(house), strangers_ids()
    callers: dict[str, tuple[set[str], set[str]]] = {}
    for name, document, inputs in mutations(known):
        may, finds = callers[name] = set(), set()
        for input in inputs:
            unknown = renamed(input, known, others)
            codes_of_nothing = await codes(server, house, document, unknown)
            may.update(reader for reader, code in codes_of_nothing.items() if code not in SHUT)
            if unknown != input:
                found = await codes(server, house, document, input)
                finds.update(reader for reader in READERS if found[reader] != codes_of_nothing[reader])
    assert_told(done_table(callers))


async def codes(server: Server, house: House, document: str, input: Input) -> dict[str, str]:
    """What everybody is answered, each of them something foreseen."""
    answers = await asyncio.gather(
        *(said(server, house.tokens[reader], document, input) for reader in READERS)
    )
    found = dict(zip(READERS, (code for code, _ in answers), strict=True))
    assert not set(found.values()) & BROKEN, (document, input, found)
    return found
