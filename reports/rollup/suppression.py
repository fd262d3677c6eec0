"""Small counts of sensitive kinds, and what may stand beside them without giving them away (PURE).

1 to 4 print as “<5”, zero as zero. A sum over several bureaus is made from what each of them prints, never from what
each of them knows: where one prints “<5”, the sum is a range. So whoever holds every document, of every level, learns
from their differences nothing that none of them says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

LEAST = 5
"""The smallest count above zero that is printed as it is."""
SENSITIVE = frozenset({"mental_health"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a reader knows of a count: it lies from `least` to `most`, both included."""

    least: int
    most: int

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.least + other.least, self.most + other.most)

    @property
    def exact(self) -> bool:
        return self.least == self.most


ZERO = Bounds(0, 0)


def read(figure: int | str) -> Bounds:
    """What a printed figure says: a count, “<5”, or a range such as “6-9”. Raises ValueError for anything else."""
    if isinstance(figure, int):
        return Bounds(figure, figure)
    if figure == f"<{LEAST}":
        return Bounds(1, LEAST - 1)
    least, dash, most = figure.partition("-")
    if not (dash and least.isdecimal() and most.isdecimal()):
        raise ValueError(f"not a figure: {figure!r}")
    return Bounds(int(least), int(most))


def printed(known: Bounds) -> int | str:
    """The figure that may be printed of a count of a sensitive kind."""
    if known.exact and (known.least == 0 or known.least >= LEAST):
        return known.least
    return f"<{LEAST}" if known.most < LEAST else f"{known.least}-{known.most}"


def is_small(figure: int | str) -> bool:
    """Whether a figure hides a small count, alone or in a sum."""
    return not isinstance(figure, int)


def suppressed(count: int) -> int | str:
    """A count of a sensitive kind as it is printed."""
    return printed(Bounds(count, count))


def total(figures: Iterable[int | str]) -> int | str:
    """The sum of printed figures, knowing no more than they say."""
    known = reduce(Bounds.__add__, (read(figure) for figure in figures), ZERO)
    return known.least if known.exact else printed(known)
