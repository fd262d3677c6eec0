"""A school's score board, and every line of it opened down to its entries and its law.

The same pages stand at `/schools/…` for the school and its bureau, and at `/inspect/schools/…` behind the read-only
door: a `Door` says where their links lead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from litestar import Response, Router, get
from litestar.params import FromPath

from safety import in_use
from safety.calendar import Period
from safety.duties import AWARENESS, EVALUATED, ZERO, ZERO_TARGETS, windows
from safety.errors import NotFound
from safety.facts import SchoolFacts, size_at
from safety.incidents.rules import Consequence
from safety.ledger.evidence import Reader
from safety.ledger.feeds import feeds_by_line
from safety.measures import Measured
from safety.places.facts import school_facts
from safety.rulebook import Rulebook
from safety.scores import consequences_of, incidents_by_school, scores
from safety.scoring import MEASURED_AS, Score
from safety.web.guards import at_school
from safety.web.pages import page
from safety.web.paging import page_number
from safety.web.quarters import past_quarters, quarters_of
from safety.web.score_view import (
    STATUS_KINDS,
    LineReader,
    Occurrence,
    grade_kind,
    grade_of,
    sum_kind,
    totals_of,
    unrounded,
)
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
PER_PAGE = 20
STATES = ("missing", "late", "backfilled", "open")
UNCOUNTED = "uncounted"
"""Narrows to days with a zero-report that does not count."""


@dataclass(frozen=True, slots=True)
class Door:
    """Through which address a school is looked at. `trail` is the crumb before it: (catalogue key, path)."""

    base: str
    inspect: bool = False


def school_door(code: str) -> Door:
    return Door(f"/schools/{code}")


# ---------------------------------------------------------------- the board
async def show_board(request: WebRequest, door: Door) -> Page:
    """The score of one quarter, and those before it."""
    visit = visit_of(request)
    quarters = quarters_of(request)
    facts = await school_facts(visit.school)
    trend = [
        (period, (await scores([facts.id], period, visit.now))[facts.id])
        for period in await past_quarters(facts.id, quarters.current)
    ]
    score = dict(trend).get(quarters.shown)
    if score is None:
        score = (await scores([facts.id], quarters.shown, visit.now))[facts.id]
    sheet = Rulebook.of(in_use.standards(), quarters.shown).sheet
    return page(
        request,
        "board_school.html",
        door=door,
        facts=facts,
        quarters=quarters,
        score=score,
        sheet=sheet,
        grade=grade_of(score, sheet),
        kinds=STATUS_KINDS,
        grade_kind=grade_kind(grade_of(score, sheet), sheet),
        totals=totals_of(score),
        trend=[(period, found, _grade_in(found, period)) for period, found in trend],
    )


def _grade_in(score: Score, period: Period) -> object:
    return grade_of(score, Rulebook.of(in_use.standards(), period).sheet)


# ---------------------------------------------------------------- one line
async def show_line(request: WebRequest, door: Door, named: str, line: str) -> Page:
    """One line: its law, its sum, and its occurrences with the entries that answer them."""
    visit = visit_of(request)
    quarters = quarters_of(request, named)
    period = quarters.shown
    book = Rulebook.of(in_use.standards(), period)
    if line not in {item.id for item in book.sheet.lines}:
        raise NotFound
    facts = await school_facts(visit.school)
    score = (await scores([facts.id], period, visit.now))[facts.id]
    occurrences, costs = await _evidence(facts, period, book, line, visit.now)
    wanted = request.query_params.get("show", "")
    chosen = [
        item
        for item in occurrences
        if not wanted or (_uncounted(item) if wanted == UNCOUNTED else item.count(wanted))
    ]
    number = page_number(request)
    return page(
        request,
        "board_line.html",
        door=door,
        facts=facts,
        quarters=quarters,
        score=score,
        line=score.line(line),
        group=next(group for group in score.groups if any(item.id == line for item in group.lines)),
        rule=book.sheet.line(line),
        rules=book.rules_of(line, period),
        sheet=book.sheet,
        kinds=STATUS_KINDS,
        ledger=_ledger_of(line),
        formula=sum_kind(score.line(line), pending=line == "T2" and any(c.pending for c in costs)),
        exact=unrounded(score.line(line)),
        enrolled=size_at(facts.enrolments, min(visit.now, score.as_of)),
        consequences=[
            (c, line in c.missed) for c in costs if line in c.missed or (line == "T2" and c.pending)
        ],
        states=[
            *(
                (state, sum(item.count(state) for item in occurrences) if line != AWARENESS else 0)
                for state in STATES
            ),
            (UNCOUNTED, sum(map(_uncounted, occurrences)) if line != EVALUATED else 0),
        ],
        wanted=wanted,
        asked=score.line(line).count.expected if not wanted and line != AWARENESS else 0,
        occurrences=chosen[(number - 1) * PER_PAGE : number * PER_PAGE],
        total=len(chosen),
        number=number,
        per_page=PER_PAGE,
    )


def _uncounted(item: Occurrence) -> bool:
    return bool(item.beside)


def _ledger_of(line: str) -> str:
    """The name of the ledger that a line is measured from; empty where there is none yet."""
    found = feeds_by_line(in_use.registry()).get(MEASURED_AS.get(line, line))
    return found[0].name if found else ""


async def _evidence(
    facts: SchoolFacts, period: Period, book: Rulebook, line: str, now: datetime
) -> tuple[list[Occurrence], Sequence[Consequence]]:
    measured_line = MEASURED_AS.get(line, line)
    registry = in_use.registry()
    if measured_line not in feeds_by_line(registry):
        return [], ()
    incidents = (await incidents_by_school([facts.id]))[facts.id]
    costs = consequences_of(incidents, period, now, book) if line in ZERO_TARGETS else ()
    spans = windows(measured_line, facts, period, book.duties)
    measured = Measured([], [])
    if spans:
        reader = Reader(registry, period, book, now, now=True, singly=True)
        measured = (await reader.measure(facts, {measured_line: spans}))[measured_line]
    known: frozenset[UUID] = (
        frozenset(item.id for item in incidents) if measured_line == ZERO else frozenset()
    )
    ledger = feeds_by_line(registry)[measured_line][0].name
    view = LineReader(measured_line, facts, period, book.duties, ledger, now, known)
    return view.occurrences(spans, measured), costs


# ---------------------------------------------------------------- for the school and its bureau
READERS = ("officer", "principal", "leader", "clerk")


@get("/schools/{code:str}", guards=[at_school(*READERS)])
async def school_board(request: WebRequest, code: FromPath[str]) -> Page:
    """The score board; `?period=2026Q3` chooses a quarter."""
    return await show_board(request, school_door(code))


@get("/schools/{code:str}/score/{period:str}/{line:str}", guards=[at_school(*READERS)])
async def school_line(
    request: WebRequest, code: FromPath[str], period: FromPath[str], line: FromPath[str]
) -> Page:
    """One line of it; `?show=missing` narrows to what is missing, late, backfilled or open."""
    return await show_line(request, school_door(code), period, line)


ROUTER = Router("/", route_handlers=[school_board, school_line])
