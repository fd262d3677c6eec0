"""What came late or after the close at a bureau's schools, occurrence by occurrence, as the tallies count it.

The counts are those of the board and of the lines; of the occurrences only a page's are measured, so that a county's
quarter opens as quickly as a school's.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from safety import in_use
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.duties import AWARENESS, ZERO, Window
from safety.facts import SchoolFacts
from safety.ledger.evidence import Reader
from safety.ledger.feeds import feeds_by_line
from safety.measures import Measured
from safety.places.facts import facts_of
from safety.rulebook import Rulebook
from safety.scores import incidents_by_school
from safety.web.score_view import Answer, LineReader, Occurrence

SUMS = """select case when line = $3 then 1 else 0 end, sum(late), sum(backfilled) from tally
where day between $1 and $2 and line <> $4 and school in ({schools}) group by 1"""
PLACED = """select school, line, day, upto - number from (
select school, line, day, {number} as number, sum({number}) over (order by day desc, school, line) as upto
from tally where day between $1 and $2 and line <> $3 and {which} and {number} > 0 and school in ({schools})) t
where upto > $4 and upto - number < $5 order by upto"""
NUMBERS = {"": "late + backfilled", "late": "late", "backfilled": "backfilled", "zero": "late + backfilled"}
"""What is counted under each narrowing; `zero` are the zero-reports, which the duties do not hold."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Occurrences of duties, and of zero-reports."""

    late: int = 0
    backfilled: int = 0
    zero_late: int = 0
    zero_backfilled: int = 0

    def of(self, wanted: str) -> int:
        """How many there are under a narrowing."""
        zero, duties = self.zero_late + self.zero_backfilled, self.late + self.backfilled
        return {"": duties + zero, "zero": zero, "late": self.late, "backfilled": self.backfilled}[wanted]


@dataclass(frozen=True, slots=True)
class LateOne:
    """An occurrence that was answered late or after the close, and the entry that answers it. `line` as measured."""

    facts: SchoolFacts
    line: str
    occurrence: Occurrence
    answer: Answer


async def sums(ids: Sequence[int], period: Period, now: datetime) -> Sums:
    """How much of what was due by now came late, or after the close, at schools that the viewer was let in to."""
    if not ids:
        return Sums()
    args = [*_due(period, now), ZERO, AWARENESS, *ids]
    found = {
        zero: (int(late), int(after))
        for zero, late, after in await fetch_tuples(None, _among(SUMS, ids, 4), args)
    }
    return Sums(*found.get(0, (0, 0)), *found.get(1, (0, 0)))


async def late_ones(
    ids: Sequence[int], period: Period, wanted: str, first: int, last: int, now: datetime
) -> list[LateOne]:
    """Those from the first up to the last, of the latest due dates first. `wanted` narrows (a key of NUMBERS)."""
    if not ids:
        return []
    which = f"line {'=' if wanted == 'zero' else '<>'} '{ZERO}'" if wanted else "true"
    sql = _among(PLACED, ids, 5, number=NUMBERS[wanted], which=which)
    rows = await fetch_tuples(None, sql, [*_due(period, now), AWARENESS, first, last, *ids])
    if not rows:
        return []
    found = await _answered([(school, line, day) for school, line, day, _ in rows], period, wanted, now)
    return found[first - int(rows[0][3]) :][: last - first]


def _due(period: Period, now: datetime) -> tuple[date, date]:
    """The due dates that count: an evaluation announced for a day to come may be timed before it is due."""
    return period.start, min(period.end, local_day(now))


def _among(sql: str, ids: Sequence[int], after: int, **parts: str) -> str:
    return sql.format(schools=", ".join(f"${after + n}" for n in range(1, len(ids) + 1)), **parts)


async def _answered(
    places: Sequence[tuple[int, str, date]], period: Period, wanted: str, now: datetime
) -> list[LateOne]:
    """The occurrences of these schools, lines and due dates that came late, in their order."""
    book = Rulebook.of(in_use.standards(), period)
    reader = Reader(in_use.registry(), period, book, now, singly=True)
    schools = sorted({school for school, _, _ in places})
    facts, incidents = await facts_of(schools), await incidents_by_school(schools)
    spans: dict[int, dict[str, list[Window]]] = defaultdict(lambda: defaultdict(list))
    for school, line, day in places:
        spans[school][line] += [window for window in reader.windows(facts[school], line) if window.due == day]
    measured = await reader.measure_many({facts[school]: spans[school] for school in schools})
    views = {
        (school, line): LineReader(
            line, facts[school], period, book.duties, feeds_by_line(in_use.registry())[line][0].name, now,
            frozenset(item.id for item in incidents[school]) if line == ZERO else frozenset(),
        )
        for school, line, _ in places
    }  # fmt: skip
    return [
        item
        for school, line, day in places
        for item in _of_day(views[school, line], spans[school][line], measured[school][line], day, wanted)
    ]


def _of_day(
    view: LineReader, spans: Sequence[Window], measured: Measured, day: date, wanted: str
) -> Iterator[LateOne]:
    timings = {wanted} if wanted in {"late", "backfilled"} else {"late", "backfilled"}
    for occurrence in view.occurrences([window for window in spans if window.due == day], measured):
        for answer in occurrence.answers:
            if answer.timing in timings:
                yield LateOne(view.facts, view.line, occurrence, answer)
