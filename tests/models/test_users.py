"""What a person may be called in a letter."""

import pytest

from models.users import harmless_name


@pytest.mark.parametrize(
    "name", ["Ann Archer", "Dr. Łucja O'Neill-Gößwein", "Ирина", "Ann (Annie) Archer, Jr."]
)
def test_names_are_names(name: str) -> None:
    assert harmless_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "http://bad.example",
        "Win at bad.example",
        "ann@example.com",
        "//bad",
        "mailto:ann",
        "A" * 61,
        "",
        None,
    ],
)
def test_what_could_be_taken_for_a_link_is_no_name(name: str | None) -> None:
    assert harmless_name(name) == ""
