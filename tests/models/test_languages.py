"""The language of a person who says what they like to read."""

import pytest

from models.languages import Language, language_of


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", Language.DE),
        ("de-AT,de;q=0.9,en;q=0.8", Language.DE),
        ("fr-FR, fr;q=0.9, de;q=0.5, en;q=0.4", Language.DE),
        ("en;q=0.5, de;q=0.7", Language.DE),
        ("de;q=0, en;q=0.1", Language.EN),
        ("de_DE", Language.DE),
        ("fr", Language.EN),
        ("*", Language.EN),
        ("", Language.EN),
        ("de;q=much", Language.EN),
        (",;,;q=", Language.EN),
        (None, Language.EN),
        (["de"], Language.EN),
    ],
)
def test_the_best_of_ours_is_taken_else_english(accepted: object, language: Language) -> None:
    assert language_of(accepted) is language
