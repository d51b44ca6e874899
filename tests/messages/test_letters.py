"""Letters: every one in every language, with dates and money of its own, and an operator's templates."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from auth.seals import Seals
from cli import main
from messages.letters import Letters, check_templates
from messages.message import Address, Draft, Message, Text, Undeliverable
from messages.samples import ABOUT, samples
from models.deliveries import DeliveryKind
from models.languages import Language
from settings import Settings, SettingsError, read_settings
from tests.codes import ENVELOPES, LETTERS, SETTINGS

MAIL = Address(DeliveryKind.EMAIL, "ann@example.com")
SMS = Address(DeliveryKind.SMS, "+4930123456")
CONFIRMED: dict[str, Any] = ABOUT["order_confirmed"][1]


def letter(template: str, language: str = "en", to: Address = MAIL, **changes: Any) -> Draft:
    return Draft(to, language, template, ABOUT[template][0] | changes)


def with_templates(folder: Path, **files: str) -> Settings:
    """Settings of an operator with these files, of which `en__welcome_txt` is `en/welcome.txt`."""
    for name, text in files.items():
        path = folder / ".".join(name.replace("__", "/").rsplit("_", 1))
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return read_settings(mail_templates=str(folder))


@pytest.mark.parametrize("language", Language)
def test_every_letter_says_the_same_as_text_and_as_html(language: Language) -> None:
    for draft in samples(language):
        text = LETTERS.text_of(draft)
        if draft.to.kind is DeliveryKind.SMS:
            assert text.body
            assert "\n" not in text.body
            continue
        assert text.html
        assert text.subject
        assert f'<html lang="{language.value}">' in text.html
        for reference in ("TKT23456", "QRS7T2XY", "123456", "The Tempest"):
            assert (reference in text.body) == (reference in text.html), draft.template
        assert "None" not in text.html + text.body
        assert not {"{{", "}}"} & set(text.body.split())


def test_both_languages_have_the_same_files() -> None:
    folder = Path("messages/templates")
    english, german = ({path.name for path in (folder / language).iterdir()} for language in Language)
    assert english == german
    assert {f"{name}.txt" for name in ABOUT} == {name for name in english if name.endswith(".txt")}


def test_dates_and_money_are_as_people_of_a_language_write_them() -> None:
    english, german = (LETTERS.text_of(letter("order_confirmed", language)).body for language in Language)
    assert "Saturday, March 20, 2027, 7:30" in english
    assert "Total €50.00" in english
    assert "Samstag, 20. März 2027, 19:30 CET" in german
    assert "Summe 50,00" in german
    yen = LETTERS.text_of(letter("top_up_succeeded", "de", amount={"minor": 1200, "currency": "JPY"}))
    assert "1.200" in yen.subject


def test_what_is_filled_in_is_escaped_and_stays_on_its_line() -> None:
    event = CONFIRMED["event"] | {"name": "<b>Tom</b>\r\nBcc: all@example.com"}
    text = LETTERS.text_of(letter("order_confirmed", event=event, name="<script>", attached=[]))
    assert text.subject.endswith("<b>Tom</b> Bcc: all@example.com")
    assert text.html
    assert "&lt;b&gt;Tom&lt;/b&gt;" in text.html
    assert "<b>" not in text.html
    assert "<script>" not in text.html


def test_a_template_of_the_operators_takes_the_place_of_ours(tmp_path: Path) -> None:
    settings = with_templates(
        tmp_path,
        en__welcome_txt="Hello from {{ house }}\nNice to see <you>.",
        en__labels_json='{"hello": "Dear"}',
        en__code_html="{% extends 'layout.html' %}{% block prose %}<i>{{ prose }}</i>{% endblock %}",
    )
    check_templates(settings)
    letters = Letters(settings)
    welcome = letters.text_of(letter("welcome"))
    assert (welcome.subject, welcome.body.partition("\n")[0]) == ("Hello from Rowlock", "Dear Ann Archer,")
    assert "Nice to see <you>." in welcome.body
    assert welcome.html
    assert "Nice to see &lt;you&gt;." in welcome.html
    assert "<i>This is your code" in (letters.text_of(letter("code")).html or "")
    assert letters.text_of(letter("welcome", "de")) == LETTERS.text_of(letter("welcome", "de"))


@pytest.mark.parametrize(
    ("file", "text", "line", "why"),
    [
        ("de__order_confirmed_txt", "Gut\n\n{{ order.refrence }}", 3, "refrence"),
        ("en__code_txt", "Code\n{% if %}", 2, "Expected an expression"),
        ("en__code_sms", "{{ ''.__class__ }}", 1, "unsafe"),
        ("layout_html", "<p>\n{{ 1 / 0 }}", 2, "division by zero"),
        ("en__labels_json", '{\n"hello": }', 2, "unexpected character"),
    ],
)
def test_one_that_is_broken_is_named_with_its_line(
    tmp_path: Path, file: str, text: str, line: int, why: str
) -> None:
    settings = with_templates(tmp_path, **{file: text})
    with pytest.raises(SettingsError) as problem:
        check_templates(settings)
    (said,) = str(problem.value).splitlines()
    path = tmp_path / ".".join(file.replace("__", "/").rsplit("_", 1))
    assert said.startswith(f"MAIL_TEMPLATES: {path}, line {line}: ")
    assert why in said


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_nothing_starts_with_one_that_is_broken(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_templates(tmp_path, en__welcome_txt="Welcome\n{{ nme }}")
    monkeypatch.setenv("MAIL_TEMPLATES", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["rowlock", command])
    with pytest.raises(SystemExit, match=r"en/welcome\.txt, line 2: 'nme' is undefined"):
        main()


async def test_one_that_cannot_be_written_is_not_tried_again() -> None:
    with pytest.raises(Undeliverable, match=r"order_confirmed\.txt, line 1: "):
        await LETTERS.write(Draft(MAIL, "en", "order_confirmed", {}))


def test_an_sms_is_one_line_and_has_no_files() -> None:
    code = LETTERS.text_of(letter("code", to=SMS))
    assert code == Text("", "Rowlock: 123456 is your code to pay your order, good for 5 minutes.")
    confirmed = LETTERS.text_of(letter("order_confirmed", to=SMS))
    assert confirmed == Text("", "Your order QRS7T2XY is confirmed: The Tempest")


def test_the_event_comes_as_an_entry_for_calendars_and_goes_by_the_same_uid() -> None:
    entries = []
    for template in ("order_confirmed", "event_cancelled"):
        file = LETTERS.text_of(letter(template)).attachments[0]
        calendar = Calendar.from_ical(file.content)
        (entry,) = calendar.walk("VEVENT")
        assert file.media_type.endswith(f"method={calendar['METHOD']}")
        entries.append((calendar["METHOD"], entry["UID"], int(entry["SEQUENCE"]), entry["STATUS"]))
    assert entries == [
        ("PUBLISH", "ev_sample@rowlock", 0, "CONFIRMED"),
        ("CANCEL", "ev_sample@rowlock", 1, "CANCELLED"),
    ]
    assert entry.decoded("DTSTART") == datetime(2027, 3, 20, 19, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert entry["LOCATION"] == "Great Hall, Playhouse, Harbour Street 1"
    assert entry["ORGANIZER"] == "mailto:noreply@localhost"


def test_the_same_draft_makes_the_same_letter() -> None:
    assert LETTERS.text_of(letter("order_confirmed")) == LETTERS.text_of(letter("order_confirmed"))


def test_a_link_leads_to_the_page_of_each_ticket(settings: Settings) -> None:
    linked = Letters(settings.model_copy(update={"ticket_url": "https://shop.example/t?id={ticket}"}))
    text = linked.text_of(letter("order_confirmed", tickets=[CONFIRMED["tickets"][0] | {"id": "tk_a=&b"}]))
    assert "https://shop.example/t?id=tk_a%3D%26b\n" in text.body
    assert 'href="https://shop.example/t?id=tk_a%3D%26b"' in (text.html or "")


def test_a_delivery_of_the_release_before_is_read_as_it_was_written() -> None:
    old = Message(letter("code").id, MAIL, Text("A code", "It is 123456"))
    owner_id = old.id
    place = owner_id.bytes + old.id.bytes + b"EMAIL ann@example.com"
    sealed = Seals("deliveries", SETTINGS).seal(b'["A code","It is 123456"]', place)
    row = {"owner_id": owner_id, "id": old.id, "kind": "EMAIL", "recipient": MAIL.at, "sealed": sealed}
    assert ENVELOPES.open(row) == old
    draft = letter("order_confirmed")
    assert ENVELOPES.open(row | {"id": draft.id, "sealed": ENVELOPES.close(owner_id, draft)}) == draft


async def test_beside_those_who_serve_letters_are_written_a_quarter_of_the_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments, rests = iter([10.0, 10.5, 20.0, 20.5]), list[float]()
    monkeypatch.setattr("messages.letters.perf_counter", lambda: next(moments))
    monkeypatch.setattr("messages.letters.sleep", rests.append)
    welcome = next(samples(Language.EN))
    for share in (0.25, 1):
        await Letters(settings, share).write(welcome)
    assert rests == [1.5, 0]
