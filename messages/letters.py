"""Letters: what the house writes to people, put into words by templates that an operator can override."""

import asyncio
import traceback
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from email.utils import parseaddr
from functools import cached_property
from itertools import chain
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import orjson
from jinja2 import FileSystemLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from messages.calendar_entry import calendar_entry
from messages.message import Attachment, Draft, Message, Text, Undeliverable
from messages.samples import samples
from messages.ticket_pages import ticket_pages
from messages.wording import worded
from models.deliveries import DeliveryKind
from models.languages import Language
from settings import Settings, SettingsError

OURS = Path(__file__).parent / "templates"
LABELS = "labels.json"
THINGS = ("code", "event", "order", "tickets", "transfer", "amount", "attached")
"""What a letter may be about; each of them is none where it is not."""

WRITERS = 1


def check_templates(settings: Settings) -> None:
    """Try the templates of an operator; `SettingsError` has a line for each place that is not right."""
    if settings.mail_templates:
        Letters(settings).try_all()


class Unwritable(Exception):
    """A letter that cannot be put into words; the message says in which file, at which line and why."""


class Letters:
    """Writes letters in the languages of the house, the operator's templates before ours.

    Beside those who serve it writes for a share of the time, and rests for what is left of it.
    """

    def __init__(self, settings: Settings, share: float = 1) -> None:
        self._rests_for = 1 / share - 1
        self._ticket_url = settings.ticket_url
        self._house, self._address = parseaddr(settings.mail_from)
        self._folders = [folder for folder in (settings.mail_templates, OURS) if folder]
        self._environment = SandboxedEnvironment(
            loader=FileSystemLoader(self._folders),
            undefined=StrictUndefined,
            autoescape=lambda name: name is not None and name.endswith(".html"),
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._thread = ThreadPoolExecutor(WRITERS, "letters")

    async def write(self, draft: Draft) -> Message:
        """Put a draft into words, in a thread. Raises `Undeliverable` if that can never be done."""
        loop = asyncio.get_running_loop()
        try:
            text = await loop.run_in_executor(self._thread, self._write, draft)
        except Exception as error:  # as it failed now it would fail again
            raise Undeliverable(f"the letter cannot be written: {error}") from error
        return Message(draft.id, draft.to, text)

    def _write(self, draft: Draft) -> Text:
        started = perf_counter()
        try:
            return self.text_of(draft)
        finally:
            sleep((perf_counter() - started) * self._rests_for)

    def text_of(self, draft: Draft) -> Text:
        """What a draft says; an SMS is its own template or the subject alone. Raises `Unwritable`."""
        try:
            return self._text(draft)
        except Unwritable:
            raise
        except Exception as error:  # a template can fail in any way that a program can
            raise Unwritable(f"{_place(error)}{error}") from error

    def try_all(self) -> None:
        """Write every letter in every language about samples; `SettingsError` says what cannot be written."""
        problems = dict[str, None]()
        for sample in chain.from_iterable(samples(language) for language in Language):
            try:
                self.text_of(sample)
            except Unwritable as problem:
                problems[f"MAIL_TEMPLATES: {problem}"] = None
        if problems:
            raise SettingsError("\n".join(problems))

    def close(self) -> None:
        self._thread.shutdown(wait=False)

    def _text(self, draft: Draft) -> Text:
        facts = self._facts(draft)
        path = f"{draft.language}/{draft.template}"
        written = self._render(f"{path}.txt", facts)
        subject, _, prose = written.strip().partition("\n")
        if draft.to.kind is DeliveryKind.SMS:
            return Text("", self._sms(path, facts) or " ".join(subject.split()))
        facts |= {"subject": " ".join(subject.split()), "prose": prose.strip()}
        body = self._render("layout.txt", facts).strip() + "\n"
        html = self._environment.select_template([f"{path}.html", "layout.html"]).render(facts)
        return Text(facts["subject"], body, html, tuple(self._attached(draft, facts)))

    def _sms(self, path: str, facts: Mapping[str, Any]) -> str:
        try:
            return " ".join(self._render(f"{path}.sms", facts).split())
        except TemplateNotFound:
            return ""

    def _facts(self, draft: Draft) -> dict[str, Any]:
        labels = self._labels[draft.language]
        facts = worded(draft.facts, Language(draft.language), labels, self._ticket_url)
        known = {"language": draft.language, "house": self._house, "labels": labels, "name": ""}
        return dict.fromkeys(THINGS) | known | facts

    @cached_property
    def _labels(self) -> dict[str, dict[str, str]]:
        """The single words of each language; a file of the operator's needs to have only what it changes."""
        files = [(language, folder / language / LABELS) for folder in self._folders for language in Language]
        labels: dict[str, dict[str, str]] = {language: {} for language in Language}
        for language, file in files:
            if file.exists():
                labels[language] = _read(file) | labels[language]
        return labels

    def _attached(self, draft: Draft, facts: Mapping[str, Any]) -> Iterator[Attachment]:
        for wanted in draft.facts.get("attached", ()):
            if wanted == "tickets":
                yield Attachment("tickets.pdf", "application/pdf", ticket_pages(facts))
            else:
                yield calendar_entry(draft.facts, self._address, is_cancelled=wanted == "cancellation")

    def _render(self, name: str, facts: Mapping[str, Any]) -> str:
        return self._environment.get_template(name).render(facts)


def _read(file: Path) -> dict[str, str]:
    try:
        found = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise Unwritable(f"{file}, line {error.lineno}: {error.msg}") from None
    if not isinstance(found, dict) or not all(isinstance(word, str) for word in found.values()):
        raise Unwritable(f"{file}, line 1: must be a JSON object of texts")
    return found


def _place(error: Exception) -> str:
    """The file of a template and the line in it where something failed."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename}, line {error.lineno}: "
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{at.filename}, line {at.lineno}: " for at in frames if Path(at.filename).suffix != ".py"]
    return places[-1] if places else f"{type(error).__name__}: "
