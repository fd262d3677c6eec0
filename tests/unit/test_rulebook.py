"""Standards over time: what holds on which day, and that a change moves nothing before its day."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.ledgers import REGISTRY
from config.rules import product_standards as standards
from safety.calendar import Period
from safety.duties import DUTIES, close_at, windows
from safety.ledger.feeds import feeds_by_line, measure_line
from safety.limits import Dated
from safety.measures import Measured, Setting
from safety.rulebook import Rulebook
from safety.scoring import as_json
from safety.standards import NoStandard, Standards
from tests.unit.cases import Book, fill_perfectly, run, scored
from tests.unit.law import changed
from tests.unit.test_scoring_properties import CALM, QUARTERS, any_school, ordinary

Q3 = Period.parse("2026Q3")
DAY = date(2026, 8, 15)
GRAMS = {"id": "food.samples.least_grams", "from": DAY, "value": 200}
NEW: dict[str, Any] = {
    "grace.daily": 3,
    "grace.weekly": 1,
    "grace.long": 2,
    "month.least_school_days": 2,
    "duty.gate.least_slots": 3,
    "duty.patrol.rounds": 2,
    "duty.patrol.gap": 90,
    "duty.checkin.lead": 0,
    "food.samples.least_grams": 126,
    "food.samples.least_hours": 72,
    "drills.evaluated.due_days": 3,
}


# ---------------------------------------------------------------- day by day
@given(st.lists(st.integers(0, 60), min_size=1, unique=True), st.integers(-5, 65), st.integers(-5, 65))
def test_spans_cover_every_day_once_with_what_holds_on_it(days: list[int], one: int, other: int) -> None:
    origin = date(2026, 1, 1)
    dated = Dated(tuple((origin + timedelta(days=n), n) for n in sorted(days)))
    start, end = (origin + timedelta(days=n) for n in sorted((one, other)))
    spans = list(dated.spans(start, end))
    assert (spans[0][0], spans[-1][1]) == (start, end)
    assert all(b[0] - a[1] == timedelta(days=1) and a[2] != b[2] for a, b in pairwise(spans))
    cut = dated.within(start, end)
    for first, last, value in spans:
        for day in (first, last):
            assert dated.on(day) == cut.on(day) == value
            assert value == max((n for n in days if origin + timedelta(days=n) <= day), default=min(days))


def test_days_that_change_nothing_are_left_out() -> None:
    book = Rulebook.of(standards(), Q3)
    assert len(book.duties.steps) == len(book.lines.steps) == len(book.spans) == 1
    assert len(Rulebook.of(changed([GRAMS | {"value": 125}]), Q3).duties.steps) == 1


# ---------------------------------------------------------------- which version
def test_a_score_names_its_version_and_each_day_of_change() -> None:
    plain, other = standards(), changed([GRAMS])
    assert Rulebook.of(plain, Q3).version == plain.version
    assert Rulebook.of(other, Q3).version == f"{other.version}+2026-08-15"
    assert Rulebook.of(other, Q3.next()).version == other.version
    twice = changed([GRAMS, GRAMS | {"from": date(2026, 9, 1), "value": 300}])
    assert Rulebook.of(twice, Q3).version == f"{twice.version}+2026-08-15+2026-09-01"
    assert [span.changed for span in Rulebook.of(twice, Q3).spans] == [(), (GRAMS["id"],), (GRAMS["id"],)]


def test_a_change_on_the_first_day_is_no_change_within() -> None:
    book = Rulebook.of(changed([GRAMS | {"from": Q3.start}]), Q3)
    assert len(book.spans) == 1
    assert {rules.sample_grams for _, _, rules in book.duties.spans(Q3.start, Q3.end)} == {200}


def test_a_line_reads_as_it_stood_that_day() -> None:
    book = Rulebook.of(changed([GRAMS]), Q3)
    before, after = (book.line_on("food.samples", day) for day in (date(2026, 8, 14), DAY))
    assert "不少于125克" in before.rule("zh")
    assert "不少于200克" in after.rule("zh")
    assert book.sheet.line("food.samples") == after


# ---------------------------------------------------------------- duties that come and go
def test_numbers_of_a_duty_that_is_not_there_yet_are_not_asked_for() -> None:
    law = standards()
    records = (replace(r, since=DAY) if r.id.startswith("duty.patrol.") else r for r in law.records)
    later = Standards(tuple(records), law.edition)
    book = Rulebook.of(later, Q3)
    assert "duty.patrol" not in book.duties.on(date(2026, 8, 14)).asked
    assert book.duties.on(DAY).patrol_rounds == 5
    with pytest.raises(NoStandard, match=r"duty\.patrol"):
        later.record_on("duty.patrol.rounds", date(2026, 8, 14))


def test_due_dates_are_never_shared_however_the_days_to_evaluate_change() -> None:
    law = changed(
        {"id": "drills.evaluated.due_days", "from": date(2026, 8, 1) + timedelta(days=n), "value": value}
        for n, value in enumerate((3, 9, 1, 0, 5, 20, 2))
    )
    for period in (Q3, Q3.next()):
        spans = windows(
            "drills.evaluated", any_school(Random(1), Q3).facts, period, Rulebook.of(law, period).duties
        )
        assert len({w.due for w in spans}) == len(spans)
        days = [w.start + timedelta(days=n) for w in spans for n in range((w.end - w.start).days + 1)]
        assert len(set(days)) == len(days)
    assert set(days) >= {date(2026, 9, 30), date(2026, 10, 1)}


# ---------------------------------------------------------------- a change moves nothing before its day
def measured(book: Book, period: Period, law: Standards) -> dict[str, Measured]:
    rows, rules = book.rows(), Rulebook.of(law, period).duties
    setting = Setting(book.facts, period, rules, close_at(period))
    found = {}
    for line, (ledger, feed) in feeds_by_line(REGISTRY).items():
        side = {need.ledger: rows[need.ledger] for need in feed.needs}
        due = windows(line, book.facts, period, rules)
        found[line] = measure_line(line, feed, due, rows[ledger.name], side, setting)
    return found


@settings(deadline=None, max_examples=40, suppress_health_check=CALM)
@given(st.randoms(use_true_random=False), st.sampled_from(QUARTERS), st.sampled_from(sorted(NEW)))
def test_a_change_moves_no_due_date_before_it_and_no_tally(random: Random, quarter: str, id_: str) -> None:
    period = Period.parse(quarter)
    book = ordinary(random, period)
    day = period.start + timedelta(days=random.randint(0, 95))
    law = changed([{"id": id_, "from": day, "value": NEW[id_]}])
    before, after = measured(book, period, standards()), measured(book, period, law)
    for line in DUTIES:
        old, new = (
            windows(line, book.facts, period, Rulebook.of(one, period).duties) for one in (standards(), law)
        )
        assert [w for w in old if w.due < day] == [w for w in new if w.due < day]
        rows = ([row for row in found[line].rows if row.day < day] for found in (before, after))
        assert next(rows) == next(rows), (line, id_, day)


# ---------------------------------------------------------------- comparing
@settings(deadline=None, max_examples=30, suppress_health_check=CALM)
@given(st.randoms(use_true_random=False), st.sampled_from(QUARTERS), st.integers(-900, 400))
def test_without_a_change_the_comparison_is_the_score(random: Random, quarter: str, days: int) -> None:
    period = Period.parse(quarter)
    book = ordinary(random, period)
    at = close_at(period) + timedelta(days=random.randint(-60, 60))
    other = Rulebook.as_on(standards(), period, period.end + timedelta(days=days))
    assert as_json(scored(book, period, at, other)) == as_json(run(book, period, at))


def test_the_comparison_is_wholly_by_the_other_day() -> None:
    law = changed([GRAMS, {"id": "factor.late", "from": DAY, "value": "1/4"}])
    before, after = (Rulebook.as_on(law, Q3, day) for day in (date(2026, 8, 14), DAY))
    assert {before.duties.on(d).sample_grams for d in (Q3.start, Q3.end)} == {125}
    assert {after.duties.on(d).sample_grams for d in (Q3.start, Q3.end)} == {200}
    assert (before.sheet.factors.late, after.sheet.factors.late) == (Fraction(1, 2), Fraction(1, 4))


def test_a_perfect_school_stays_perfect_through_a_change_that_asks_for_less() -> None:
    book = any_school(Random(3), Q3)
    law = changed([{"id": "duty.patrol.rounds", "from": DAY, "value": 3}])
    fill_perfectly(book, Q3, law)
    assert run(book, Q3, close_at(Q3), law).total in (10000, None)
