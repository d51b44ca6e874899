"""Transfers through the API: each mutation, who sees what of it, and what the old order tells."""

from typing import Any

import pytest

from database import Database
from jobs.check_invariants import violations
from models.orders import order_of
from models.tickets import Ticket
from models.users import Role, User
from schema import ids
from tests.codes import code_sent_to, other_than
from tests.serving import Server
from tests.transfers import bought, codes_of, disputed, initiated, transferred, undone
from tests.world import everything, new_user, refund

TRANSFER = """transfer { id status price { amount currency } sellerConfirmed buyerConfirmed disputeReason
    seller { id } buyer { id } seat { id } ticket { id } }"""


def mutation(name: str, kind: str = "TransferInput") -> str:
    return f"""mutation ($i: {kind}!) {{ {name}(input: $i) {{ ... on TransferPayload {{ {TRANSFER} }}
        ... on Refusal {{ code field message attemptsLeft missing {{ amount }} }} }} }}"""


INITIATE = mutation("initiateTransfer", "InitiateTransferInput")
CONFIRM = mutation("confirmTransfer", "ConfirmTransferInput")
CANCEL = mutation("cancelTransfer")
DISPUTE = mutation("disputeTransfer", "DisputeTransferInput")
REVERSE = mutation("reverseTransfer")
REJECT = mutation("rejectDispute")
LIST = """query ($f: TransferFilter) { transfers(filter: $f) { totalCount nodes { id } }
    viewer { transfers { totalCount } } }"""
HISTORY = "query ($t: ID!) { ticket(id: $t) { history { what who { id } } pendingTransfer { id } } }"


@pytest.fixture
async def alice(database: Database) -> User:
    return await new_user(database, credits_minor=5_000, email="alice@example.com")


@pytest.fixture
async def bob(database: Database) -> User:
    return await new_user(database, credits_minor=5_000, email="bob@example.com")


@pytest.fixture
async def ticket(database: Database, alice: User) -> Ticket:
    return await bought(database, alice)


def named(ticket: Ticket, **more: Any) -> dict[str, Any]:
    return {"ticketId": ids.ticket_id(ticket.event_id, ticket.id), "price": "15.00", **more}


async def test_a_ticket_is_given_disputed_and_given_back(
    database: Database, server: Server, alice: User, bob: User, ticket: Ticket
) -> None:
    operator = await new_user(database, Role.OPERATOR)
    made = await server.ask(INITIATE, alice, i=named(ticket, buyerEmail="bob@example.com"))
    transfer = made["initiateTransfer"]["transfer"]
    assert transfer == {
        "id": transfer["id"],
        "status": "PENDING_OTP",
        "price": {"amount": "15.00", "currency": "EUR"},
        "sellerConfirmed": False,
        "buyerConfirmed": False,
        "disputeReason": None,
        "seller": {"id": ids.user_id(alice.id)},
        "buyer": {"id": ids.user_id(bob.id)},
        "seat": {"id": ids.seat_id(ticket.event_id, ticket.index)},
        "ticket": {"id": ids.ticket_id(ticket.event_id, ticket.id)},
    }
    about = {"transferId": transfer["id"]}
    codes = await codes_of(database, alice, bob)
    half = await server.ask(CONFIRM, bob, i={**about, "buyerOtp": codes["buyer_otp"]})
    assert half["confirmTransfer"]["transfer"]["buyerConfirmed"] is True
    assert half["confirmTransfer"]["transfer"]["ticket"] is None
    done = await server.ask(CONFIRM, alice, i={**about, "sellerOtp": codes["seller_otp"]})
    assert done["confirmTransfer"]["transfer"]["status"] == "COMPLETED"
    assert done["confirmTransfer"]["transfer"]["ticket"] is None
    said = await server.ask(DISPUTE, bob, i={**about, "reason": "No"})
    assert said["disputeTransfer"]["transfer"]["disputeReason"] == "No"
    rejected = await server.ask(REJECT, operator, i=about)
    assert rejected["rejectDispute"]["transfer"]["status"] == "COMPLETED"
    reversed_ = await server.ask(REVERSE, operator, i=about)
    assert reversed_["reverseTransfer"]["transfer"]["status"] == "REVERSED"
    again = (await server.ask(INITIATE, alice, i=named(ticket, buyerId=ids.user_id(bob.id))))[
        "initiateTransfer"
    ]
    cancelled = await server.ask(CANCEL, bob, i={"transferId": again["transfer"]["id"]})
    assert cancelled["cancelTransfer"]["transfer"]["status"] == "CANCELLED"
    assert await violations(database) == []


async def test_what_is_said_in_no_way_or_in_two_is_refused(
    database: Database, server: Server, alice: User, ticket: Ticket
) -> None:
    seat = ids.seat_id(ticket.event_id, ticket.index)
    before = await everything(database)
    for said, field in (
        (named(ticket, seatId=seat), "input.ticketId"),
        ({"price": "1.00"}, "input.ticketId"),
        (named(ticket, buyerId=ids.user_id(alice.id), buyerEmail="a@example.com"), "input.buyerId"),
        (named(ticket, price="1.001"), "input.price"),
        (named(ticket, price="-1.00", buyerEmail="a@example.com"), "input.price"),
    ):
        refused = (await server.ask(INITIATE, alice, i=said))["initiateTransfer"]
        assert (refused["code"], refused["field"]) == ("VALIDATION_ERROR", field)
    assert await everything(database) == before


@pytest.mark.parametrize("query", [REVERSE, REJECT])
async def test_only_who_runs_events_decides(
    database: Database, server: Server, alice: User, bob: User, ticket: Ticket, query: str
) -> None:
    transfer = await disputed(database, bob, await transferred(database, alice, ticket, bob))
    about = {"transferId": ids.transfer_id(transfer.event_id, transfer.id)}
    staff = await new_user(database, Role.STAFF)
    before = await everything(database)
    for person in (alice, bob, staff):
        assert (await server.error(query, person, i=about))["extensions"]["code"] == "FORBIDDEN"
    assert await everything(database) == before


async def test_thirty_aliases_of_one_wrong_code_are_thirty_tries(
    database: Database, server: Server, alice: User, bob: User, ticket: Ticket
) -> None:
    transfer = await initiated(database, alice, ticket, bob)
    id, wrong = ids.transfer_id(transfer.event_id, transfer.id), other_than(await code_sent_to(database, bob))
    aliases = " ".join(
        f"a{n}: confirmTransfer(input: {{transferId: $t, buyerOtp: $o}}) {{ ... on Refusal {{ code }} }}"
        for n in range(30)
    )
    answers = await server.ask(f"mutation ($t: ID!, $o: String!) {{ {aliases} }}", bob, t=id, o=wrong)
    codes = [answer["code"] for answer in answers.values()]
    assert codes == ["OTP_INVALID"] * 2 + ["OTP_MAX_RETRIES"] * 28


async def test_ones_own_transfers_are_listed_and_all_for_who_runs_events(
    database: Database, server: Server, alice: User, bob: User, ticket: Ticket
) -> None:
    carol, operator = await new_user(database, credits_minor=3_000), await new_user(database, Role.OPERATOR)
    first = await transferred(database, alice, ticket, bob)
    second = await initiated(database, bob, ticket, carol)
    found = {}
    for person in (alice, bob, carol, operator):
        answer = await server.ask(LIST, person)
        found[person.id] = [node["id"] for node in answer["transfers"]["nodes"]]
        assert answer["transfers"]["totalCount"] == len(found[person.id])
        assert answer["viewer"]["transfers"]["totalCount"] == (
            0 if person is operator else len(found[person.id])
        )
    old, new = (ids.transfer_id(each.event_id, each.id) for each in (first, second))
    assert list(found.values()) == [[old], [new, old], [new], [new, old]]
    event = ids.event_id(ticket.event_id)
    for wanted, ones in (
        ({"status": ["PENDING_OTP"]}, [new]),
        ({"userId": ids.user_id(alice.id)}, [old]),
        ({"eventId": event, "userId": ids.user_id(carol.id)}, [new]),
        ({"eventId": ids.event_id(alice.id)}, []),
    ):
        answer = await server.ask(LIST, operator, f=wanted)
        assert [node["id"] for node in answer["transfers"]["nodes"]] == ones
    error = await server.error(LIST, alice, f={"userId": ids.user_id(bob.id)})
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_the_history_of_a_ticket_tells_each_owner_their_part(
    database: Database, server: Server, alice: User, bob: User, ticket: Ticket
) -> None:
    carol, operator = await new_user(database, credits_minor=3_000), await new_user(database, Role.OPERATOR)
    staff, id = await new_user(database, Role.STAFF), ids.ticket_id(ticket.event_id, ticket.id)
    await transferred(database, alice, ticket, bob)
    await undone(database, await transferred(database, bob, ticket, carol))
    waiting = await initiated(database, bob, ticket, carol)
    people = {ids.user_id(person.id): name for person, name in ((alice, "a"), (bob, "b"), (carol, "c"))}
    told = {}
    for person in (bob, operator, staff):
        seen = (await server.ask(HISTORY, person, t=id))["ticket"]
        told[person.id] = [(event["what"], people[event["who"]["id"]]) for event in seen["history"]]
        assert bool(seen["pendingTransfer"]) == (person is not staff)
    own = [("TRANSFERRED", "b"), ("TRANSFERRED", "c"), ("TRANSFER_REVERSED", "b")]
    assert list(told.values()) == [own, [("PURCHASED", "a"), *own], []]
    assert waiting.status == "PENDING_OTP"


async def test_the_old_order_does_not_give_the_new_owner_away_nor_is_it_theirs_to_see(
    database: Database, server: Server, alice: User, bob: User, ticket: Ticket
) -> None:
    await transferred(database, alice, ticket, bob)
    order, mine = ids.order_id(ticket.event_id, ticket.order_id), ids.ticket_id(ticket.event_id, ticket.id)
    query = """query ($o: ID!, $t: ID!) { order(id: $o) { items { seat { id ticket { id } } } tickets { id }
        transactions { kind transfer { id } } } ticket(id: $t) { owner { id } order { id } }
        transactions { nodes { kind order { id } transfer { buyer { id } } } } }"""
    sellers = await server.ask(query, alice, o=order, t=mine)
    assert sellers["ticket"] is None
    assert sellers["order"]["tickets"] == []
    assert sellers["order"]["items"][0]["seat"]["ticket"] is None
    assert [each["kind"] for each in sellers["order"]["transactions"]] == ["PURCHASE"]
    buyers = await server.ask(query, bob, o=order, t=mine)
    assert buyers["order"] is None
    assert buyers["ticket"] == {"owner": {"id": ids.user_id(bob.id)}, "order": None}
    moved = buyers["transactions"]["nodes"][0]
    assert moved == {"kind": "TRANSFER", "order": None, "transfer": {"buyer": {"id": ids.user_id(bob.id)}}}


async def test_who_runs_events_cancels_for_anybody_and_a_refund_ends_a_tickets_history(
    database: Database, server: Server, alice: User, bob: User, ticket: Ticket
) -> None:
    operator, transfer = (
        await new_user(database, Role.OPERATOR),
        await initiated(database, alice, ticket, bob),
    )
    about = {"transferId": ids.transfer_id(transfer.event_id, transfer.id)}
    cancelled = await server.ask(CANCEL, operator, i=about)
    assert cancelled["cancelTransfer"]["transfer"]["status"] == "CANCELLED"
    before = await everything(database)
    again = await server.ask(CANCEL, alice, i=about)
    assert again["cancelTransfer"]["code"] == "TRANSFER_INVALID_STATE"
    assert await everything(database) == before
    (order,) = await database.rows("SELECT * FROM orders")
    await refund(database, alice, order_of(order))
    seen = await server.ask(HISTORY, alice, t=ids.ticket_id(ticket.event_id, ticket.id))
    assert [event["what"] for event in seen["ticket"]["history"]] == ["PURCHASED", "REFUNDED"]
