"""The roll-up as a value: means, distributions, missing schools and counties, and what its digest covers."""

import json
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.canonical import canonical
from reports.rollup.compile import BureauFound, Making, added, compile_rollup, hundredths
from reports.rollup.document import document_digest, json_schema, mean, parse
from tests.sample_rollup import CITY, COUNTY, MADE_AT, gathered, sample_city, sample_rollup, school

SCHEMA_FILE = Path("reports/schema/safe-campus.rollup.v1.json")
MAKING = Making(MADE_AT)


def test_the_kept_schema_is_the_one_the_structs_give() -> None:
    assert json.loads(SCHEMA_FILE.read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("document", [sample_rollup(), sample_city()], ids=["county", "city"])
def test_a_document_validates_and_reads_back(document) -> None:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(json.loads(canonical(document)))
    assert parse(canonical(document)) == document
    with pytest.raises(msgspec.ValidationError):
        parse(canonical(document).replace(b'"draft":', b'"drafted":'))


def test_it_says_what_each_return_says_of_its_signature() -> None:
    schools = (school(1), school(2, changes=3), school(3, signed=False), school(4, missing=True))
    document = compile_rollup(gathered(schools), MAKING)
    assert [line.signing for line in document.schools] == ["signed", "changed", "unsigned", "missing"]
    assert document.figures.returned == 2


def test_a_document_without_changed_returns_is_written_as_before_they_were_kept() -> None:
    assert b"changes" not in canonical(compile_rollup(gathered((school(1),)), MAKING))
    assert b'"changes":3' in canonical(compile_rollup(gathered((school(2, changes=3),)), MAKING))


# ---------------------------------------------------------------- means
def test_a_missing_school_counts_as_zero_and_the_mean_without_it_stands_beside() -> None:
    schools = (
        school(1, 9000, enrolment=300),
        school(2, 6000, enrolment=100, adjusted=5000),
        school(3, enrolment=600, missing=True),
        school(4, None, enrolment=5000),
    )
    document = compile_rollup(gathered(schools), MAKING)
    figures = document.figures
    assert (figures.schools, figures.returned, figures.missing, figures.unscored) == (4, 3, 1, 1)
    assert figures.enrolment == 6000
    means = figures.means
    # (90 × 300 + 60 × 100 + 0 × 600) ÷ 1000, and ÷ 400 without the missing one; a school without a total has no weight.
    assert (means.own, means.own_without) == ("33.00", "82.50")
    assert (means.adjusted, means.adjusted_without) == ("32.00", "80.00")
    lines = {line.code[-1]: line for line in document.schools}
    assert (lines["2"].own, lines["2"].adjusted) == ("60.00", "50.00")
    assert (lines["3"].state, lines["3"].own, lines["3"].version) == ("missing", None, None)
    assert lines["1"].adjusted is None


def test_without_pupils_there_is_no_mean() -> None:
    document = compile_rollup(gathered((school(1, 9000, enrolment=0),)), MAKING)
    assert document.figures.means.own is None
    assert compile_rollup(gathered(()), MAKING).figures.means.own_without is None


@given(st.lists(st.tuples(st.integers(0, 10000), st.integers(1, 9000)), min_size=1, max_size=30))
def test_a_mean_is_the_exact_one_rounded_half_up(schools: list[tuple[int, int]]) -> None:
    points = sum(total * pupils for total, pupils in schools)
    pupils = sum(number for _, number in schools)
    found = mean(points, pupils)
    assert found is not None
    off = Fraction(found) - Fraction(points, pupils)
    assert Fraction(-1, 2) < off <= Fraction(1, 2)
    assert min(total for total, _ in schools) <= found <= max(total for total, _ in schools)


@given(
    st.lists(st.tuples(st.integers(0, 10000), st.integers(0, 3000), st.booleans()), min_size=1, max_size=12)
)
def test_counties_added_up_come_to_what_their_schools_come_to(rows: list[tuple[int, int, bool]]) -> None:
    schools = [school(n, t, enrolment=e, missing=m) for n, (t, e, m) in enumerate(rows)]
    whole = compile_rollup(gathered(tuple(schools)), MAKING).figures
    grades = [share.grade for share in whole.grades]
    parts = [
        compile_rollup(gathered(tuple(several)), MAKING).figures for several in (schools[::2], schools[1::2])
    ]
    assert added(parts, grades) == whole


# ---------------------------------------------------------------- distribution
@pytest.mark.parametrize(
    ("total", "least"), [(0, 0), (999, 0), (1000, 10), (8999, 80), (9000, 90), (10000, 90)]
)
def test_bands_are_ten_points_wide_and_full_marks_belong_to_the_highest(total: int, least: int) -> None:
    figures = compile_rollup(gathered((school(1, total),)), MAKING).figures
    assert [share.least for share in figures.bands if share.own] == [least]


def test_grades_and_bands_count_own_and_adjusted_scores() -> None:
    schools = (
        school(1, 9500, adjusted=6000),
        school(2, 9500),
        school(3, 9500, veto=True),
        school(4, missing=True),
    )
    figures = compile_rollup(gathered(schools), MAKING).figures
    assert [(s.grade, s.own, s.adjusted) for s in figures.grades] == [
        ("优秀", 2, 1), ("良好", 0, 0), ("合格", 0, 0), ("不合格", 1, 2)
    ]  # fmt: skip
    assert {s.least: (s.own, s.adjusted) for s in figures.bands if s.own or s.adjusted} == {
        60: (0, 1),
        90: (3, 2),
    }


# ---------------------------------------------------------------- a city
def test_a_city_folds_what_it_received_and_shows_what_it_did_not() -> None:
    document = sample_city()
    own, received, missing = document.members
    assert (own.source, received.source, missing.source) == ("own", "received", "missing")
    county = sample_rollup(12)
    assert received.figures == county.figures
    assert (received.version, received.facts_digest) == (1, county.facts_digest)
    before = sample_rollup(9).figures
    assert (missing.figures.missing, missing.figures.sums.pupils) == (9, before.enrolment)
    assert missing.figures.means.own == "0.00"
    assert missing.figures.means.own_without is None
    assert {line.bureau for line in document.schools} == {CITY.code, "330101"}
    assert document.figures.schools == 2 + 6 + 12 + 9
    weighed = [*(m.figures for m in document.members)]
    mine = [line for line in document.schools if line.bureau == CITY.code and line.own]
    points = sum(f.sums.own for f in weighed) + sum(hundredths(s.own or "") * s.enrolment for s in mine)
    pupils = sum(f.sums.pupils for f in weighed) + sum(s.enrolment for s in mine)
    assert hundredths(document.figures.means.own or "") == mean(points, pupils)


def test_a_county_that_never_sent_anything_has_no_weight_but_is_there() -> None:
    below = (BureauFound("X", "新区教育局", CITY.code, remote=True),)
    document = compile_rollup(gathered((), bureau=CITY, above=None, below=below), MAKING)
    assert [(m.source, m.figures.schools) for m in document.members] == [("missing", 0)]


def test_schools_stand_by_bureau_in_the_order_of_the_tree() -> None:
    below = (
        BureauFound("B", "乙", COUNTY.code),
        BureauFound("C", "丙", "B"),
        BureauFound("A", "甲", COUNTY.code),
    )
    schools = tuple(school(n, bureau=b) for n, b in enumerate(("A", "C", "B", COUNTY.code, "B")))
    document = compile_rollup(gathered(schools, below=below), MAKING)
    assert [line.bureau for line in document.schools] == [COUNTY.code, "B", "B", "C", "A"]
    assert {m.code: m.figures.schools for m in document.members} == {"B": 3, "C": 1, "A": 1}


# ---------------------------------------------------------------- digests
def test_the_digest_is_of_what_it_says_and_not_of_when_it_was_made() -> None:
    one = sample_rollup()
    later = sample_rollup(version=2, previous_digest=document_digest(one), reason="更正")
    assert later.facts_digest == one.facts_digest
    assert document_digest(later) != document_digest(one)
    moved = compile_rollup(gathered((school(1, 9001),)), Making(MADE_AT + timedelta(days=1)))
    assert moved.facts_digest != compile_rollup(gathered((school(1, 9000),)), MAKING).facts_digest
