"""Tickets on paper: what each is for, and where its live code is shown. Paper stays, so no code is on it."""

import unicodedata
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONTS = Path(__file__).parent / "fonts"
PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
MARGIN = 18 * mm
GREY, DARK, LINE, SHADE = (HexColor(color) for color in ("#6b7280", "#111827", "#d1d5db", "#f3f4f6"))

for _name in (PLAIN, BOLD):
    pdfmetrics.registerFont(TTFont(_name, FONTS / f"{_name}.ttf"))
_KNOWN = set(pdfmetrics.getFont(PLAIN).face.charToGlyph)


def _style(size: float, font: str = PLAIN, color: HexColor = DARK) -> ParagraphStyle:
    return ParagraphStyle(
        f"{font} {size}", fontName=font, fontSize=size, leading=size * 1.35, textColor=color
    )


SMALL, NOTE, BODY = _style(8, color=GREY), _style(9, color=GREY), _style(11)
TITLE, PLACE = _style(17, BOLD), _style(12, BOLD)
CARD = TableStyle(
    [
        ("BOX", (0, 0), (-1, -1), 0.8, LINE),
        ("BACKGROUND", (0, 0), (-1, 0), SHADE),
        ("SPAN", (0, 0), (-1, 0)),
        ("SPAN", (0, 2), (-1, 2)),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 12),
        ("RIGHTPADDING", (0, 0), (-1, -1), 12),
        ("TOPPADDING", (0, 0), (-1, -1), 8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
    ]
)


def ticket_pages(facts: Mapping[str, Any]) -> bytes:
    """A PDF with a card for each ticket; the same facts make the same bytes."""
    event, paper = facts["event"], BytesIO()
    document = SimpleDocTemplate(
        paper,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=_printable(event["name"]),
        author=_printable(facts["house"]),
        lang=facts["language"],
        invariant=1,
    )
    head = [_text(facts["house"], NOTE), Spacer(1, 4 * mm)] if facts["house"] else []
    cards = [_card(ticket, facts, document.width) for ticket in facts["tickets"]]
    document.build([*head, *cards])
    return paper.getvalue()


def _card(ticket: Mapping[str, Any], facts: Mapping[str, Any], width: float) -> KeepTogether:
    event, labels = facts["event"], facts["labels"]
    what = [
        _text(event["name"], TITLE),
        _text(event["when"], BODY),
        _text(f"{event['hall']}, {event['venue']}, {event['address']}", BODY),
    ]
    whose = [(labels["holder"], facts["name"]), (labels["reference"], ticket["reference"])]
    whose += [(labels["price"], ticket["price"])] if ticket["price"] else []
    lines = [_text(f"{label}: {value}", NOTE) for label, value in whose if value]
    how = [_text(labels["live_code"], SMALL)]
    if ticket["url"]:
        how.append(_link(labels["show_code"], ticket["url"]))
    card = Table(
        [[what, ""], [_text(ticket["place"], PLACE), lines], [how, ""]], [width * 0.68, width * 0.32]
    )
    card.setStyle(CARD)
    return KeepTogether([card, Spacer(1, 6 * mm)])


def _text(said: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(_printable(said)), style)


def _link(said: str, url: str) -> Paragraph:
    target = escape(url, {'"': "&quot;"})
    return Paragraph(
        f'<link href="{target}" color="#1d4ed8">{escape(_printable(said))}: {target}</link>', SMALL
    )


def _printable(said: str) -> str:
    """What the font has: a letter that it lacks becomes a question mark, and a picture is left out."""
    composed = unicodedata.normalize("NFC", said)
    shown = (c if ord(c) in _KNOWN else "?" if c.isalnum() else "" for c in composed)
    return " ".join("".join(shown).split())
