"""The page on letters: every letter is on it with facts that it has, and its example can be used."""

import re
from pathlib import Path

from messages.letters import Letters, check_templates
from messages.message import Address, Draft
from messages.samples import ABOUT
from models.deliveries import DeliveryKind
from settings import read_settings
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/messages.md").read_text(encoding="utf-8")
ALWAYS = {"name", "at"}


def test_every_letter_is_on_the_page_with_its_facts() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*)\|$", PAGE, re.MULTILINE)
    told = {letter: set(re.findall(r"`([a-z_]+)`", facts)) for letter, facts in rows}
    assert told == {
        letter: {fact for facts in forms for fact in facts} - ALWAYS for letter, forms in ABOUT.items()
    }


def test_the_example_takes_the_place_of_our_template(tmp_path: Path) -> None:
    ((name, text),) = re.findall(r"<!-- override (\S+) -->\n```jinja\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / name
    path.parent.mkdir()
    path.write_text(text)
    settings = read_settings(mail_templates=str(tmp_path), ticket_url="https://shop.example/{ticket}")
    check_templates(settings)
    to = Address(DeliveryKind.EMAIL, "ann@example.com")
    letter = Letters(settings).text_of(Draft(to, "de", "order_confirmed", ABOUT["order_confirmed"][1]))
    assert letter.subject == "Bis bald im Playhouse: The Tempest"
    assert "Am Samstag, 20. März 2027 um 19:30 CET geht es los." in letter.body
    assert "Reihe 3, Platz 7: https://shop.example/tk_sample7\n" in letter.body
