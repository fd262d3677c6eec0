"""Drawing a sample that anybody can draw again, and where a conversation stands (PURE)."""

import hashlib
from collections.abc import Iterable, Sequence
from uuid import UUID

Drawn = tuple[str, UUID]
"""A ledger's name and the id of one of its entries."""

MOST = 200
USUAL = 20


def population_digest(population: Iterable[Drawn]) -> str:
    """SHA-256 of what was drawn from: one `ledger/id` a line, sorted."""
    lines = sorted(f"{ledger}/{entry}\n" for ledger, entry in population)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def draw(population: Iterable[Drawn], size: int, seed: str) -> list[Drawn]:
    """`size` entries without repeats, or all of them: those with the smallest SHA-256 of `seed/ledger/id`, in order.

    Every subset is as likely as any other, and no library's random numbers are needed to repeat it.
    """

    def lot(item: Drawn) -> tuple[str, str]:
        name = f"{item[0]}/{item[1]}"
        return hashlib.sha256(f"{seed}/{name}".encode()).hexdigest(), name

    return sorted(population, key=lot)[:size]


def is_open(kinds: Sequence[str]) -> bool:
    """Whether a thread still waits for somebody: a query until it is settled, given its notes' kinds in order."""
    return bool(kinds) and kinds[0] == "query" and "settled" not in kinds


def waits_for(kinds: Sequence[str]) -> str:
    """Whom an open query waits for: `school` for an answer, `bureau` to settle it; empty where nobody."""
    if not is_open(kinds):
        return ""
    return "bureau" if kinds[-1] == "answer" else "school"
