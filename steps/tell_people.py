"""Tell people of what happened to them: a letter, an SMS, or nothing, as each of them wants it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from asyncpg import Record

from database import Transaction
from messages.envelopes import Envelopes
from messages.message import Address, Draft
from models.deliveries import DeliveryKind
from models.notifications import WANTED_BY_DEFAULT, NotificationChannel, NotificationKind
from models.transactions import TRANSACTIONS_NOW
from steps.person_locks import UNTOLD_NOTIFICATIONS, WHO_CAN_BE_TOLD
from steps.welcome import NO_ADDRESS

BY_SMS = UUID("5f0c6b0e-6d0e-4f4b-9d53-0f5a3f0c7a11")
"""Of it and a notification's id the id of its SMS is made; its e-mail has the notification's own."""

AN_HOUR_MAX = {DeliveryKind.EMAIL: 100, DeliveryKind.SMS: 10}
"""How much one person is sent: else anybody could have a stranger's address or number written to, all day."""

THERE = "SELECT id FROM users WHERE id = ANY($1::uuid[])"
OTHERS = "SELECT id, email, username, full_name FROM users WHERE id = ANY($1::uuid[])"
PREFERENCES = "SELECT * FROM notification_preferences WHERE user_id = ANY($1::uuid[])"
SENT = """
    SELECT owner_id, kind, count(*)::int AS sent FROM deliveries
    WHERE owner_id = ANY($1::uuid[]) AND created_at > statement_timestamp() - interval '1 hour'
    GROUP BY owner_id, kind"""
AMOUNTS = f"""
    SELECT t.user_id, t.id, t.amount_minor, t.currency FROM unnest($1::uuid[], $2::uuid[]) AS n (user_id, id)
    CROSS JOIN LATERAL (SELECT * FROM {TRANSACTIONS_NOW} AS t
        WHERE t.user_id = n.user_id AND t.id = n.id) AS t"""

EVENTS = """
    SELECT e.id, e.name, e.starts_at, e.ends_at, e.timezone, h.name AS hall, v.name AS venue, v.address
    FROM events e JOIN halls h ON h.id = e.hall_id JOIN venues v ON v.id = h.venue_id
    WHERE e.id = ANY($1::uuid[])"""
ORDERS = """
    SELECT o.* FROM orders o JOIN unnest($1::uuid[], $2::uuid[]) AS n (event_id, id) USING (event_id, id)"""
TRANSFERS = """
    SELECT t.* FROM transfers t
    JOIN unnest($1::uuid[], $2::uuid[]) AS n (event_id, id) USING (event_id, id)"""
TICKETS = """
    SELECT t.event_id, t.id, t.order_id, t.owner_id, t.reference, t.price_minor, t.currency,
        s.section, s.row, s.number, i.name AS tier
    FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS n (event_id, key)) n
    JOIN tickets t ON t.event_id = n.event_id AND t.{key} = n.key
    JOIN seats s ON s.event_id = t.event_id AND s.index = t.index
    JOIN tiers i ON i.event_id = s.event_id AND i.number = s.tier
    ORDER BY t.event_id, t.index"""

WRITE = """
    INSERT INTO deliveries (owner_id, id, kind, recipient, sealed)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bytea[])
    ON CONFLICT (owner_id, id) DO NOTHING"""
TOLD = """
    UPDATE notifications n SET told_at = statement_timestamp()
    FROM unnest($1::uuid[], $2::uuid[]) AS t (user_id, id) WHERE n.user_id = t.user_id AND n.id = t.id"""


@dataclass(frozen=True)
class News:
    """A notification, whose it is, and the rows that it is about, as far as they are there."""

    notification: Record
    user: Record
    event: Record | None = None
    order: Record | None = None
    tickets: Sequence[Record] = ()
    transfer: Record | None = None
    other: Record | None = None
    amount: Record | None = None


FactsOf = Callable[[News], Mapping[str, Any] | None]
"""What a letter says of news; None when what it is about is gone."""


async def tell_people(
    tx: Transaction, *, envelopes: Envelopes, facts_of: FactsOf, notifications_max: int
) -> int:
    """Write the deliveries that people want of notifications which nobody has looked at; return how many
    these were.

    Nobody is told who is deactivated, nor who was sent very much in the last hour. Whom another transaction
    changes just now is left to the next round.
    """
    untold = await tx.rows(UNTOLD_NOTIFICATIONS, notifications_max)
    people = [row["user_id"] for row in untold]
    users = {row["id"]: row for row in await tx.rows(WHO_CAN_BE_TOLD, people)}
    there = {row["id"] for row in await tx.rows(THERE, people)}
    looked_at = [row for row in untold if row["user_id"] in users or row["user_id"] not in there]
    wanted = _Wanted(await tx.rows(PREFERENCES, people), sends=envelopes.sends)
    told = [row for row in looked_at if any(wanted.addresses(row, users.get(row["user_id"])))]
    rows, allowance = [], _Allowance(await tx.rows(SENT, people))
    for news in await _news(tx, told, users):
        facts = facts_of(news)
        if facts is not None:
            ways = wanted.addresses(news.notification, news.user)
            allowed = [to for to in ways if allowance.takes(news.user["id"], to.kind)]
            rows += [_delivery(envelopes, news, to, facts) for to in allowed]
    if rows:
        await tx.rows(WRITE, *zip(*rows, strict=True))
    if looked_at:
        await tx.rows(TOLD, *_columns(looked_at, "user_id", "id"))
    return len(looked_at)


class _Wanted:
    """By which channels people want to hear of what, and can."""

    def __init__(self, preferences: Sequence[Record], *, sends: Set[DeliveryKind]) -> None:
        self._said = {(p["user_id"], p["kind"], p["channel"]): p["wanted"] for p in preferences}
        self._sends = sends

    def addresses(self, notification: Record, user: Record | None) -> Iterator[Address]:
        """Where a person is to be told of a notification."""
        if user is None or not user["active"]:
            return
        mail, phone = user["email"], user["phone"]
        if not mail.endswith(NO_ADDRESS) and self._is_by(notification, NotificationChannel.EMAIL):
            yield Address(DeliveryKind.EMAIL, mail)
        if phone and self._is_by(notification, NotificationChannel.SMS):
            yield Address(DeliveryKind.SMS, phone)

    def _is_by(self, notification: Record, channel: NotificationChannel) -> bool:
        kind = NotificationKind(notification["kind"])
        default = WANTED_BY_DEFAULT[kind, channel]
        is_wanted = self._said.get((notification["user_id"], kind.value, channel.value), default)
        return bool(is_wanted) and DeliveryKind(channel.value) in self._sends


class _Allowance:
    """How much more people may be sent now."""

    def __init__(self, sent: Sequence[Record]) -> None:
        self._sent = Counter({(row["owner_id"], row["kind"]): row["sent"] for row in sent})

    def takes(self, user_id: UUID, kind: DeliveryKind) -> bool:
        """Say whether one more may be sent, and count it."""
        self._sent[user_id, kind.value] += 1
        return self._sent[user_id, kind.value] <= AN_HOUR_MAX[kind]


def _delivery(envelopes: Envelopes, news: News, to: Address, facts: Mapping[str, Any]) -> tuple[Any, ...]:
    user, id = news.user, news.notification["id"]
    delivery_id = id if to.kind is DeliveryKind.EMAIL else uuid5(BY_SMS, str(id))
    draft = Draft(to, user["language"], news.notification["kind"].lower(), facts, delivery_id)
    return user["id"], draft.id, to.kind.value, to.at, envelopes.close(user["id"], draft)


async def _news(tx: Transaction, told: Sequence[Record], users: Mapping[UUID, Record]) -> list[News]:
    """What each notification is about; tables of an event and of a person are read one after the other."""
    if not told:
        return []
    events = {row["id"]: row for row in await tx.rows(EVENTS, [n["event_id"] for n in told])}
    orders = await _by_key(tx, ORDERS, told, "event_id", "order_id")
    transfers = await _by_key(tx, TRANSFERS, told, "event_id", "transfer_id")
    amounts = await _by_key(tx, AMOUNTS, told, "user_id", "transaction_id")
    tickets = await _tickets(tx, told)
    parties = [transfer[party] for transfer in transfers.values() for party in ("seller_id", "buyer_id")]
    people = {row["id"]: row for row in await tx.rows(OTHERS, parties)} if parties else {}
    found = []
    for n in told:
        transfer = transfers.get((n["event_id"], n["transfer_id"]))
        news = News(
            notification=n,
            user=users[n["user_id"]],
            event=events.get(n["event_id"]),
            order=orders.get((n["event_id"], n["order_id"])),
            tickets=tickets[n["id"]],
            transfer=transfer,
            other=people.get(_other_id(transfer, n["user_id"])) if transfer else None,
            amount=amounts.get((n["user_id"], n["transaction_id"])),
        )
        found.append(news)
    return found


async def _tickets(tx: Transaction, told: Sequence[Record]) -> dict[UUID, list[Record]]:
    """The ticket that a notification names, or those of a confirmed order that its buyer still has."""
    found = defaultdict[UUID, list[Record]](list)
    for n, ticket in await _of_each(tx, "id", "ticket_id", [n for n in told if n["ticket_id"]]):
        found[n["id"]].append(ticket)
    confirmed = [n for n in told if n["kind"] == NotificationKind.ORDER_CONFIRMED]
    for n, ticket in await _of_each(tx, "order_id", "order_id", confirmed):
        if ticket["owner_id"] == n["user_id"]:
            found[n["id"]].append(ticket)
    return found


async def _of_each(
    tx: Transaction, key: str, named: str, about: Sequence[Record]
) -> list[tuple[Record, Record]]:
    """Each notification with each ticket whose `key` it names."""
    statement = TICKETS.format(key=key)
    rows = await tx.rows(statement, *_columns(about, "event_id", named)) if about else []
    return [(n, t) for n in about for t in rows if (t["event_id"], t[key]) == (n["event_id"], n[named])]


def _other_id(transfer: Record, user_id: UUID) -> UUID:
    other_id: UUID = transfer["buyer_id" if transfer["seller_id"] == user_id else "seller_id"]
    return other_id


async def _by_key(
    tx: Transaction, statement: str, told: Iterable[Record], of: str, named: str
) -> dict[tuple[UUID, UUID], Record]:
    about = [n for n in told if n[named]]
    rows = await tx.rows(statement, *_columns(about, of, named)) if about else []
    return {(row[of], row["id"]): row for row in rows}


def _columns(rows: Iterable[Record], *names: str) -> list[list[Any]]:
    listed = list(rows)
    return [[row[name] for row in listed] for name in names]
