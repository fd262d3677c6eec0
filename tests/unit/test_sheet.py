"""The sheet as scoring.md gives it, number by number, and what is refused."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from safety.calendar import SchoolCalendar, TermSpan
from safety.duties import DUTIES, ZERO
from safety.sheet import BadSheet, DutyRules, IncidentRules, ScoringSheet
from safety.standards import NoStandard
from tests.unit.test_standards import product

ON = date(2026, 9, 30)
STANDARDS = product()
SHEET = ScoringSheet.from_standards(STANDARDS, ON)

POINTS = {
    "targets": {"T1": 10, "T2": 12, "T3": 8, "T4": 7, "T5": 7, "T6": 6},
    "education": {"weekly": 4, "daily": 3, "monthly": 1, "legal": 1, "holiday": 1},
    "duty": {"gate": 2, "marshal": 2, "leader": 2, "patrol": 2},
    "food": {
        "samples": 3,
        "purchases": 3,
        "stock": 1,
        "supervision": 1,
        "accompaniment": 1,
        "health": 1,
        "control": 1,
        "authority": 1,
    },
    "drills": {"monthly": 5, "evaluated": 2, "fire": 1},
    "hazards": {"inspections": 3, "closed": 5},
    "governance": {"letters": 1, "plans": 1, "meetings": 1, "outreach": 1},
}


def test_groups_lines_and_points_stand_in_their_order() -> None:
    found = {g.id: {line.id.removeprefix(f"{g.id}."): line.points for line in g.lines} for g in SHEET.groups}
    assert found == {g: {line: points * 100 for line, points in lines.items()} for g, lines in POINTS.items()}
    assert [g.id for g in SHEET.groups] == list(POINTS)
    assert [list(lines) for lines in found.values()] == [list(lines) for lines in POINTS.values()]
    assert SHEET.half_points == {"targets": 5000, "duties": 5000}
    assert [g.id for g in SHEET.groups_of("targets")] == ["targets"]
    assert SHEET.line("drills.fire") in SHEET.group("drills").lines


def test_the_numbers_beside_the_lines() -> None:
    assert (SHEET.factors.on_time, SHEET.factors.late, SHEET.factors.backfilled) == (1, Fraction(1, 2), 0)
    targets = SHEET.targets
    assert (targets.coverage_met, targets.awareness_share) == (Fraction(95, 100), Fraction(30, 100))
    assert (targets.unverified_floor, targets.unverified_range) == (Fraction(1, 2), Fraction(45, 100))
    assert targets.pending_share == Fraction(1, 2)
    costs = SHEET.penalties
    assert (costs.late, costs.very_late, costs.concealed) == (200, 300, 300)
    assert (costs.hazard_superior, costs.hazard_overdue) == (100, 1000)
    assert SHEET.suppress_below == 5


@pytest.mark.parametrize(
    ("total", "name"),
    [
        (10000, "优秀"),
        (9000, "优秀"),
        (8999, "良好"),
        (8000, "良好"),
        (7999, "合格"),
        (6500, "合格"),
        (6499, "不合格"),
        (0, "不合格"),
    ],
)
def test_grades_begin_at_their_least_total(total: int, name: str) -> None:
    assert SHEET.grade(total).name("zh") == name
    assert SHEET.grade(total, vetoed=True).name("zh") == "不合格"


def test_every_line_shows_its_rule_and_source_in_both_languages() -> None:
    for line in SHEET.lines:
        for lang in ("zh", "en"):
            assert line.name(lang)
            assert line.rule(lang)
            assert line.citation(lang)
        assert line.points_citation("zh") == "本系统默认值，可由主管部门调整"


def test_a_law_that_does_not_say_how_often_is_not_quoted_for_it() -> None:
    assert SHEET.line("food.samples").source == "学校食品安全与营养健康管理规定 第四十条（条号待核实）"
    assert SHEET.line("food.purchases").source.endswith(
        "第五十条、第五十三条；频次：本系统默认值，可由主管部门调整"
    )
    assert SHEET.line("food.health").citation("en").endswith("how often: 从业人员晨检的一般做法 (unverified)")
    assert SHEET.line("governance.outreach").source == "本系统默认值，可由主管部门调整"


def test_a_rule_follows_a_bureau_s_own_number() -> None:
    own = STANDARDS.override(
        "food.samples.least_grams", 200, since=date(2026, 9, 1), by="县教育局", source="本县通知"
    )
    sheet = ScoringSheet.from_standards(STANDARDS.with_overrides([own]), ON)
    assert "不少于200克" in sheet.line("food.samples").rule("zh")
    assert "不少于125克" in SHEET.line("food.samples").rule("zh")
    assert sheet.version != SHEET.version


@pytest.mark.parametrize(
    ("id_", "value", "word"),
    [
        ("half.targets", 60, "add up to 100"),
        ("group.food", 13, "half.duties"),
        ("food.stock", "1.50", "group.food"),
        ("grade.fail", 10, "lowest grade"),
        ("food.stock.cadence", ["hourly"], "food.stock.cadence"),
        ("food.stock.grace", ["weekly", "long"], "food.stock.grace"),
    ],
)
def test_a_sheet_that_does_not_add_up_is_refused(id_: str, value: object, word: str) -> None:
    own = STANDARDS.override(id_, value, since=ON, by="县", source="通知")
    with pytest.raises(BadSheet, match=word):
        ScoringSheet.from_standards(STANDARDS.with_overrides([own]), ON)


def test_before_the_standards_begin_the_missing_value_is_named() -> None:
    with pytest.raises(NoStandard, match=r"half\.targets"):
        ScoringSheet.from_standards(STANDARDS, date(2019, 12, 31))


# ---------------------------------------------------------------- duties
def test_the_duties_numbers() -> None:
    rules = DutyRules.from_standards(STANDARDS, ON)
    assert (rules.sample_grams, rules.sample_kept) == (125, timedelta(hours=48))
    assert (rules.patrol_rounds, rules.patrol_gap) == (5, timedelta(minutes=30))
    assert [rules.slots_of(f"duty.{post}") for post in ("gate", "marshal", "leader")] == [2, 2, 1]
    assert rules.checkin_lead == timedelta(minutes=15)
    assert (rules.month_least_days, rules.half_year_least_days, rules.evaluation_days) == (5, 5, 7)
    assert hash(rules) == hash(DutyRules.from_standards(STANDARDS, ON))


def test_grace_is_the_calendar_s_with_the_standards_numbers() -> None:
    rules = DutyRules.from_standards(STANDARDS, ON)
    school = SchoolCalendar((TermSpan("秋", date(2026, 9, 1), date(2027, 1, 22)),))
    friday = date(2026, 11, 20)
    found = {
        grace: rules.last_day_of_grace(school, grace, friday).day
        for grace in ("daily", "weekly", "long", "none")
    }
    assert found == {"daily": 23, "weekly": 23, "long": 27, "none": 20}


WORDS = {
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "drill-month": "monthly",
    "term": "termly",
    "half-year": "half_yearly",
    "quarter": "quarterly",
    "drill": "each",
}


def test_what_is_counted_and_what_is_printed_name_the_same_cadence_and_grace() -> None:
    for id_, duty in DUTIES.items():
        line = SHEET.line("T2" if id_ == ZERO else id_)
        assert line.cadences == (WORDS[duty.cadence],), id_
        assert line.graces == (duty.grace,), id_


# ---------------------------------------------------------------- incidents
@pytest.mark.parametrize(
    ("deaths", "injuries", "loss", "grade"),
    [
        (0, 0, 0, "ordinary"),
        (2, 9, 9_999_999, "ordinary"),
        (3, 0, 0, "larger"),
        (0, 10, 0, "larger"),
        (0, 0, 10_000_000, "larger"),
        (9, 49, 49_999_999, "larger"),
        (10, 0, 0, "major"),
        (0, 50, 0, "major"),
        (0, 0, 50_000_000, "major"),
        (29, 99, 99_999_999, "major"),
        (30, 0, 0, "extraordinary"),
        (0, 100, 0, "extraordinary"),
        (0, 0, 100_000_000, "extraordinary"),
        (0, 0, 10_000_000_000, "extraordinary"),
        (1, 0, 100_000_000, "extraordinary"),
    ],
)
def test_the_highest_grade_that_any_number_reaches_counts(
    deaths: int, injuries: int, loss: int, grade: str
) -> None:
    """State Council Decree 493, art. 3: “以上” includes the number."""
    assert IncidentRules.from_standards(STANDARDS, ON).grade(deaths, injuries, loss) == grade


@pytest.mark.parametrize(
    ("category", "grade", "deaths", "hours"),
    [
        ("other", "ordinary", 0, 24),
        ("traffic", "ordinary", 0, 24),
        ("food_poisoning", "ordinary", 0, 2),
        ("food_poisoning", "larger", 0, 1),
        ("other", "ordinary", 1, 1),
        ("facility", "major", 0, 1),
    ],
)
def test_reports_are_due_in_one_two_or_twenty_four_hours(
    category: str, grade: str, deaths: int, hours: int
) -> None:
    rules = IncidentRules.from_standards(STANDARDS, ON)
    assert rules.deadline(category, grade, deaths) == timedelta(hours=hours)
