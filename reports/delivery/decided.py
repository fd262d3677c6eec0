"""What a bureau decided on something that it received from another instance, as it tells the sender, signed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from reports.life.rules import Outcome

Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class LineReason(msgspec.Struct, frozen=True):
    """A reason of its own for one line of the score."""

    line: str
    text: str


class Decision(msgspec.Struct, frozen=True):
    """One decision, by the id that it has where it was made: what, why, by whom, when."""

    id: UUID
    outcome: Outcome
    reasons: Annotated[str, msgspec.Meta(max_length=1000)]
    lines: tuple[LineReason, ...]
    decider: Annotated[str, msgspec.Meta(max_length=120)]
    decided_at: Instant


class Body(msgspec.Struct, frozen=True):
    """What is said: of what was received under that receipt, every decision, oldest first; none: not decided yet.

    `receipt` is the one that was given, word for word.
    """

    receipt: str
    decisions: tuple[Decision, ...]
    schema: Literal["safe-campus.decisions.v1"] = "safe-campus.decisions.v1"
