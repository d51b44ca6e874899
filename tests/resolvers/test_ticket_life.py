"""What becomes of tickets through the API: what may be done with one, and what the mutations say to it."""

from typing import Any

import pytest

from database import Database
from models.tickets import Ticket, ticket_of
from models.users import Role, User
from payments.simulated import SimulatedProvider
from schema import ids
from settings import Settings
from steps.confirm import confirm_order
from steps.transact import transact
from tests.cards import bought_by_card, opened_for
from tests.doors import checked_in, ticket_at, undone
from tests.serving import Server, serving
from tests.transfers import bought, credits_of, disputed, initiated, transferred
from tests.world import hold, new_event, new_user

CODE = "query ($t: ID!) { ticket(id: $t) { qrUnavailable } }"
ACTIONS = "query ($t: ID!) { ticket(id: $t) { availableActions } }"


def mutation(
    name: str, kind: str = "TicketInput", answer: str = "TicketPayload { ticket { id status } }"
) -> str:
    return f"""mutation ($i: {kind}!) {{ {name}(input: $i) {{ __typename
        ... on {answer} ... on Refusal {{ code message }} }} }}"""


CANCEL, REFUND = mutation("cancelTicket"), mutation("refundTicket")
TRANSFER = mutation("initiateTransfer", "InitiateTransferInput", "TransferPayload { transfer { status } }")
DELETE = mutation("deleteTicket", answer="DeletePayload { deletedId }")
HISTORY = "query ($t: ID!) { ticket(id: $t) { history { what who { id } } } }"
WAYS = {"CANCEL": CANCEL, "REFUND": REFUND, "TRANSFER": TRANSFER}


def id_of(ticket: Ticket) -> str:
    return ids.ticket_id(ticket.event_id, ticket.id)


async def actions(server: Server, viewer: User, ticket: Ticket) -> set[str]:
    seen = await server.ask(ACTIONS, viewer, t=id_of(ticket))
    return set(seen["ticket"]["availableActions"]) if seen["ticket"] else set()


async def done(server: Server, query: str, caller: User, ticket: Ticket, **more: Any) -> Any:
    (answer,) = (await server.ask(query, caller, i={"ticketId": id_of(ticket), **more})).values()
    return answer


async def test_an_owner_cancels_and_has_paid_back_through_the_api(database: Database, server: Server) -> None:
    alice, event = await new_user(database, credits_minor=5_000), await new_event(database)
    first, second = [await bought(database, alice, event, index) for index in range(2)]
    for _ in range(2):
        answer = await done(server, CANCEL, alice, first, idempotencyKey="k")
        assert answer["ticket"] == {"id": id_of(first), "status": "CANCELLED"}
        answer = await done(server, REFUND, alice, second, idempotencyKey="k")
        assert answer["ticket"] == {"id": id_of(second), "status": "REFUNDED"}
    assert await credits_of(database, alice) == 4_000


async def test_a_house_may_pay_back_what_is_cancelled(database: Database, settings: Settings) -> None:
    alice = await new_user(database, credits_minor=1_000)
    ticket = await bought(database, alice)
    async with serving(settings.model_copy(update={"cancelled_tickets_paid_back": True})) as server:
        assert {"CANCEL", "REFUND"} <= await actions(server, alice, ticket)
        answer = await done(server, CANCEL, alice, ticket)
    assert (answer["ticket"]["status"], await credits_of(database, alice)) == ("REFUNDED", 1_000)


async def test_strangers_and_staff_may_do_nothing(database: Database, server: Server) -> None:
    alice, staff = await new_user(database, credits_minor=1_000), await new_user(database, Role.STAFF)
    ticket, stranger = await bought(database, alice), await new_user(database)
    for caller in (staff, stranger):
        assert await actions(server, caller, ticket) == set()
        for query in (CANCEL, REFUND):
            assert (await done(server, query, caller, ticket))["code"] == "TICKET_NOT_FOUND"


async def a_ticket_that_is(database: Database, state: str, alice: User, bob: User) -> Ticket:
    """A ticket of alice's that something has happened to."""
    event, provider = await new_event(database), SimulatedProvider(database, "a secret")
    if state == "being paid":
        await opened_for(database, await hold(database, alice, event, [0]))
    elif state == "by card":
        await bought_by_card(database, alice, event, provider, 0)
    elif state == "from a counter":
        held = await hold(database, alice, event, [0])
        await transact(database, confirm_order, cashier_id=bob.id, event_id=event.id, order_id=held.id)
    else:
        await bought(database, alice, event)
    ticket = ticket_of(await ticket_at(database, event.id))
    match state:
        case "used":
            await checked_in(database, await ticket_at(database, event.id))
        case "offered":
            await initiated(database, alice, ticket, bob)
        case "disputed":
            await transferred(database, alice, ticket, bob, price_minor=0)
            await disputed(database, alice, await transferred(database, bob, ticket, alice, price_minor=0))
        case "too often given":
            await transferred(database, alice, ticket, bob, price_minor=0)
            await transferred(database, bob, ticket, alice, price_minor=0)
            await transferred(database, alice, ticket, bob, price_minor=0)
        case "given" | "given from a counter":
            await transferred(database, alice, ticket, bob, price_minor=0)
    changes = {
        "near": "UPDATE events SET starts_at = statement_timestamp() + interval '2 hours'",
        "about to begin": "UPDATE events SET starts_at = statement_timestamp() + interval '5 minutes'",
        "begun": "UPDATE events SET starts_at = statement_timestamp() - interval '5 minutes'",
        "over": """UPDATE events SET starts_at = statement_timestamp() - interval '2 hours',
                       ends_at = statement_timestamp() - interval '1 hour'""",
        "called off": "UPDATE events SET status = 'CANCELLED'",
    }
    if state in changes:
        async with database.transaction() as tx:
            await tx.rows(changes[state])
    return ticket


@pytest.mark.parametrize(
    "state",
    [
        *("good", "by card", "from a counter", "being paid", "used", "offered", "disputed", "given"),
        *("too often given", "near", "about to begin", "begun", "over", "called off"),
    ],
)
async def test_what_may_be_done_is_what_the_mutations_do(
    database: Database, server: Server, state: str
) -> None:
    operator = await new_user(database, Role.OPERATOR)
    for who in ("alice", "bob", "operator"):
        for action, query in WAYS.items():
            alice, bob = [await new_user(database, credits_minor=5_000) for _ in range(2)]
            caller = {"alice": alice, "bob": bob, "operator": operator}[who]
            ticket = await a_ticket_that_is(database, state, alice, bob)
            may = action in await actions(server, caller, ticket)
            seen = await server.ask(CODE, caller, t=id_of(ticket))
            has_code = seen["ticket"] is not None and seen["ticket"]["qrUnavailable"] is None
            assert ("SHOW_QR" in await actions(server, caller, ticket)) == has_code
            to = alice if caller is bob else bob
            more = {"buyerId": ids.user_id(to.id), "price": "0"} if action == "TRANSFER" else {}
            answer = await done(server, query, caller, ticket, **more)
            assert may == ("code" not in answer), (state, who, action, answer)


async def test_a_history_tells_of_the_door_to_who_had_the_ticket_then(
    database: Database, server: Server
) -> None:
    alice, bob = [await new_user(database, credits_minor=5_000) for _ in range(2)]
    operator = await new_user(database, Role.OPERATOR)
    ticket = await bought(database, alice)
    await checked_in(database, await ticket_at(database, ticket.event_id))
    await undone(database, await ticket_at(database, ticket.event_id))
    await transferred(database, alice, ticket, bob)
    await checked_in(database, await ticket_at(database, ticket.event_id))
    await undone(database, await ticket_at(database, ticket.event_id))
    await done(server, REFUND, bob, ticket)
    first, second = ["PURCHASED", "SCANNED", "CHECK_IN_UNDONE"], ["SCANNED", "CHECK_IN_UNDONE", "REFUNDED"]
    told = {"operator": [*first, "TRANSFERRED", *second], "bob": ["TRANSFERRED", *second]}
    for caller, expected in ((operator, told["operator"]), (bob, told["bob"])):
        seen = await server.ask(HISTORY, caller, t=id_of(ticket))
        assert [happened["what"] for happened in seen["ticket"]["history"]] == expected


async def test_only_an_admin_deletes_a_ticket(database: Database, server: Server) -> None:
    alice, admin = await new_user(database, credits_minor=5_000), await new_user(database, Role.ADMIN)
    operator, ticket = await new_user(database, Role.OPERATOR), await bought(database, alice)
    assert (await done(server, DELETE, admin, ticket))["code"] == "TICKET_INVALID_STATE"
    await done(server, CANCEL, alice, ticket)
    error = await server.error(DELETE, operator, i={"ticketId": id_of(ticket)})
    assert error["extensions"]["code"] == "FORBIDDEN"
    assert (await done(server, DELETE, admin, ticket))["deletedId"] == id_of(ticket)
    seen = await server.ask(
        "query ($t: ID!) { ticket(id: $t) { id } node(id: $t) { id } }", admin, t=id_of(ticket)
    )
    assert seen == {"ticket": None, "node": None}
