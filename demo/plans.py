"""The plans that the demo sells, each with its price list."""

from collections.abc import Callable
from typing import Any, NamedTuple

from demo.arena import arena
from demo.club import club
from demo.theatre import theatre

__all__ = ["PLANS", "DemoPlan", "arena", "club", "theatre"]


class DemoPlan(NamedTuple):
    """A plan's drawing, its tiers (name, price, general-admission capacity), and the prices' currency."""

    draw: Callable[[], dict[str, Any]]
    tiers: tuple[tuple[str, str, int | None], ...]
    currency: str


PLANS = {
    "theatre": DemoPlan(
        theatre,
        (
            ("Premium", "89.00", None),
            ("Stalls", "64.00", None),
            ("Dress Circle", "49.00", None),
            ("Balcony", "29.00", None),
        ),
        "EUR",
    ),
    "arena": DemoPlan(
        arena,
        (
            ("Golden Circle", "189.00", None),
            ("Floor", "129.00", None),
            ("Lower Bowl", "109.00", None),
            ("Upper Bowl", "79.00", None),
            ("Upper Rear", "49.00", None),
        ),
        "EUR",
    ),
    "club": DemoPlan(
        club,
        (
            ("Standing", "28.00", 500),
            ("Tables", "45.00", None),
            ("Gallery", "38.00", None),
            ("Booths", "60.00", None),
        ),
        "EUR",
    ),
}
"""Each plan by the name that the demo calls it by."""
