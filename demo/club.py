"""A club: 500 places to stand before the stage, and 40 seats at tables, on a gallery and in booths."""

from demo.drawing import Part, circle, line, plan, polar, rectangle, row, zone


def club() -> Part:
    """Draw the club; its categories are Standing, Tables, Gallery and Booths."""
    areas = [
        rectangle("Stage", 290, 30, 420, 120, "#1f2430"),
        rectangle("Bar", 880, 190, 80, 330, "#6b4a2b"),
        rectangle("Standing", 180, 180, 640, 350, "#7a3fa0"),
    ]
    gallery = [
        row("Gallery", "AB"[n], line((104 - 44 * n, 460), (104 - 44 * n, 250), 34), "Gallery") for n in (0, 1)
    ]
    return plan(
        "Club",
        (1000, 700),
        {"Standing": "#7a3fa0", "Tables": "#d9822b", "Gallery": "#2f7d6d", "Booths": "#b3263b"},
        [zone("House", [], areas), _tables(), zone("Gallery", gallery), _booths()],
    )


def _tables() -> Part:
    """Set five round tables of four behind those who stand."""
    rows, tops = [], []
    for number in range(1, 6):
        middle = (60.0 + 125 * number, 625.0)
        chairs = [polar(middle, 34, angle) for angle in (225, 315, 45, 135)]
        rows.append(row("Tables", str(number), chairs, "Tables"))
        tops.append(circle("", *middle, 16, "#8a6a45"))
    return zone("Tables", rows, tops)


def _booths() -> Part:
    """Set two horseshoes of four around their tables, open towards the stage."""
    rows, tops = [], []
    for number in (1, 2):
        middle = (690.0 + 115 * number, 615.0)
        benches = [polar(middle, 42, angle) for angle in (165, 115, 65, 15)]
        rows.append(row("Booths", str(number), benches, "Booths"))
        tops.append(circle("", *middle, 22, "#8a6a45"))
    return zone("Booths", rows, tops)
