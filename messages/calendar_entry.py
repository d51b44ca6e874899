"""An event as an entry of a calendar (RFC 5545), and what takes the entry away again."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress

from messages.message import Attachment

NAME = "event.ics"


def calendar_entry(facts: Mapping[str, Any], organizer: str, *, is_cancelled: bool) -> Attachment:
    """The entry; its UID is the same in every letter about the event, so that it can be taken away."""
    event, method = facts["event"], "CANCEL" if is_cancelled else "PUBLISH"
    zone = ZoneInfo(event["timezone"])
    begins, ends = (datetime.fromisoformat(event[end]).astimezone(zone) for end in ("starts_at", "ends_at"))
    entry = Event()
    entry.add("uid", f"{event['id']}@rowlock")
    entry.add("dtstamp", datetime.fromisoformat(facts["at"]))
    entry.add("dtstart", begins)
    entry.add("dtend", ends)
    entry.add("summary", event["name"])
    entry.add("location", f"{event['hall']}, {event['venue']}, {event['address']}")
    entry.add("organizer", vCalAddress(f"mailto:{organizer}"))
    entry.add("sequence", int(is_cancelled))
    entry.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", "-//Rowlock//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(entry)
    calendar.add_missing_timezones(date(begins.year, 1, 1), date(ends.year + 1, 1, 1))
    return Attachment(NAME, f"text/calendar; charset=utf-8; method={method}", calendar.to_ical())
