"""QR codes of tickets: only ours are read, in the one spelling that we write, also after a change of keys."""

import base64
import string
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from pydantic import SecretStr

from auth.qr_codes import CHARACTERS, LIFE, QrCode, QrCodes
from auth.seals import Seals
from settings import read_settings

NOW = datetime(2026, 11, 21, 19, 30, 15, 123456, tzinfo=UTC)
ALPHABET = string.ascii_letters + string.digits + "-_"


def codes(first: str = "a", *others: str) -> QrCodes:
    changes = {"secret_key": SecretStr(first), "other_secret_keys": [SecretStr(each) for each in others]}
    return QrCodes(read_settings().model_copy(update=changes))


def issued(ours: QrCodes, version: int = 1) -> tuple[QrCode, str]:
    return ours.issue(uuid4(), uuid4(), version, NOW)


def test_a_code_is_read_as_it_was_written_and_looks_different_each_time() -> None:
    event_id, ticket_id = uuid4(), uuid4()
    code, payload = codes().issue(event_id, ticket_id, 2**31 - 1, NOW)
    assert code == QrCode(event_id, ticket_id, 2**31 - 1, NOW, NOW + timedelta(seconds=60))
    assert timedelta(seconds=60) == LIFE
    assert codes().read(payload) == code
    assert len(payload) == CHARACTERS
    assert set(payload) <= set(ALPHABET)
    assert codes().issue(event_id, ticket_id, 2**31 - 1, NOW)[1] != payload


def test_any_other_character_in_any_place_makes_it_unreadable() -> None:
    ours = codes()
    _, payload = issued(ours)
    for place in range(CHARACTERS):
        for other in f"{ALPHABET}+/=\n é":
            if other != payload[place]:
                assert ours.read(payload[:place] + other + payload[place + 1 :]) is None


def test_what_is_not_a_code_at_all_is_unreadable() -> None:
    ours = codes()
    _, payload = issued(ours)
    others = ("", "x", payload[:-1], payload[:-4], payload + "=", payload * 2)
    for other in (*others, "=" * CHARACTERS, "\0" * CHARACTERS):
        assert ours.read(other) is None


def test_what_was_sealed_for_something_else_is_unreadable() -> None:
    other = Seals("something else", read_settings()).seal(bytes(52), b"a ticket at the door")
    assert len(base64.urlsafe_b64encode(other)) == CHARACTERS
    assert codes().read(base64.urlsafe_b64encode(other).decode()) is None
    assert codes("b").read(issued(codes())[1]) is None


def test_the_newest_key_writes_and_those_that_are_listed_read() -> None:
    before, during, after = codes("old"), codes("new", "old"), codes("new")
    code, payload = issued(before)
    assert during.read(payload) == code
    assert after.read(payload) is None
    code, payload = issued(during)
    assert after.read(payload) == code
    assert isinstance(code.ticket_id, UUID)
