"""Points shared out and rounded: whole hundredths, exactly (PURE)."""

from collections.abc import Sequence
from fractions import Fraction


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """Whole hundredths in proportion to weights, adding up exactly: largest remainder, ties to the earlier one."""
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in order[: total - sum(shares)]:
        shares[i] += 1
    return shares


def part_of(whole: int, ratio: Fraction) -> int:
    """A ratio of a whole to the nearest integer, halves up (neither is ever negative)."""
    of = ratio.denominator
    return (2 * whole * ratio.numerator + of) // (2 * of)
