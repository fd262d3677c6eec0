"""What was measured becomes the return: facts, exceptions, incidents, rules and the sign-off in one document (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from reports.attach import HEADS, added_of, category_of, history_of, profile_of, tested_as_closed
from reports.document import (
    Bureau,
    Cause,
    ChainHead,
    Change,
    Clock,
    Fact,
    Incident,
    Period,
    ReturnDocument,
    Rule,
    School,
    Score,
    ScoreLine,
    SignOff,
    Words,
    changed_facts,
    freeze,
    suppressed,
)
from reports.exceptions import exceptions, named_occurrence
from reports.inputs import Tested
from safety.calendar import Period as Quarter
from safety.counting import REACHED
from safety.duties import AWARENESS, ZERO, before_close, close_at
from safety.facts import SchoolFacts, size_at
from safety.incidents import rules as incidents
from safety.measures import BACKFILLED, LATE, Measured
from safety.rulebook import Rulebook
from safety.scoring import MEASURED_AS, as_json
from safety.scoring import Score as Scored
from safety.sheet import SheetLine

INCIDENTS = "incidents"
"""The line under which an incident stands among the facts: it weighs on several lines at once."""
PRINTED_AS = {ZERO: "T2"}
"""Zero-reports answer four targets; the return names them once, under the first."""


@dataclass(frozen=True, slots=True)
class Found:
    """A school's quarter as measured at an instant, from its entries read singly."""

    facts: SchoolFacts
    period: Quarter
    book: Rulebook
    score: Scored
    measured: Mapping[str, Measured]
    incidents: Sequence[incidents.Incident]
    at: datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """The sign-off that holds: whose, when, and the facts that it was given on."""

    signer: str
    signed_at: datetime
    facts_digest: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Making:
    """How and when a return is made: what is not in the ledgers."""

    bureau: Bureau
    made_at: datetime
    version: int = 1
    draft: bool = False
    closed_late: bool = False
    test_clock: bool = False
    signed: Signed | None = None
    chain_head: ChainHead | None = None
    previous_digest: str | None = None
    reason: str = ""
    causes: tuple[Cause, ...] = ()


def compile_return(found: Found, making: Making) -> ReturnDocument:
    """The frozen document. The same ledgers give the same facts digest, whenever and by whomever it is made."""
    facts = facts_of(found)
    score = msgspec.convert(as_json(found.score), Score, strict=False)
    missed = exceptions(found.facts, found.period, found.book.duties, found.measured, found.at, PRINTED_AS)
    return freeze(
        ReturnDocument(
            school=_school(found),
            bureau=making.bureau,
            period=_period(found.period),
            version=making.version,
            made_at=making.made_at,
            draft=making.draft,
            closed_late=making.closed_late,
            test_clock=making.test_clock,
            made_up=found.facts.made_up,
            provisional_years=_provisional(found),
            sign_off=_sign_off(making.signed, facts),
            standards=found.score.standards,
            score=named_once(score, facts),
            rules=tuple(_rule(line) for line in found.book.sheet.lines),
            profile=profile_of(found.facts, found.period, found.at),
            added=added_of(found.measured),
            tested_as_closed=tested_as_closed(found.measured),
            facts=facts,
            incidents=tuple(_incidents(found)),
            exceptions=missed,
            causes=making.causes,
            late=_entries(found.measured, LATE),
            backfilled=_entries(found.measured, BACKFILLED),
            chain_head=making.chain_head,
            previous_digest=making.previous_digest,
            reason=making.reason,
        )
    )


def facts_of(found: Found) -> tuple[Fact, ...]:
    """Every entry that counts, once for each occurrence it answers, and every incident of the quarter."""
    filled = [
        Fact(
            id=str(fill.entry),
            line=PRINTED_AS.get(line, line),
            occurrence=named_occurrence(line, fill.occurrence, found.facts),
            happened_on=fill.day,
            recorded_at=fill.recorded_at or found.at,
            timed_on=fill.timed_on,
            reached=fill.amount if line == REACHED else 0,
            tested=Tested(checked=fill.whole, passed=fill.amount) if line == AWARENESS else None,
        )
        for line, measured in found.measured.items()
        for fill in measured.fills
    ]
    return (*filled, *(_incident_fact(item, state, found.at) for item, state in _of_quarter(found)))


def named_once(score: Score, facts: Iterable[Fact]) -> Score:
    """The score without the entries that the facts of a line name already. Left are those that no fact of it names:
    incidents that a target turned on.
    """
    of: dict[str, set[str]] = {}
    for fact in facts:
        of.setdefault(fact.line, set()).add(fact.id)

    def spared(line: ScoreLine) -> ScoreLine:
        measured = MEASURED_AS.get(line.id, line.id)
        known = of.get(PRINTED_AS.get(measured, measured), set())
        return replace(line, entries=tuple(entry for entry in line.entries if entry not in known))

    groups = tuple(replace(group, lines=tuple(map(spared, group.lines))) for group in score.groups)
    return replace(score, groups=groups)


def _entries(measured: Mapping[str, Measured], timing: int) -> int:
    """How many entries answer something with that timing."""
    return len({f.entry for found in measured.values() for f in found.fills if f.timing == timing})


def _school(found: Found) -> School:
    facts = found.facts
    enrolled = size_at(facts.enrolments, before_close(found.period, found.at))
    return School(
        code=facts.code, name=Words(zh=facts.name, en=facts.name_en), stage=facts.stage, enrolment=enrolled
    )


def _period(period: Quarter) -> Period:
    return Period(id=period.id, starts=period.start, ends=period.end, closes_at=close_at(period))


def _provisional(found: Found) -> tuple[int, ...]:
    return tuple(found.facts.calendar.provisional_years(found.period.start, found.period.end))


def _rule(line: SheetLine) -> Rule:
    record = line.basis or line.cadence
    return Rule(
        line=line.id,
        text=Words(zh=line.rule("zh"), en=line.rule("en")),
        source=Words(zh=line.citation("zh"), en=line.citation("en")),
        mark=record.verified,  # type: ignore[arg-type]
    )


# ---------------------------------------------------------------- the sign-off
def _sign_off(signed: Signed | None, facts: tuple[Fact, ...]) -> SignOff | None:
    if signed is None:
        return None
    return SignOff(
        signer=signed.signer,
        signed_at=signed.signed_at,
        facts_digest=signed.facts_digest,
        changes=tuple(changes_since(signed.facts, facts)),
    )


def changes_since(signed: tuple[Fact, ...], facts: tuple[Fact, ...]) -> list[Change]:
    """What moved since the sign-off. A corrected entry is one change, though its new version has a new id."""
    now = {fact.id: fact for fact in facts}
    before = {fact.id: fact for fact in signed}
    changes = changed_facts(signed, facts)
    added = {_place(now[c.id]): c for c in changes if c.kind == "added"}
    replaced = {_place(before[c.id]) for c in changes if c.kind == "removed"} & added.keys()
    kept = [
        c
        for c in changes
        if c.kind == "altered" or _place((now if c.kind == "added" else before)[c.id]) not in replaced
    ]
    return kept + [replace(added[place], kind="altered") for place in replaced]


def _place(fact: Fact) -> tuple[str, str]:
    return fact.line, fact.occurrence


# ---------------------------------------------------------------- incidents
def _of_quarter(found: Found) -> Iterable[tuple[incidents.Incident, incidents.State]]:
    return concerned(found.incidents, found.period, found.at, found.book)


def concerned(
    several: Iterable[incidents.Incident], period: Quarter, at: datetime, book: Rulebook
) -> Iterable[tuple[incidents.Incident, incidents.State]]:
    """The incidents that weigh on a quarter, as they were known at the instant looked from."""
    for item in several:
        if incidents.consequence(item, period, at, book.incidents) is None:
            continue
        known = [item.state_at(i) for i in item.changes() if i <= at]
        standing = [state for state in known if state is not None and not state.voided]
        if standing:
            yield item, standing[-1]


def _incident_fact(item: incidents.Incident, state: incidents.State, at: datetime) -> Fact:
    # A later finding or figure moves the time, so that a sign-off given before it shows the change.
    last = max(change for change in item.changes() if change <= at)
    return Fact(
        id=str(item.id),
        line=INCIDENTS,
        occurrence=state.day.isoformat(),
        happened_on=state.day,
        recorded_at=last,
    )


def _incidents(found: Found) -> Iterable[Incident]:
    book = found.book.incidents
    for item, state in _of_quarter(found):
        sensitive = category_of(item, state.category, found.at)
        given: dict[str, Any] = {name: suppressed(getattr(state, name), sensitive) for name in HEADS}
        given |= {"category": state.category, "grade": incidents.grade(state, book)}
        yield Incident(
            id=str(item.id),
            happened_on=state.day,
            discovered_at=state.discovered_at,
            recorded_at=item.first_known_at,
            liability=incidents.liability(item, found.period, found.at),  # type: ignore[arg-type]
            clocks=tuple(_clocks(item, state, found)),
            loss_yuan=state.loss_yuan,
            history=history_of(item, found.at, book),
            **given,
        )


def _clocks(item: incidents.Incident, state: incidents.State, found: Found) -> Iterable[Clock]:
    book = found.book.incidents
    for number, clock in enumerate(incidents.clocks(item, found.at, book)):
        reported = clock.reported_at is not None and clock.reported_at <= found.at
        cause = incidents.cause_of(clock, found.at)
        yield Clock(
            reason="worse" if number else state.category,
            starts_at=clock.started_at,
            due_at=clock.deadline,
            reported_at=clock.reported_at if reported else None,
            reported_by=clock.reported_by if reported else None,  # type: ignore[arg-type]
            outcome=cause or ("in-time" if reported else "running"),
        )
