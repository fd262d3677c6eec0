"""One school, one instant, one unit: board, late page, line pages, return and roll-up say the same, in occurrences."""

import hashlib
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.rules import put_in_use
from reports import figures, files, queries
from reports.actions import seal
from reports.bureau import boards, lateness
from reports.canonical import canonical
from reports.delivery.actions import deliver_waiting
from reports.document import ReturnDocument
from reports.layout import score_view
from reports.pdf import Renderer
from reports.press import Press
from reports.rollup import queries as rollup_queries
from safety import in_use
from safety.access.queries import scope_of_login
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.duties import AWARENESS, ZERO, close_at, windows
from safety.ids import new_id
from safety.ledger.actions import record
from safety.ledger.evidence import Reader
from safety.ledger.feeds import feeds_by_line
from safety.migrations import migrate
from safety.places.facts import school_facts
from safety.rulebook import Rulebook
from safety.scores import scores
from safety.scoring import MEASURED_AS, Score
from safety.web.score_view import LineReader, totals_of
from tests.cast import Cast, make_cast
from tests.county import make_county
from tests.db.histories import START, History
from tests.ledgers import ledgers_in_use
from tests.sample_return import sample_return
from tests.small_pdf import small_pdf

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
QUARTERS = [Period.parse(text) for text in ("2026Q2", "2026Q3", "2026Q4")]
STATES = ("on-time", "late", "backfilled", "missing", "open")
EVERY = 10**9


class QuickRenderer(Renderer):
    """Draws nothing: small bytes of its own for each document."""

    async def render(self, job: Any) -> bytes:
        return b"%PDF " + hashlib.sha256(canonical(job.document)).digest()


async def row_of(cast: Cast, school: int, period: Period, now: datetime) -> boards.SchoolRow:
    clerk = await scope_of_login("clerk", now)  # whose schools may have become more
    assert clerk is not None
    found = await boards.board(clerk, cast.county, period, now)
    return next(row for row in found.rows if row.facts.id == school)


async def opened_lines(school: int, period: Period, now: datetime) -> dict[str, Counter[str]]:
    """What the pages of the lines list: of each measured line, how many occurrences are in which state."""
    facts, book = await school_facts(school), Rulebook.of(in_use.standards(), period)
    measured = await Reader(in_use.registry(), period, book, now, singly=True).measure(facts)
    found = {}
    for line, (ledger, _) in feeds_by_line(in_use.registry()).items():
        view = LineReader(line, facts, period, book.duties, ledger.name, now)
        listed = view.occurrences(windows(line, facts, period, book.duties), measured[line])
        found[line] = Counter({state: sum(item.count(state) for item in listed) for state in STATES})
    return found


def said_by_score(score: Score) -> dict[str, Counter[str]]:
    counts = {MEASURED_AS.get(line.id, line.id): line.count for group in score.groups for line in group.lines}
    return {
        line: Counter({state: getattr(count, state.replace("-", "_")) for state in STATES})
        for line, count in counts.items()
        if line != AWARENESS
    }


async def late_listed(school: int, period: Period, now: datetime) -> dict[str, Counter[str]]:
    """What the late page lists, read a page of seven at a time."""
    found: dict[str, Counter[str]] = {}
    total = (await lateness.sums([school], period, now)).of("")
    for first in range(0, total, 7):
        for item in await lateness.late_ones([school], period, "", first, first + 7, now):
            found.setdefault(item.line, Counter())[item.answer.timing] += 1
    return found


def late_of(lines: dict[str, Counter[str]]) -> dict[str, Counter[str]]:
    parts = {
        line: Counter({kind: n for kind in ("late", "backfilled") if (n := of[kind])})
        for line, of in lines.items()
    }
    return {line: part for line, part in parts.items() if part}


async def agree(cast: Cast, school: int, period: Period, now: datetime) -> Score:
    """Everything that looks at the ledgers as they stand now."""
    score = (await scores([school], period, now))[school]
    totals, row = totals_of(score), await row_of(cast, school, period, now)
    if row.sealed is None:
        assert row.figures.totals == totals
    by_line = said_by_score(score)
    opened = await opened_lines(school, period, now)
    assert {line: opened[line] for line in by_line if line in opened} == {
        line: of for line, of in by_line.items() if line in opened
    }
    sums = await lateness.sums([school], period, now)
    assert (sums.late, sums.backfilled) == (totals.late, totals.backfilled)
    assert (sums.zero_late, sums.zero_backfilled) == (by_line[ZERO]["late"], by_line[ZERO]["backfilled"])
    assert await late_listed(school, period, now) == late_of(by_line)
    for kind in ("late", "backfilled", "zero"):
        assert len(await lateness.late_ones([school], period, kind, 0, EVERY, now)) == sums.of(kind)
    draft = await queries.draft_of(school, period, now)
    assert said_by_return(draft) == (totals.expected, totals.on_time, totals.late, totals.backfilled)
    if row.sealed is None:
        assert figures.read(canonical(draft)) == row.figures
    return score


def said_by_return(document: ReturnDocument) -> tuple[int, int, int, int]:
    """As the cover of the return prints it."""
    found = score_view.duties(document)
    return found.expected, found.on_time, found.late, found.backfilled


# ---------------------------------------------------------------- a county
@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    return cast


async def test_before_the_close_every_page_counts_alike(county: Cast) -> None:
    now = CLOSE - timedelta(hours=5)
    score = await agree(county, county.school, Q3, now)
    totals = totals_of(score)
    assert min(totals.late, totals.missing, totals.on_time) > 0, "or the equality says nothing"


async def test_at_the_close_the_return_the_board_and_the_roll_up_say_the_same(
    county: Cast, tmp_path: Path
) -> None:
    press = Press(tmp_path, QuickRenderer(tmp_path), "test")
    live = (await row_of(county, county.school, Q3, CLOSE)).figures
    await seal(county.school, Q3, CLOSE)
    await deliver_waiting(press, CLOSE, everything=True)
    row = await row_of(county, county.school, Q3, CLOSE)
    assert (row.state, row.since, row.figures) == ("returned", None, live)
    document = await queries.document_of(county.school, Q3)
    assert document is not None
    totals = row.figures.totals
    assert said_by_return(document) == (totals.expected, totals.on_time, totals.late, totals.backfilled)
    rolled = next(
        item.sealed
        for item in (await rollup_queries.gather(county.county, Q3)).schools
        if item.code == "S001"
    )
    assert rolled is not None
    assert (rolled.late, rolled.backfilled, rolled.total) == (totals.late, totals.backfilled, row.total)
    await agree(county, county.school, Q3, CLOSE)


async def test_a_return_of_another_instance_is_on_the_board_what_it_is_in_the_roll_up(
    county: Cast, tmp_path: Path
) -> None:
    school = msgspec.structs.replace(sample_return().school, code="S002")
    document = sample_return(school=school)
    digest = files.store(tmp_path, small_pdf("S002", canonical(document)))
    add_item = """insert into inbox_item (id, bureau, message, school_code, period, version, facts_digest, bytes_digest,
    size, received_at) values ($1, $2, $1, 'S002', '2026Q3', 1, $3, $4, 9, $5)"""
    await fetch_tuples(None, add_item, [new_id(), county.county, document.facts_digest, digest, CLOSE])
    found = await boards.board(county["clerk"], county.county, Q3, CLOSE, tmp_path)
    row = next(row for row in found.rows if row.facts.code == "S002")
    assert (row.state, row.since, row.figures) == ("returned", None, figures.read(canonical(document)))
    rolled = {
        item.code: item.sealed for item in (await rollup_queries.gather(county.county, Q3, tmp_path)).schools
    }
    far = rolled["S002"]
    assert far is not None
    totals = row.figures.totals
    assert (row.total, totals.late, totals.backfilled) == (far.total, far.late, far.backfilled)
    received_anew = await boards.board(county["clerk"], county.county, Q3, CLOSE, tmp_path / "elsewhere")
    assert [row.state for row in received_anew.rows] == ["missing", "missing"], (
        "a board opens without its files"
    )


async def test_what_comes_after_the_close_moves_nothing_of_the_sealed_row_and_marks_it(county: Cast) -> None:
    await seal(county.school, Q3, CLOSE)
    before, later = await row_of(county, county.school, Q3, CLOSE), CLOSE + timedelta(days=3)
    document = await queries.document_of(county.school, Q3)
    assert document is not None
    missed = {item.line: item for item in document.exceptions if item.kind == "missed"}
    said = {"happened_on": missed["T2"].due_on, "person": county["officer"].account_id}
    await add(county, "zero_reports", said, later)
    after = await row_of(county, county.school, Q3, later)
    assert (after.figures, after.since) == (before.figures, None), (
        "a zero-report is no duty and raises nothing"
    )
    reminder = missed["education.daily"]
    classes = {item.name: item.id for item in (await school_facts(county.school)).classes}
    said = {"class": classes[reminder.unit], "happened_on": reminder.due_on, "text": "慢行"}
    await add(county, "daily_reminders", said, later)
    after = await row_of(county, county.school, Q3, later)
    assert after.since == boards.Since(before.total, 1)
    assert (after.total, after.grade, after.figures) == (before.total, before.grade, before.figures)
    sums = await lateness.sums([county.school], Q3, later)
    assert sums.backfilled == before.figures.totals.backfilled + 1
    assert sums.zero_backfilled == 1
    await agree(county, county.school, Q3, later)


async def test_returns_sealed_before_the_figures_stood_beside_them_get_them(county: Cast) -> None:
    await seal(county.school, Q3, CLOSE)
    before = (await row_of(county, county.school, Q3, CLOSE)).figures
    assert min(before.enrolment, before.totals.expected, before.totals.late, before.incidents) > 0
    for name in figures.COLUMNS:
        await fetch_tuples(None, f"alter table school_return drop column {name}")
    added = "2026-11-22T09:10:00:000000"
    await fetch_tuples(None, "delete from migration where app_name = 'reports' and name >= $1", [added])
    assert next(step.id for step in await migrate()) == added
    assert (await row_of(county, county.school, Q3, CLOSE)).figures == before


async def add(county: Cast, ledger: str, values: dict[str, Any], now: datetime) -> None:
    key = f"after-close-{ledger}"
    await record(in_use.registry()[ledger], county["officer"], county.school, values, key, now)


# ---------------------------------------------------------------- whatever happened
@pytest.fixture
async def cast(database: CampusEngine) -> Any:
    with ledgers_in_use():
        yield await make_cast(START)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32), steps=st.integers(20, 140))
async def test_whatever_was_recorded_every_page_counts_alike(cast: Cast, seed: int, steps: int) -> None:
    history = await History.begin(Random(seed), cast)
    await history.live(steps)
    now = history.now
    for period in QUARTERS:
        await agree(cast, history.school, period, now)
        if close_at(period) <= now:
            await seal(history.school, period, now)
            sealed = (await row_of(cast, history.school, period, now)).sealed
            found = await queries.measured(history.school, period, close_at(period), now=False)
            assert sealed is not None
            assert (sealed.figures.totals, sealed.total) == (totals_of(found.score), found.score.total)
