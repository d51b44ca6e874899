"""A house in which alice has one of everything, each personal column with words that nobody else has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from database import Database
from models.money import to_major
from models.orders import Order
from models.users import Role, User
from schema import ids
from steps.cancel import cancel_order
from steps.mark_read import mark_read
from steps.service_clients import make_service_client
from steps.transact import transact
from steps.update_user import update_user
from steps.webhook_endpoints import disable_endpoint, rotate_secret
from tests.carts import put_places, put_seats, set_price
from tests.codes import CODES, flagged_user, order_reference, requested
from tests.doors import checked_in, ticket_at, undone
from tests.people import logged_in
from tests.receiving import SECRETS, added
from tests.serving import Server
from tests.transfers import bought, disputed, initiated, transferred
from tests.world import CURRENCY, hold, let_lapse, new_draft, new_event, new_user, pay, priced, refund

READERS = ("anonymous", "SERVICE", "USER", "owner", "STAFF", "OPERATOR", "ADMIN")
"""Whom the walks go as: the owner is alice, and USER a stranger with a session and orders of their own."""

EMAIL, USER_NAME, FULL_NAME, PHONE = "alice-sekret@example.com", "alicia77", "Alice Sekretova", "+4930557719"
DEVICE, DRAFT_NAME, DRAFT_CATEGORY = "Alices Telephon", "Unsaid Premiere", "Unheard-of"
DISPUTE_REASON = "The wrong Saturday"
CREDITS_MINOR = 7_654_321
KIND_CHARACTERS, EVENT_CHARACTERS = 3, 23
"""In the ids of all things of an event the characters between these are the same."""

GIVE_UP = """
    UPDATE deliveries SET state = 'DEAD', expires_at = NULL, answer_status = 550, answer = $2
    WHERE (owner_id, id) = (SELECT owner_id, id FROM deliveries WHERE owner_id = $1 ORDER BY id LIMIT 1)"""

Ids = dict[str, list[str]]
"""Global ids by what the API calls such a thing: event, order, seat …"""


@dataclass(frozen=True)
class House:
    """What a walk begins with: who asks, what there is of alice, and what each of the others has."""

    tokens: dict[str, str | None]
    alices: Ids
    own: dict[str, set[str]]
    secrets: dict[str, list[str]]
    """What strangers must not read, by what it is of."""
    cursors: list[str]
    """Places in alice's lists."""

    @property
    def words(self) -> list[str]:
        """What somebody might search for."""
        return [EMAIL, USER_NAME, FULL_NAME, DRAFT_NAME, self.secrets["order"][0], "Theatre", "Parkett"]


def strangers_ids() -> Ids:
    """Ids of each kind that name nothing."""
    event, thing = uuid4(), uuid4()
    return {
        "event": [ids.event_id(event)],
        "venue": [ids.venue_id(thing)],
        "hall": [ids.hall_id(thing)],
        "user": [ids.user_id(thing)],
        "tier": [ids.tier_id(event, 0)],
        "seat": [ids.seat_id(event, 0)],
        "tier of order": [ids.tier_id(event, 0)],
        "seat of order": [ids.seat_id(event, 0)],
        "order": [ids.order_id(event, thing)],
        "ticket": [ids.ticket_id(event, thing)],
        "transfer": [ids.transfer_id(event, thing)],
        "session": [ids.session_id(thing, uuid4())],
        "transaction": [ids.transaction_id(thing, uuid4())],
        "notification": [ids.notification_id(thing, uuid4())],
        "cart": [ids.cart_id(thing)],
        "item": [ids.cart_item_id(thing)],
        "entry": [ids.entry_id(event, thing)],
        "endpoint": [ids.endpoint_id(thing)],
        "delivery": [ids.delivery_id(thing, uuid4())],
    }


async def alices_house(database: Database, server: Server) -> House:
    """Build it by the steps of life."""
    people = {role.value: await new_user(database, role) for role in (Role.STAFF, Role.OPERATOR, Role.ADMIN)}
    people["owner"] = alice = await new_user(database, credits_minor=CREDITS_MINOR, email=EMAIL)
    people["USER"] = await new_user(database, credits_minor=100_000)
    await transact(
        database,
        update_user,
        caller_id=alice.id,
        any_user=False,
        user_id=alice.id,
        changes={"username": USER_NAME, "full_name": FULL_NAME, "phone": PHONE},
        codes=CODES,
    )
    await _what_alice_has(database, alice, people["USER"])
    for name, person in people.items():
        await logged_in(database, person, DEVICE if name == "owner" else "a desk")
    client_id, _ = await transact(database, make_service_client, name="the till")
    make = server.app.state.house.tokens.make
    service = make(client_id, frozenset({Role.SERVICE}), client_id)
    own = {name: set(flat(await _things_of(database, person.id))) for name, person in people.items()}
    alices = await _things_of(database, alice.id) | await _catalogue(database) | await _endpoints(database)
    return House(
        {"anonymous": None, "SERVICE": service} | {name: server.token(user) for name, user in people.items()},
        alices,
        own | {"anonymous": set(), "SERVICE": set()},
        await _secrets(database, alice, alices),
        await _cursors(server, alice),
    )


async def _what_alice_has(database: Database, alice: User, other: User) -> None:
    """Orders in every state, tickets, a scan, transfers, a code; at the same event an order and a ticket of
    another."""
    now = datetime.now(UTC)
    sale = {"sales_start_at": now - timedelta(days=1), "sales_end_at": now + timedelta(days=9)}
    event = await new_event(database, await priced(2, 5, standing=5), description="A play.", **sale)
    await new_draft(database, name=DRAFT_NAME, category=DRAFT_CATEGORY)
    await let_lapse(database, await hold(database, alice, event, [0]))
    await transact(database, cancel_order, **_of(alice, await hold(database, alice, event, [1])))
    await pay(database, alice, await hold(database, alice, event, [2, 10]))
    await checked_in(database, ticket := await ticket_at(database, event.id, 2))
    await undone(database, ticket)
    await refund(database, alice, await pay(database, alice, await hold(database, alice, event, [4])))
    await pay(database, other, await hold(database, other, event, [5]))
    friend = await new_user(database, credits_minor=100_000)
    given = await transferred(database, alice, await bought(database, alice, event, 7), friend)
    await disputed(database, friend, given, reason=DISPUTE_REASON)
    await initiated(database, friend, await bought(database, alice, event, 8), by_seat=True)
    await hold(database, other, event, [6])
    await transact(database, mark_read, user_id=alice.id, named=None)
    await put_places(database, alice, event, 1, 2)
    await put_seats(database, alice, event, 7)
    await set_price(database, event, 1_100)
    await requested(
        database,
        await flagged_user(database, alice),
        order_reference(await hold(database, alice, event, [3])),
    )
    async with database.transaction() as tx:
        await tx.rows(GIVE_UP, alice.id, "550 no such mailbox")


def _of(buyer: User, order: Order) -> dict[str, Any]:
    return {"caller_id": buyer.id, "any_buyer": False, "event_id": order.event_id, "order_id": order.id}


async def _things_of(database: Database, user_id: UUID) -> Ids:
    orders = await database.rows("SELECT event_id, id FROM orders WHERE buyer_id = $1 ORDER BY id", user_id)
    tickets = await database.rows("SELECT * FROM tickets WHERE owner_id = $1 ORDER BY id", user_id)
    transfers = await database.rows(
        "SELECT event_id, id FROM transfers WHERE $1 IN (seller_id, buyer_id)", user_id
    )
    sessions = await database.rows("SELECT user_id, id FROM sessions WHERE user_id = $1", user_id)
    movements = await database.rows("SELECT user_id, id FROM movements WHERE user_id = $1", user_id)
    notices = await database.rows("SELECT user_id, id FROM notifications WHERE user_id = $1", user_id)
    items = await database.rows("SELECT id FROM cart_items WHERE user_id = $1 ORDER BY id", user_id)
    return {
        "user": [ids.user_id(user_id)],
        "order": [ids.order_id(*row) for row in orders],
        "ticket": [ids.ticket_id(row["event_id"], row["id"]) for row in tickets],
        "transfer": [ids.transfer_id(*row) for row in transfers],
        "session": [ids.session_id(*row) for row in sessions],
        "transaction": [ids.transaction_id(*row) for row in movements],
        "notification": [ids.notification_id(*row) for row in notices],
        "cart": [ids.cart_id(user_id)],
        "item": [ids.cart_item_id(row["id"]) for row in items],
    }


async def _endpoints(database: Database) -> Ids:
    """An endpoint that fails and had another secret, and one that is disabled."""
    (failing, _), (disabled, _) = [await added(database, "http://127.0.0.1:9/hook") for _ in range(2)]
    given = {"secrets": SECRETS, "endpoint_id": failing, "overlap_hours": 1}
    await transact(database, rotate_secret, **given)
    await transact(database, disable_endpoint, endpoint_id=disabled)
    async with database.transaction() as tx:
        await tx.rows("UPDATE webhook_endpoints SET failing_since = created_at WHERE id = $1", failing)
    return {"endpoint": [ids.endpoint_id(failing), ids.endpoint_id(disabled)]}


async def _catalogue(database: Database) -> Ids:
    """What belongs to nobody; the draft is the first of the events."""
    events = await database.rows("SELECT id FROM events ORDER BY status = 'PUBLISHED'")
    tiers = await database.rows("SELECT event_id, number FROM tiers ORDER BY 1, 2")
    seats = await database.rows("SELECT event_id, index FROM seats WHERE index IN (2, 3, 4, 5, 10)")
    halls = await database.rows("SELECT id, venue_id FROM halls")
    entries = await database.rows("SELECT event_id, id FROM scans")
    dead = await database.rows("SELECT owner_id, id FROM deliveries WHERE state = 'DEAD'")
    return {
        "event": [ids.event_id(row["id"]) for row in events],
        "tier": [ids.tier_id(*row) for row in tiers],
        "seat": [ids.seat_id(*row) for row in seats],
        "hall": [ids.hall_id(row["id"]) for row in halls],
        "venue": [ids.venue_id(row["venue_id"]) for row in halls],
        "entry": [ids.entry_id(*row) for row in entries],
        "delivery": [ids.delivery_id(*row) for row in dead],
    }


async def _secrets(database: Database, alice: User, alices: Ids) -> dict[str, list[str]]:
    orders = await database.rows("SELECT reference FROM orders WHERE buyer_id = $1", alice.id)
    tickets = await database.rows("SELECT reference FROM tickets WHERE owner_id = $1", alice.id)
    accounts = await database.rows("SELECT balance_minor FROM accounts WHERE user_id = $1", alice.id)
    return {
        "e-mail": [EMAIL.partition("@")[0]],
        "user name": [USER_NAME],
        "name": [FULL_NAME],
        "phone": [PHONE],
        "device": [DEVICE],
        "credits": [str(to_major(row["balance_minor"], CURRENCY)) for row in accounts],
        "order": [*(row["reference"] for row in orders), *alices["order"]],
        "ticket": [*(row["reference"] for row in tickets), *alices["ticket"]],
        "transfer": [DISPUTE_REASON, *alices["transfer"]],
        "account": alices["user"],
        "session": alices["session"],
        "cart": alices["item"],
        "notification": alices["notification"],
        "draft": [DRAFT_NAME, DRAFT_CATEGORY, alices["event"][0][KIND_CHARACTERS:EVENT_CHARACTERS]],
    }


async def _cursors(server: Server, alice: User) -> list[str]:
    names = ("orders", "tickets", "transfers")
    lists = " ".join(f"{name}(first: 1) {{ pageInfo {{ endCursor }} }}" for name in names)
    found = await server.ask(f"{{ {lists} }}", alice)
    return [found[name]["pageInfo"]["endCursor"] for name in names]


def flat(known: Ids) -> Iterator[str]:
    for found in known.values():
        yield from found
