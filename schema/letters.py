"""What a letter says: the facts of a notification as templates get them, with ids as on the API."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from models.notifications import NotificationKind
from models.transfers import TransferStatus
from models.users import harmless_name, masked_email
from schema import ids
from steps.tell_people import News

NEEDED = {
    NotificationKind.TOP_UP_SUCCEEDED: ("amount",),
    NotificationKind.EVENT_CANCELLED: ("event",),
    **{kind: ("event", "order") for kind in NotificationKind if kind.startswith(("ORDER_", "HOLD_"))},
    **{kind: ("event",) for kind in NotificationKind if kind.startswith("TICKET_")},
    **{kind: ("event", "transfer") for kind in NotificationKind if kind.startswith("TRANSFER_")},
}
"""Without which there is nothing to write, as when an order was deleted that was never paid."""


def facts_of(news: News) -> dict[str, Any] | None:
    """The facts of a letter as plain JSON; None when what it would be about is gone."""
    kind = NotificationKind(news.notification["kind"])
    if any(getattr(news, name) is None for name in NEEDED[kind]):
        return None
    facts: dict[str, Any] = {
        "name": harmless_name(news.user["full_name"]),
        "at": _moment(news.notification["created_at"]),
        "attached": _attached(kind, news),
    }
    if news.event:
        facts["event"] = _event(news.event)
    if kind is NotificationKind.EVENT_CANCELLED:
        return facts  # it is told once, of all that a person has there, and not of the order that came first
    is_buyer = news.order is not None and news.order["buyer_id"] == news.user["id"]
    if news.order and is_buyer:
        facts["order"] = _order(news.order)
    if news.tickets:
        facts["tickets"] = [_ticket(ticket, news.user["id"], is_buyer=is_buyer) for ticket in news.tickets]
    if news.transfer:
        facts["transfer"] = _transfer(news.transfer, news.other, news.user["id"])
    if news.amount:
        facts["amount"] = _money(abs(news.amount["amount_minor"]), news.amount["currency"])
    return facts


def _attached(kind: NotificationKind, news: News) -> list[str]:
    if kind is NotificationKind.EVENT_CANCELLED:
        return ["cancellation"]
    has_tickets = [ticket["owner_id"] == news.user["id"] for ticket in news.tickets]
    gives_tickets = kind is NotificationKind.ORDER_CONFIRMED or (
        kind is NotificationKind.TRANSFER_COMPLETED and news.transfer and not _was_disputed(news.transfer)
    )
    return ["calendar", "tickets"] if gives_tickets and any(has_tickets) else []


def _event(event: Record) -> dict[str, Any]:
    plain = {name: event[name] for name in ("name", "timezone", "hall", "venue", "address")}
    moments = {name: _moment(event[name]) for name in ("starts_at", "ends_at")}
    return {"id": ids.event_id(event["id"]), **plain, **moments}


def _order(order: Record) -> dict[str, Any]:
    return {
        "id": ids.order_id(order["event_id"], order["id"]),
        "reference": order["reference"],
        "total": _money(order["total_minor"], order["currency"]),
        "refunded": _money(order["refunded_minor"], order["currency"]),
    }


def _ticket(ticket: Record, user_id: UUID, *, is_buyer: bool) -> dict[str, Any]:
    """Of a ticket everybody may know the seat, its owner by what it is known, its buyer what was paid."""
    is_owner = ticket["owner_id"] == user_id
    return {
        "id": ids.ticket_id(ticket["event_id"], ticket["id"]) if is_owner else "",
        "reference": ticket["reference"] if is_owner else "",
        **{name: ticket[name] for name in ("tier", "section", "row", "number")},
        "price": _money(ticket["price_minor"], ticket["currency"]) if is_buyer else None,
    }


def _transfer(transfer: Record, other: Record | None, user_id: UUID) -> dict[str, Any]:
    return {
        "id": ids.transfer_id(transfer["event_id"], transfer["id"]),
        "price": _money(transfer["price_minor"], transfer["currency"]),
        "is_seller": transfer["seller_id"] == user_id,
        "was_disputed": _was_disputed(transfer),
        "other": _named(other) if other else "",
    }


def _was_disputed(transfer: Record) -> bool:
    """Say whether it stands after a dispute."""
    return transfer["dispute_reason"] is not None and transfer["status"] == TransferStatus.COMPLETED


def _named(other: Record) -> str:
    return harmless_name(other["full_name"] or other["username"]) or masked_email(other["email"])


def _money(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency}


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
