"""Facts in words: amounts, moments and seats as people of a language write them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.numbers import format_currency

from models.languages import Language
from models.money import to_major


def worded(
    facts: Mapping[str, Any], language: Language, labels: Mapping[str, str], ticket_url: str | None
) -> dict[str, Any]:
    """The facts of a draft as templates see them: each text a line, each amount in words.

    An event has `day`, `time` and `when` beside its `starts_at`, a ticket its `place` and the `url` of its
    page, or None; and it is said whether a transfer is a gift.
    """
    words: dict[str, Any] = _worded(facts, language)
    if "event" in words:
        words["event"] |= _times(facts["event"], language)
    for ticket in words.get("tickets", ()):
        ticket["place"] = _place(ticket, labels)
        page = ticket_url if ticket["id"] else None
        ticket["url"] = page and page.replace("{ticket}", quote(ticket["id"], safe=""))
    if "transfer" in words:
        words["transfer"]["is_gift"] = facts["transfer"]["price"]["minor"] == 0
        words["transfer"]["other"] = words["transfer"]["other"] or labels["somebody"]
    return words


def _place(ticket: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Where a ticket is for, without what is empty, as rows are of standing places."""
    named = (("section", "section"), ("row", "row"), ("seat", "number"))
    parts = [f"{labels[label]} {ticket[part]}" for label, part in named if ticket[part]]
    return ", ".join([ticket["tier"], *parts])


def _worded(value: Any, language: Language) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list):
        return [_worded(one, language) for one in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"minor", "currency"}:
        return _money(value["minor"], value["currency"], language)
    return {name: _worded(one, language) for name, one in value.items()}


def _money(minor: int, currency: str, language: Language) -> str:
    return format_currency(to_major(minor, currency), currency, locale=language.value)


def _times(event: Mapping[str, Any], language: Language) -> dict[str, str]:
    begins = datetime.fromisoformat(event["starts_at"]).astimezone(ZoneInfo(event["timezone"]))
    day = format_date(begins, "full", locale=language.value)
    time = f"{format_time(begins, 'short', locale=language.value)} {begins:%Z}"
    return {"day": day, "time": time, "when": f"{day}, {time}"}
