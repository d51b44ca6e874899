"""A plan that cannot be laid out is refused with a sentence that names the place of the mistake."""

import json
from typing import Any

import pytest

from models.layouts import SEATS_PER_EVENT_MAX
from models.plans import PLAN_CHARACTERS_MAX, PlanError, TierOffer, lay_out

STALLS = [TierOffer("Stalls")]
SEAT = {"seat_guid": "a-12", "seat_number": "12", "position": {"x": 1, "y": 2}, "category": "Stalls"}


def a_row(label: str, *seats: dict[str, Any]) -> dict[str, Any]:
    return {"row_number": label, "seats": list(seats)}


def a_plan(*rows: dict[str, Any]) -> str:
    return json.dumps({"name": "House", "zones": [{"name": "Stalls", "rows": list(rows)}]})


def refusal(text: str | None, tiers: list[TierOffer]) -> str:
    with pytest.raises(PlanError) as refused:
        lay_out(text, tiers)
    return str(refused.value)


def test_two_seats_with_one_guid_are_refused() -> None:
    other = a_row("A", SEAT | {"seat_number": "3"})
    assert refusal(a_plan(other, a_row("C", SEAT)), STALLS) == (
        "Zone 'Stalls', row 'C', seat '12': "
        "the guid 'a-12' is already used by zone 'Stalls', row 'A', seat '3'."
    )


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"category": "VIP"}, "no tier has the name of its category 'VIP' (there are 'Stalls')"),
        ({"category": None}, "its category is missing"),
        ({"position": None}, "its position is missing"),
        ({"position": [1, 2]}, "its position must be an object"),
        ({"position": {"x": 1}}, "its y is missing"),
        ({"position": {"x": True, "y": 1}}, "its x must be a number"),
        ({"position": {"x": "1", "y": 1}}, "its x must be a number"),
        ({"position": {"x": 1e30, "y": 1}}, "its x must lie between -1,000,000 and 1,000,000"),
        ({"seat_guid": 1.5}, "its seat_guid must be a text"),
        ({"seat_guid": "g" * 201}, "its seat_guid is longer than 200 characters"),
        (
            {"seat_guid": "\0"},
            "its seat_guid contains a character that cannot be stored (U+0000 or half a surrogate pair)",
        ),
    ],
)
def test_a_wrong_seat_is_refused_by_its_place(parts: dict[str, Any], reason: str) -> None:
    assert (
        refusal(a_plan(a_row("C", SEAT | parts)), STALLS) == f"Zone 'Stalls', row 'C', seat '12': {reason}."
    )


@pytest.mark.parametrize(
    ("zones", "sentence"),
    [
        ([3], "Zone number 1: it must be an object."),
        ([{"name": 3.5}], "Zone number 1: its name must be a text."),
        ([{"name": "S", "rows": {}}], "Zone 'S': its rows must be a list."),
        ([{"name": "S", "rows": [None]}], "Zone 'S', row number 1: it must be an object."),
        ([{"name": "S", "rows": [{"seats": []}]}], "Zone 'S', row number 1: its row_number is missing."),
        ([{"name": "S", "rows": [{"row_number": 4}]}], "Zone 'S', row '4': its seats are missing."),
        (
            [{"name": "S", "rows": [{"row_number": "4", "seats": [[]]}]}],
            "Zone 'S', row '4', seat number 1: it must be an object.",
        ),
        (
            [{"name": "S", "areas": [{"shape": "star"}]}],
            "Zone 'S', area number 1: its shape must be one of rectangle, circle, ellipse, polygon, text.",
        ),
        (
            [{"name": "S", "areas": [{"width": -1, "height": 1}]}],
            "Zone 'S', area number 1: its width must not be negative.",
        ),
        (
            [{"name": "S", "areas": [{"polygon": {"points": []}}]}],
            "Zone 'S', area number 1: its polygon must have 1 to 10,000 points.",
        ),
        (
            [{"name": "S", "areas": [{"width": 1, "height": 1}] * 1_001}],
            "Zone 'S': with it the plan has more than 1,000 areas.",
        ),
    ],
)
def test_a_wrong_part_is_refused_by_its_place(zones: list[Any], sentence: str) -> None:
    assert refusal(json.dumps({"zones": zones}), STALLS) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"zones":\n [}', "The plan is not JSON: unexpected character, expected a JSON value, at line 2, "),
        ("", "The plan is not JSON: "),
        ("\ud800", "The plan is not JSON: "),
        ('{"name": "\\ud800"}', "The plan is not JSON: "),
        ('{"zones": NaN}', "The plan is not JSON: "),
        ("[" * 100_000, "The plan is not JSON: "),
        ('{"a":' * 100_000, "The plan is not JSON: "),
        ("9" * 10_000, "The plan is not JSON: "),
        ("[]", "The plan must be a JSON object."),
        ("{}", "The plan cannot be used: its zones are missing."),
        ('{"zones": {}}', "The plan cannot be used: its zones must be a list."),
        ('{"zones": [], "name": 1.5}', "The plan cannot be used: its name must be a text."),
        ('{"zones": [], "size": {"width": 1}}', "The plan cannot be used: its height is missing."),
        ('{"zones": [], "categories": [7]}', "Category number 1: it must be an object."),
        (
            '{"zones": []}',
            "The tier 'Stalls' has no seats in the plan and no general-admission capacity.",
        ),
        (" " * (PLAN_CHARACTERS_MAX + 1), "The plan is longer than 33,554,432 characters."),
    ],
    ids=range(16),
)
def test_a_text_that_is_no_plan_is_refused(text: str, sentence: str) -> None:
    assert refusal(text, STALLS).startswith(sentence)


def test_a_seat_in_a_general_admission_tier_is_refused() -> None:
    tiers = [TierOffer("Stalls", 10)]
    assert "its category 'Stalls' is sold as general admission, without seats." in refusal(
        a_plan(a_row("C", SEAT)), tiers
    )


def test_a_numbered_tier_without_seats_is_refused() -> None:
    reason = "has no seats in the plan and no general-admission capacity."
    assert refusal(a_plan(a_row("C", SEAT)), [*STALLS, TierOffer("VIP")]) == f"The tier 'VIP' {reason}"
    assert refusal(None, [TierOffer("VIP")]) == f"The tier 'VIP' {reason}"


@pytest.mark.parametrize(
    ("tiers", "sentence"),
    [
        ([], "An event must have 1 to 100 tiers."),
        ([TierOffer("")], "Every tier must have a name."),
        ([TierOffer("A", 1), TierOffer("A", 1)], "Two tiers have the same name."),
        ([TierOffer("A", 0)], "The general-admission capacity of the tier 'A' must be 1 or more."),
        ([TierOffer("A", 60_000), TierOffer("B", 40_001)], "An event can have 100,000 places at most."),
        (
            [TierOffer("\udc80", 1)],
            "The tier '\\udc80' cannot be used: the name contains a character that cannot be stored "
            "(U+0000 or half a surrogate pair).",
        ),
    ],
)
def test_tiers_that_cannot_be_sold_are_refused(tiers: list[TierOffer], sentence: str) -> None:
    assert refusal(None, tiers) == sentence


def test_the_hundred_thousandth_place_is_the_last() -> None:
    text = a_plan(a_row("A", *(SEAT | {"seat_guid": str(number)} for number in range(100))))
    tiers = [*STALLS, TierOffer("Standing", SEATS_PER_EVENT_MAX - 100)]
    assert lay_out(text, tiers).total == SEATS_PER_EVENT_MAX
    tiers = [*STALLS, TierOffer("Standing", SEATS_PER_EVENT_MAX - 99)]
    assert refusal(text, tiers) == "Zone 'Stalls', row 'A': with it the event has more than 100,000 places."
