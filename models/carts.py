"""What a person has put aside to buy: wishes, of which nothing is held before the checkout."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer
from sqlmodel import BigInteger, Field, SQLModel

from models.columns import born, ids

CART_DAYS = 30
CART_ITEMS_MAX = 50

IS_LAPSED = f"changed_at <= statement_timestamp() - interval '{CART_DAYS} days'"
"""The one predicate, in SQL, of a cart that nobody has changed for so long that it is forgotten."""


class Cart(SQLModel, table=True):
    """A person's cart; the row is there to be locked before its items change."""

    __tablename__ = "carts"
    __table_args__ = (Index("carts_by_age", "changed_at"),)

    user_id: UUID = Field(sa_column=ids(primary_key=True))
    changed_at: datetime = Field(default=None, sa_column=born())


class CartItem(SQLModel, table=True):
    """A numbered seat, by its `index`, or a quantity of places of a general-admission `tier`.

    `price_minor` is what one of them cost when it was put in. The order of ids is that of putting in.
    """

    __tablename__ = "cart_items"
    __table_args__ = (
        CheckConstraint("(index IS NULL) <> (tier IS NULL)", name="cart_items_seat_or_places"),
        CheckConstraint("quantity >= 1", name="cart_items_quantity_positive"),
        CheckConstraint("index IS NULL OR quantity = 1", name="cart_items_seat_once"),
        CheckConstraint("price_minor >= 0", name="cart_items_price_not_negative"),
        Index("cart_items_seat_key", "user_id", "event_id", "index", unique=True),
        Index("cart_items_tier_key", "user_id", "event_id", "tier", unique=True),
    )

    user_id: UUID = Field(sa_column=Column(ForeignKey("carts.user_id"), primary_key=True))
    id: UUID = Field(sa_column=ids(primary_key=True))
    event_id: UUID = Field(sa_column=ids())
    index: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    tier: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    quantity: int = Field(sa_column=Column(Integer, nullable=False))
    price_minor: int = Field(sa_column=Column(BigInteger, nullable=False))
