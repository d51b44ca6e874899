"""Tickets on paper: what they say, in whose letters, and that no code is on them."""

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from messages.letters import Letters
from messages.message import Address, Draft
from messages.samples import ABOUT
from models.deliveries import DeliveryKind
from settings import Settings
from tests.codes import LETTERS

CONFIRMED: dict[str, Any] = ABOUT["order_confirmed"][1]


def paper(letters: Letters = LETTERS, **changes: Any) -> PdfReader:
    """The tickets of an order, as they are attached to its letter."""
    to = Address(DeliveryKind.EMAIL, "ann@example.com")
    _, file = letters.text_of(Draft(to, "de", "order_confirmed", CONFIRMED | changes)).attachments
    assert (file.name, file.media_type) == ("tickets.pdf", "application/pdf")
    return PdfReader(BytesIO(file.content))


def said(pdf: PdfReader) -> str:
    return " ".join("\n".join(page.extract_text() for page in pdf.pages).split())


def test_they_say_what_each_is_for_and_show_no_code() -> None:
    pdf = paper()
    for part in ("The Tempest", "Samstag, 20. März 2027, 19:30 CET", "Great Hall, Playhouse", "Ann Archer"):
        assert said(pdf).count(part) == 2
    for part in ("Reihe 3, Platz 6", "Reihe 3, Platz 7", "TKT23456", "TKT23457", "kein Einlass"):
        assert part in said(pdf)
    assert [image for page in pdf.pages for image in page.images] == []


def test_each_links_to_the_page_that_shows_its_live_code(settings: Settings) -> None:
    url = "https://shop.example/tickets/{ticket}"
    pdf = paper(Letters(settings.model_copy(update={"ticket_url": url})))
    links = [note.get_object()["/A"]["/URI"] for page in pdf.pages for note in page.annotations or []]
    assert links == [f"https://shop.example/tickets/tk_sample{number}" for number in (6, 7)]


@pytest.mark.parametrize("name", ["Łucja Gößweinçő", "Ирина Щёголева", "Ελένη Παπαδοπούλου", "Nguyễn"])
def test_names_of_europe_are_printed(name: str) -> None:
    assert name in said(paper(name=name))


def test_what_the_font_lacks_is_left_out_or_marked() -> None:
    assert "Inhaber: Ann ?? Archer" in said(paper(name="Ann 山田 🎉 Archer"))
    assert "Ann é" in said(paper(name="Ann e\u0301"))


def test_what_looks_like_markup_is_printed_as_it_is() -> None:
    name = "<b>Tom</b> &lt; Jerry"
    assert said(paper(event=CONFIRMED["event"] | {"name": name})).count(name) == 2


def test_long_names_and_many_tickets_find_room() -> None:
    event = CONFIRMED["event"] | {"name": "Lang & <länger> " * 20, "address": "Am " * 100}
    many = [CONFIRMED["tickets"][0] | {"reference": f"TKT{number:05}"} for number in range(50)]
    text = said(paper(event=event, tickets=many))
    assert all(ticket["reference"] in text for ticket in many)
