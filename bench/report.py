"""One line of the table: what was done, how fast it was, and against what."""

from dataclasses import dataclass
from statistics import median

HEADER = f"{'what':46}{'clients':>8}{'ours/s':>10}{'other/s':>10}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}"


@dataclass(frozen=True)
class Measured:
    """Rates of alternating rounds, ours and the other's if there is one, and how long our answers took."""

    what: str
    clients: int
    ours: list[float]
    others: list[float]
    seconds: list[float]

    def line(self) -> str:
        other = ratio = "-"
        if self.others:
            other = f"{median(self.others):.0f}"
            ratio = f"{median(our / other for our, other in zip(self.ours, self.others, strict=True)):.2f}"
        p50 = p99 = "-"
        if self.seconds:
            ordered = sorted(self.seconds)
            p50, p99 = (f"{1_000 * ordered[int(len(ordered) * share)]:.1f}" for share in (0.5, 0.99))
        return f"{self.what:46}{self.clients:8}{median(self.ours):10.0f}{other:>10}{ratio:>8}{p50:>9}{p99:>9}"
