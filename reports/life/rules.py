"""What decisions on a return come to, and what a clerk is told before deciding (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeVar

Key = TypeVar("Key")
Outcome = Literal["accepted", "returned", "withdrawn"]
ACCEPTED: Final = "accepted"
RETURNED: Final = "returned"
WITHDRAWN: Final = "withdrawn"
"""An acceptance made in error is taken back: the return waits for a decision again."""


def holding(said: Iterable[tuple[Key, str]]) -> dict[Key, str]:
    """What holds of the outcomes that were given, oldest first: the last by key; after a withdrawal nothing does."""
    return {key: outcome for key, outcome in dict(said).items() if outcome != WITHDRAWN}


def answered_by(version: int, outcomes: Mapping[int, str]) -> int | None:
    """The returned version that a version answers: the last one before it that was decided on. `outcomes`: what holds,
    by version.
    """
    before = max((number for number in outcomes if number < version), default=0)
    return before if outcomes.get(before) == RETURNED else None
