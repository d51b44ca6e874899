"""A cart as it is today: what is in it, what that costs now, and what changed since it was put in."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record

from database import Transaction
from models.carts import IS_LAPSED, CartItem
from models.catalogue import EVENTS_NOW, EventStatus
from models.columns import plain_row
from models.money import to_major
from steps.hold import Limits
from steps.person_locks import LAPSED_CARTS, lock_cart
from steps.refusals import RefusalCode, Refused

ITEMS = f"""
    SELECT i.* FROM carts c JOIN cart_items i ON i.user_id = c.user_id
    WHERE c.user_id = ANY($1::uuid[]) AND NOT c.{IS_LAPSED} ORDER BY i.user_id, i.id"""
"""What is in the carts of these people."""

FACTS = f"""
    SELECT e.name, e.status, s.section, s.row, s.number AS seat, t.number AS tier, t.name AS tier_name,
        t.price_minor, t.currency, t.general_admission, t.first_index
    FROM unnest($1::uuid[], $2::int[], $3::int[]) WITH ORDINALITY AS w (event_id, index, tier, place)
    LEFT JOIN {EVENTS_NOW} e ON e.id = w.event_id
    LEFT JOIN seats s ON s.event_id = w.event_id AND s.index = w.index
    LEFT JOIN tiers t ON t.event_id = w.event_id AND t.number = coalesce(w.tier, s.tier)
    ORDER BY w.place"""
"""Of each wish, by $1 event and $2 seat's index or $3 tier, what is true today; null of what is not there."""

KEEP_ONLY = """
    WITH changed AS (UPDATE carts SET changed_at = statement_timestamp() WHERE user_id = $1)
    DELETE FROM cart_items WHERE user_id = $1 AND NOT id = ANY($2::uuid[])"""

Wish = tuple[UUID, int | None, int | None]
"""An event and either a seat's index or a tier of general admission."""
Read = Callable[..., Awaitable[Sequence[Record]]]
"""What runs a statement with its values and returns the rows."""


@dataclass(frozen=True)
class Notice:
    """Something that changed without the person's doing; `item_id` is what it is about."""

    item_id: UUID
    message: str


@dataclass(frozen=True)
class Line:
    """What is in a cart, with what is true of it today."""

    item: CartItem
    today: Record

    @property
    def tier(self) -> int:
        number: int = self.today["tier"]
        return number

    @property
    def subtotal_minor(self) -> int:
        price: int = self.today["price_minor"]
        return price * self.item.quantity

    @property
    def label(self) -> str:
        """What it is called to a person."""
        if self.item.index is None:
            return str(self.today["tier_name"])
        return f"{self.today['section']}, row {self.today['row']}, seat {self.today['seat']}"

    @property
    def notice(self) -> Notice | None:
        """What to say of its price, if that is not what it was when it was put in."""
        now, before, currency = self.today["price_minor"], self.item.price_minor, self.today["currency"]
        if now == before:
            return None
        prices = [f"{to_major(minor, currency)} {currency}" for minor in (now, before)]
        price = f"costs {prices[0]} now; it was {prices[1]} when you put it in"
        return Notice(self.item.id, f"{self.today['name']}: {self.label} {price}.")


@dataclass(frozen=True)
class CartNow:
    """A cart at this moment; what `fell_out` is not in it, and is told until the cart is next changed."""

    lines: tuple[Line, ...] = ()
    fell_out: tuple[Notice, ...] = ()

    @property
    def notices(self) -> list[Notice]:
        return [*self.fell_out, *(notice for line in self.lines if (notice := line.notice))]

    def line(self, item_id: UUID) -> Line:
        """Find a line by its item, or refuse."""
        for line in self.lines:
            if line.item.id == item_id:
                return line
        raise Refused(RefusalCode.CART_ITEM_NOT_FOUND)

    def refuse_too_many(self, event_id: UUID, quantity: int, limits: Limits, but: UUID | None) -> None:
        """Refuse so many seats at an event, beside those of all lines `but` one, as an order cannot have."""
        others = [line.item for line in self.lines if line.item.event_id == event_id and line.item.id != but]
        if quantity + sum(item.quantity for item in others) > (most := limits.seats_per_order_max):
            raise Refused(
                RefusalCode.TOO_MANY_SEATS, f"An order has at most {most} seats, so a cart too, of one event."
            )


async def facts_of(read: Read, wishes: Sequence[Wish]) -> Sequence[Record]:
    """Read what is true today of each wish."""
    columns = zip(*wishes, strict=True) if wishes else ((), (), ())
    return await read(FACTS, *columns)


async def carts_now(read: Read, user_ids: Sequence[UUID]) -> dict[UUID, CartNow]:
    """Read the carts of these people: what they want, and then what is true of that."""
    items = [plain_row(CartItem, row) for row in await read(ITEMS, user_ids)]
    facts = await facts_of(read, [(item.event_id, item.index, item.tier) for item in items])
    lines: dict[UUID, list[Line]] = defaultdict(list)
    fell_out: dict[UUID, list[Notice]] = defaultdict(list)
    for item, today in zip(items, facts, strict=True):
        if (why := _why_gone(today)) is None:
            lines[item.user_id].append(Line(item, today))
        else:
            fell_out[item.user_id].append(Notice(item.id, why))
    return {user: CartNow(tuple(lines[user]), tuple(fell_out[user])) for user in user_ids}


def _why_gone(today: Record) -> str | None:
    if today["status"] is None:
        return "An event is not there any more; what you wanted of it has left the cart."
    if today["status"] == EventStatus.CANCELLED:
        return f"{today['name']} is cancelled; it has left the cart."
    if today["status"] != EventStatus.PUBLISHED:
        return f"{today['name']} is over; it has left the cart."
    if today["tier"] is None:
        return f"A seat of {today['name']} is not there any more; it has left the cart."
    return None


async def lock_and_read(tx: Transaction, user_id: UUID) -> CartNow:
    """Lock a person's cart, so that nobody else changes it or checks it out, and read it."""
    await lock_cart(tx, user_id)
    if not await tx.value("SELECT true FROM users WHERE id = $1", user_id):  # deleted a moment ago
        raise Refused(RefusalCode.USER_NOT_FOUND)
    return (await carts_now(tx.rows, [user_id]))[user_id]


async def keep_only(tx: Transaction, user_id: UUID, item_ids: Collection[UUID]) -> None:
    """Let a locked cart have no other items than these, for 30 days from now."""
    await tx.rows(KEEP_ONLY, user_id, item_ids)


async def forget_carts(tx: Transaction, *, carts_max: int) -> int:
    """Delete carts that nobody has changed for 30 days, at most so many; return how many."""
    deleted: int = await tx.value(
        f"""WITH lapsed AS MATERIALIZED ({LAPSED_CARTS}
            ), emptied AS (
                DELETE FROM cart_items i USING lapsed WHERE i.user_id = lapsed.user_id
            ), gone AS (
                DELETE FROM carts c USING lapsed WHERE c.user_id = lapsed.user_id RETURNING 1
            )
            SELECT count(*) FROM gone""",
        carts_max,
    )
    return deleted
