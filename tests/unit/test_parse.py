"""Texts to values and back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.calendar import SchoolCalendar
from safety.facts import ClassFacts, SchoolFacts
from safety.ledger.declare import Choice, Field, Kind
from safety.ledger.parse import Context, FieldError, format_field, parse_field
from safety.ledger.values import parse_values
from safety.text import Text
from tests.ledgers import LEDGERS, sample

NOW = datetime(2026, 10, 14, 2, 0, tzinfo=UTC)
LABEL = Text("字段", "Field")
YEARS = ((2025, 1), (2026, 2))
CLASSES = tuple(
    ClassFacts(number, "三(1)班", date(year, 9, 1), date(year + 1, 8, 31), ()) for year, number in YEARS
)
FACTS = SchoolFacts(
    1, "S1", "一小", "primary", True, ("lunch",), (), SchoolCalendar((), frozenset(), frozenset()), CLASSES
)
CONTEXT = Context(FACTS, NOW, {"zhang.wei": 7})


def field(kind: Kind, **changed: object) -> Field:
    return Field("x", kind, LABEL, **changed)  # type: ignore[arg-type]


CHOICES = (Choice("fire", Text("消防", "Fire")), Choice("bus", Text("校车", "Bus")))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.TEXT, "  防火\u3000", "防火"), (Kind.TEXT, "\ufeff防火", "防火"), (Kind.INTEGER, "３０", 30),
        (Kind.INTEGER, "-3", -3), (Kind.INTEGER, "+007", 7), (Kind.THOUSANDTHS, "12.5", 12500),
        (Kind.THOUSANDTHS, ".25", 250), (Kind.THOUSANDTHS, "１２．５", 12500), (Kind.THOUSANDTHS, "3.", 3000),
        (Kind.THOUSANDTHS, "1.250000", 1250), (Kind.DAY, "2026-03-01", date(2026, 3, 1)),
        (Kind.DAY, "2026-3-1", date(2026, 3, 1)), (Kind.DAY, "２０２６-０３-０１", date(2026, 3, 1)),
        (Kind.INSTANT, "2026-03-01T08:05", datetime(2026, 3, 1, 0, 5, tzinfo=UTC)),
        (Kind.INSTANT, "2026-03-01 08:05:09", datetime(2026, 3, 1, 0, 5, 9, tzinfo=UTC)),
        (Kind.INSTANT, "2026-03-01T08:05Z", datetime(2026, 3, 1, 8, 5, tzinfo=UTC)),
        (Kind.INSTANT, "2026-03-01T08:05-05:00", datetime(2026, 3, 1, 13, 5, tzinfo=UTC)),
        (Kind.PERSON, "zhang.wei", 7), (Kind.PERSON, "Zhang.Wei", 7), (Kind.PERSON, "ｚｈａｎｇ.ｗｅｉ", 7),
    ],
)  # fmt: skip
def test_a_text_is_read(kind: Kind, text: str, value: object) -> None:
    assert parse_field(field(kind), text, CONTEXT) == value


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (Kind.TEXT, "a\x00b", "text-control"),
        (Kind.TEXT, "a\nb", "text-control"),
        (Kind.TEXT, "\ud800", "text-control"),
        (Kind.TEXT, "长" * 21, "text-long"),
        (Kind.INTEGER, "3.0", "integer-form"),
        (Kind.INTEGER, "三", "integer-form"),
        (Kind.INTEGER, "1,200", "integer-form"),
        (Kind.INTEGER, "9" * 40, "number-huge"),
        (Kind.INTEGER, "²", "integer-form"),
        (Kind.THOUSANDTHS, "1.2345", "decimal-places"),
        (Kind.THOUSANDTHS, ".", "decimal-form"),
        (Kind.THOUSANDTHS, "1e3", "decimal-form"),
        (Kind.THOUSANDTHS, "nan", "decimal-form"),
        (Kind.THOUSANDTHS, "9" * 40, "number-huge"),
        (Kind.DAY, "2026-02-30", "day-impossible"),
        (Kind.DAY, "0001-01-01", "year-range"),
        (Kind.DAY, "2026/03/01", "day-form"),
        (Kind.DAY, "20260301", "day-form"),
        (Kind.INSTANT, "2026-03-01", "instant-form"),
        (Kind.INSTANT, "2026-02-30T08:00", "instant-impossible"),
        (Kind.INSTANT, "2026-03-01T24:30", "instant-impossible"),
        (Kind.INSTANT, "9999-12-31T23:59-12:00", "instant-impossible"),
        (Kind.INSTANT, "1999-12-31T23:59", "year-range"),
        (Kind.CHOICE, "earthquake", "choice-unknown"),
        (Kind.PERSON, "nobody", "person-unknown"),
        (Kind.SCHOOL_CLASS, "九(9)班", "class-unknown"),
        (Kind.SCHOOL_CLASS, "99", "class-unknown"),
        (Kind.TEXT, "   ", "required"),
    ],
)
def test_what_is_no_value_is_named(kind: Kind, text: str, code: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_field(field(kind, maximum=20, choices=CHOICES), text, CONTEXT)
    assert caught.value.code == code


def test_a_choice_is_also_known_by_what_the_screen_says() -> None:
    for text in ("fire", "消防", "Fire"):
        assert parse_field(field(Kind.CHOICE, choices=CHOICES), text, CONTEXT) == "fire"


def test_a_long_text_keeps_its_lines() -> None:
    assert parse_field(field(Kind.TEXT, long=True), "一\r\n二", CONTEXT) == "一\n二"


def test_a_class_is_the_one_of_that_name_in_the_year_of_the_day() -> None:
    wanted = field(Kind.SCHOOL_CLASS)
    for text in ("三(1)班", "三（１）班"):
        assert parse_field(wanted, text, CONTEXT, date(2026, 8, 31)) == 1
        assert parse_field(wanted, text, CONTEXT, date(2026, 9, 1)) == 2
    assert parse_field(wanted, "2", CONTEXT) == 2
    with pytest.raises(FieldError) as caught:
        parse_field(wanted, "三(1)班", CONTEXT, date(2028, 9, 1))
    assert caught.value.code == "class-not-then"


@given(st.integers(-(10**12), 10**12))
def test_thousandths_survive_being_written(value: int) -> None:
    item = field(Kind.THOUSANDTHS)
    assert parse_field(item, format_field(item, value, CONTEXT), CONTEXT) == value


@given(st.timedeltas(timedelta(0), timedelta(days=72_000)))
def test_instants_survive_being_written(since: timedelta) -> None:
    item, utc = field(Kind.INSTANT), datetime(2001, 1, 2, tzinfo=UTC) + since
    assert parse_field(item, format_field(item, utc, CONTEXT), CONTEXT) == utc


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_survives(text: str) -> None:
    item = field(Kind.TEXT, required=False, long=True, maximum=50)
    try:
        value = parse_field(item, text, CONTEXT)
    except FieldError:
        return
    assert parse_field(item, format_field(item, value, CONTEXT), CONTEXT) == value


def test_bounds_hold_in_the_unit_that_is_shown() -> None:
    batches = next(ledger for ledger in LEDGERS if ledger.name == "purchase_batches")
    for text, code in (
        ("0", "not-positive"),
        ("0.000", "not-positive"),
        ("-1", "not-positive"),
        ("1000000.001", "too-large"),
    ):
        _, problems = parse_values(batches, {**sample(batches), "quantity": text}, CONTEXT)
        assert [(p.field, p.code) for p in problems] == [("quantity", code)]
    values, problems = parse_values(batches, {**sample(batches), "quantity": "1000000"}, CONTEXT)
    assert (problems, values["quantity"]) == ([], 10**9)


def test_a_batch_without_maker_date_or_certificate_is_refused() -> None:
    batches = next(ledger for ledger in LEDGERS if ledger.name == "purchase_batches")
    for name in ("maker", "produced_on", "certificate_no"):
        _, problems = parse_values(batches, {**sample(batches), name: " "}, CONTEXT)
        assert [(p.field, p.code) for p in problems] == [(name, "required")]


def test_nothing_is_recorded_before_it_happens() -> None:
    drills = next(ledger for ledger in LEDGERS if ledger.name == "drills")
    raw = sample(drills)
    before = Context(FACTS, NOW - timedelta(days=1), CONTEXT.people)
    assert parse_values(drills, raw, CONTEXT)[1] == []
    assert [(p.field, p.code) for p in parse_values(drills, raw, before)[1]] == [
        ("happened_on", "after-recording")
    ]


def test_a_field_left_out_takes_its_literal_initial_value_and_an_empty_one_does_not() -> None:
    sessions = next(ledger for ledger in LEDGERS if ledger.name == "class_sessions")
    raw = {name: text for name, text in sample(sessions).items() if name != "made_up"}
    assert parse_values(sessions, raw, CONTEXT)[0]["made_up"] == 0
    assert [p.field for p in parse_values(sessions, {**raw, "made_up": ""}, CONTEXT)[1]] == ["made_up"]
