"""What a bureau on another instance decided on a return: kept here once, and from then on like a decision made here."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reports import queries
from reports.canonical import canonical
from reports.delivery.decided import Decision
from reports.delivery.signed import BadAnswer
from reports.life import standing
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction

SAVE = """insert into told_decision
(id, sealed, item, outcome, reasons, lines, decider, decided_at, told_at, answer)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing returning id"""
KNOWN = "select sealed, item, outcome, reasons, lines, decider, decided_at from told_decision where id = $1"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a school's return that another instance received; `item` is the number of its receipt."""

    sealed: UUID
    school: int
    period: str
    number: int
    item: UUID


async def keep(version: Version, decisions: Iterable[Decision], answer: str, now: datetime) -> int:
    """Keep what was decided on a version, oldest first, with the signed answer that tells it; returns how much was new.

    Raises BadAnswer, and keeps nothing: for a line that the sheet does not have; for characters that nobody types; for
    a decision that was told otherwise before.
    """
    async with transaction():
        # Whoever signs a new version holds the chain meanwhile, as with a decision that is made here.
        await queries.chain_head(version.school, locked=True)
        return sum([await _keep(version, decision, answer, now) for decision in decisions])


def _is_control(char: str) -> bool:
    """NUL, which not every database keeps, and its like; not the white space among them."""
    return unicodedata.category(char) == "Cc" and not char.isspace()


async def _keep(version: Version, decision: Decision, answer: str, now: datetime) -> bool:
    lines = {reason.line: reason.text for reason in decision.lines}
    if not lines.keys() <= set(standing.sheet_lines(Period.parse(version.period))):
        raise BadAnswer("the decision speaks of a line that is not on the score")
    if any(
        _is_control(char) for text in (decision.reasons, decision.decider, *lines.values()) for char in text
    ):
        raise BadAnswer("the decision has control characters in it")
    said = (
        version.sealed, version.item, decision.outcome, decision.reasons, canonical(lines).decode(),
        decision.decider, decision.decided_at,
    )  # fmt: skip
    if not await fetch_tuples(None, SAVE, [decision.id, *said, now, answer]):
        if await fetch_tuples(None, KNOWN, [decision.id]) != [said]:
            raise BadAnswer("a decision that was told before says something else now")
        return False
    facts = {"version": version.number, "receipt": version.item, "reasons": decision.reasons, "lines": lines}
    facts |= {"decider": decision.decider, "decided_at": decision.decided_at, "decision": decision.id}
    await append(version.school, None, f"return.{decision.outcome}", f"returns/{version.period}", facts, now)
    return True
