"""Codes: six digits of which only an HMAC is kept, and words that name their person."""

from uuid import uuid4

from auth.codes import CodeObject, Codes
from models.codes import CodePurpose
from settings import read_settings

CODES = Codes(read_settings())


def test_a_code_has_six_digits_also_when_the_first_are_zeros() -> None:
    codes = [CODES.make() for _ in range(2_000)]
    assert {len(code) for code in codes} == {6}
    assert all(code.isdecimal() and code.isascii() for code in codes)
    assert {code[0] for code in codes} == set("0123456789")
    assert len(set(codes)) > 1_900


def test_a_digest_is_of_one_code_person_purpose_and_thing() -> None:
    about = CodeObject(uuid4(), CodePurpose.PURCHASE, uuid4())
    digest = CODES.digest("000000", about)
    assert CODES.is_code("000000", about, digest)
    assert not CODES.is_code("000001", about, digest)
    for other in (
        about._replace(user_id=uuid4()),
        about._replace(purpose=CodePurpose.TRANSFER),
        about._replace(object_id=uuid4()),
    ):
        assert not CODES.is_code("000000", other, digest)


def test_a_word_names_its_person() -> None:
    person = uuid4()
    words = {CODES.make_token(person) for _ in range(100)}
    assert len(words) == 100
    assert {CODES.person_of(word) for word in words} == {person}
    for garbage in ("", "pr_", "pr_!", "rt_" + words.pop()[3:], words.pop() + "A" * 9, "pr_é"):
        assert CODES.person_of(garbage) is None
