"""School days, quarters, due dates and grace, on real calendars of 2024 to 2026 and the provisional 2027."""

from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.calendar import National, Period, SchoolCalendar, TermSpan

D = date
SPRING = TermSpan("2025-2026-2", D(2026, 3, 2), D(2026, 7, 3))
AUTUMN = TermSpan("2026-2027-1", D(2026, 9, 1), D(2027, 1, 22))
SCHOOL = SchoolCalendar((SPRING, AUTUMN))


def days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


# ---------------------------------------------------------------- quarters
def test_a_quarter_knows_its_days_and_its_neighbours() -> None:
    quarter = Period.parse("2026Q4")
    assert (quarter.start, quarter.end) == (D(2026, 10, 1), D(2026, 12, 31))
    assert quarter.next() == Period.parse("2027Q1")
    assert quarter.next().previous() == quarter
    assert quarter.months()[1] == (D(2026, 11, 1), D(2026, 11, 30))
    assert Period.of(D(2026, 9, 30)) < quarter
    assert D(2026, 12, 31) in quarter
    assert D(2027, 1, 1) not in quarter
    assert str(quarter) == "2026Q4"


@pytest.mark.parametrize(
    "text", ["", "2026", "2026Q0", "2026Q5", "2026q3", " 2026Q3", "1999Q4", "２０２６Q3", "2026Q3\n"]
)
def test_what_is_not_a_quarter_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="not a quarter") as caught:
        Period.parse(text)
    assert repr(text) in str(caught.value)


def test_quarters_end_where_years_are_no_longer_supported() -> None:
    with pytest.raises(ValueError, match="2200"):
        Period.parse("2199Q4").next()


# ---------------------------------------------------------------- the country
@pytest.mark.parametrize(
    ("year", "makeup"),
    [
        (2024, [(2, 4), (2, 18), (4, 7), (4, 28), (5, 11), (9, 14), (9, 29), (10, 12)]),
        (2025, [(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)]),
        (2026, [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]),
    ],
)
def test_make_up_workdays_are_those_of_the_notice(year: int, makeup: list[tuple[int, int]]) -> None:
    national = National()
    worked = [
        d for d in days(D(year, 1, 1), D(year, 12, 31)) if d.weekday() >= 5 and national.is_working_day(d)
    ]
    assert worked == [D(year, month, day) for month, day in makeup]
    assert not national.is_provisional(year)
    assert not any(map(national.is_public_holiday, worked))


def test_a_holiday_has_its_name_and_an_ordinary_weekend_has_none() -> None:
    national = National()
    assert national.holiday_name(D(2026, 2, 16)) == "春节"
    assert national.holiday_name(D(2026, 10, 7)) == "国庆节"
    assert national.holiday_name(D(2026, 11, 21)) is None
    assert not national.is_working_day(D(2026, 11, 21))


def test_a_year_without_its_notice_is_weekdays_less_the_statutory_days() -> None:
    national = National()
    assert national.is_provisional(2027)
    named = [d for d in days(D(2027, 1, 1), D(2027, 12, 31)) if national.is_public_holiday(d)]
    assert named == [
        D(2027, 1, 1),
        *days(D(2027, 2, 5), D(2027, 2, 8)),  # 除夕 to 初三
        D(2027, 4, 5),
        D(2027, 5, 1),
        D(2027, 5, 2),
        D(2027, 6, 9),
        D(2027, 9, 15),
        *days(D(2027, 10, 1), D(2027, 10, 3)),
    ]
    off = {d for d in days(D(2027, 1, 1), D(2027, 12, 31)) if not national.is_working_day(d)}
    assert off == {d for d in days(D(2027, 1, 1), D(2027, 12, 31)) if d.weekday() >= 5} | set(named)


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_statutory_days_of_published_years_are_off_in_their_notices(year: int) -> None:
    from safety.national import _statutory

    # 除夕 and 2 May became days off with the 办法 of 2024-11-10; in 2024 除夕 was a working day.
    was_not_yet = {D(2024, 2, 9)}
    assert not [d for d in _statutory(year) if National().is_working_day(d) and d not in was_not_yet]


def test_every_year_has_its_thirteen_statutory_days_but_for_coincidence() -> None:
    from safety.national import _statutory

    for year in range(2027, 2060):
        coincidence = any(d.month == 10 and d.day <= 3 for d in [_mid_autumn(year)])
        assert len(_statutory(year)) == 13 - coincidence


def _mid_autumn(year: int) -> date:
    from lunar_python import Lunar

    solar = Lunar.fromYmd(year, 8, 15).getSolar()
    return D(solar.getYear(), solar.getMonth(), solar.getDay())


def test_a_bureau_s_table_lies_over_the_calendar_and_can_end_its_being_provisional() -> None:
    table = {D(2027, 1, 3): (True, "元旦"), D(2027, 1, 4): (False, "元旦"), D(2027, 3, 1): (False, "")}
    national = National.with_table(table)
    assert national.is_working_day(D(2027, 1, 3))
    assert national.holiday_name(D(2027, 1, 3)) is None
    assert national.holiday_name(D(2027, 1, 4)) == "元旦"
    assert not national.is_working_day(D(2027, 3, 1))
    assert not national.is_public_holiday(D(2027, 3, 1))
    assert national.is_provisional(2027)
    assert not National.with_table(table, frozenset({2027})).is_provisional(2027)


# ---------------------------------------------------------------- school days
def test_make_up_workdays_in_term_are_school_days_and_holidays_are_not() -> None:
    assert SCHOOL.is_school_day(D(2026, 10, 10))  # a Saturday
    assert SCHOOL.is_school_day(D(2026, 9, 20))  # a Sunday
    assert not SCHOOL.is_school_day(D(2026, 10, 8) - timedelta(days=1))
    assert not SCHOOL.is_school_day(D(2026, 7, 6))  # a working day outside the terms


def test_closures_take_days_away_and_extra_days_add_them_even_outside_a_term() -> None:
    closed, extra = D(2026, 9, 8), D(2026, 7, 18)
    school = SchoolCalendar((SPRING, AUTUMN), frozenset({closed}), frozenset({extra}))
    assert not school.is_school_day(closed)
    assert school.is_school_day(extra)
    assert school.school_days(D(2026, 7, 3), D(2026, 9, 1)) == (D(2026, 7, 3), extra, D(2026, 9, 1))


def test_a_date_cannot_be_both_closed_and_extra() -> None:
    with pytest.raises(ValueError, match="2026-09-08 is both"):
        SchoolCalendar((AUTUMN,), frozenset({D(2026, 9, 8)}), frozenset({D(2026, 9, 8)}))


def test_a_term_that_ends_before_it_starts_is_named() -> None:
    with pytest.raises(ValueError, match="'秋'"):
        TermSpan("秋", D(2026, 9, 1), D(2026, 8, 1))


def test_the_next_and_the_last_school_day() -> None:
    assert SCHOOL.next_school_day(D(2026, 9, 30)) == D(2026, 10, 8)
    assert SCHOOL.next_school_day(D(2026, 7, 3)) == D(2026, 9, 1)
    assert SCHOOL.next_school_day(D(2027, 1, 22)) is None
    assert SCHOOL.next_school_day(D(2025, 10, 1)) is None  # the next one is more than 120 days away
    assert SCHOOL.last_school_day(D(2026, 10, 1), D(2026, 10, 7)) is None
    assert SCHOOL.last_school_day(D(2026, 7, 1), D(2026, 8, 31)) == D(2026, 7, 3)


def test_equal_calendars_hash_alike() -> None:
    assert hash(SCHOOL) == hash(SchoolCalendar((SPRING, AUTUMN)))
    assert SchoolCalendar((SPRING, AUTUMN)) == SCHOOL
    assert SchoolCalendar((SPRING,)) != SCHOOL


# ---------------------------------------------------------------- due dates
def test_a_week_is_due_on_its_last_school_day_which_may_be_a_make_up_sunday() -> None:
    first, *_ = SCHOOL.iso_weeks(D(2026, 9, 14), D(2026, 9, 20))
    assert (first.key, first.start, first.end, first.due) == (
        "2026-W38",
        D(2026, 9, 14),
        D(2026, 9, 20),
        D(2026, 9, 20),
    )
    assert first.school_days == 6


def test_a_week_across_two_quarters_belongs_to_the_one_that_holds_its_due_date() -> None:
    """Monday 28 September to Sunday 4 October 2026: its last school day is the 30th, so it is the third quarter's."""
    third, fourth = Period.parse("2026Q3"), Period.parse("2026Q4")
    assert SCHOOL.iso_weeks(third.start, third.end)[-1].due == D(2026, 9, 30)
    assert SCHOOL.iso_weeks(fourth.start, fourth.end)[0].start == D(2026, 10, 5)
    # Monday 29 June to Sunday 5 July 2026 is due on Friday 3 July.
    assert SCHOOL.iso_weeks(third.start, third.end)[0].start == D(2026, 6, 29)


def test_weeks_without_a_school_day_ask_for_nothing() -> None:
    assert SCHOOL.iso_weeks(D(2026, 7, 6), D(2026, 8, 30)) == ()


def test_longer_periods_are_due_on_their_last_school_day_or_on_their_last_day() -> None:
    september, october, november, december = SCHOOL.months(D(2026, 9, 1), D(2026, 12, 31))
    assert (september.key, september.due) == ("2026-09", D(2026, 9, 30))
    assert (october.due, october.school_days) == (D(2026, 10, 30), 18)
    assert (november.due, december.due) == (D(2026, 11, 30), D(2026, 12, 31))
    (august,) = SCHOOL.months(D(2026, 8, 31), D(2026, 8, 31))
    assert (august.due, august.school_days) == (D(2026, 8, 31), 0)
    assert [h.key for h in SCHOOL.half_years(D(2026, 6, 1), D(2026, 12, 31))] == ["2026H1", "2026H2"]
    assert SCHOOL.half_years(D(2026, 7, 1), D(2026, 9, 30)) == ()
    assert [q.key for q in SCHOOL.quarters(D(2026, 4, 1), D(2026, 9, 30))] == ["2026Q2", "2026Q3"]
    assert [y.due for y in SCHOOL.years(D(2026, 1, 1), D(2026, 12, 31))] == [D(2026, 12, 31)]
    assert [y.key for y in SCHOOL.school_years(D(2026, 1, 1), D(2026, 8, 31))] == ["2025-2026"]
    assert [t.due for t in SCHOOL.term_spans(D(2026, 1, 1), D(2027, 12, 31))] == [
        D(2026, 7, 3),
        D(2027, 1, 22),
    ]


def test_a_term_without_a_school_day_is_due_on_its_last_day() -> None:
    empty = SchoolCalendar((TermSpan("停课", D(2026, 10, 1), D(2026, 10, 7)),))
    assert [t.due for t in empty.term_spans(D(2026, 10, 1), D(2026, 12, 31))] == [D(2026, 10, 7)]
    assert empty.holidays(D(2026, 1, 1), D(2026, 12, 31)) == ()


def test_notices_are_due_before_holidays_and_before_a_term_s_end() -> None:
    found = [(h.due, h.name, h.ends_term) for h in SCHOOL.holidays(D(2026, 1, 1), D(2027, 12, 31))]
    assert found == [
        (D(2026, 4, 3), "清明节", False),
        (D(2026, 4, 30), "劳动节", False),
        (D(2026, 6, 18), "端午节", False),
        (D(2026, 7, 3), "2025-2026-2", True),
        (D(2026, 9, 24), "中秋节", False),
        (D(2026, 9, 30), "国庆节", False),
        (D(2026, 12, 31), "元旦", False),
        (D(2027, 1, 22), "2026-2027-1", True),
    ]


def test_a_notice_s_period_is_the_fourteen_days_that_end_with_its_due_date() -> None:
    (national_day,) = SCHOOL.holidays(D(2026, 9, 30), D(2026, 9, 30))
    assert (national_day.start, national_day.end) == (D(2026, 9, 17), D(2026, 9, 30))
    assert len(days(national_day.start, national_day.end)) == 14


def test_a_long_weekend_without_a_public_holiday_asks_for_no_notice() -> None:
    school = SchoolCalendar((AUTUMN,), closed=frozenset({D(2026, 11, 20)}))
    assert school.holidays(D(2026, 11, 1), D(2026, 11, 30)) == ()


def test_two_days_off_are_not_a_holiday_even_if_public() -> None:
    """In the provisional 2027, 1 and 2 May are a Saturday and a Sunday."""
    school = SchoolCalendar((TermSpan("春", D(2027, 4, 12), D(2027, 5, 28)),))
    assert [h.due for h in school.holidays(D(2027, 4, 12), D(2027, 5, 27))] == []


def test_closing_the_day_between_joins_two_holidays_into_one_notice() -> None:
    bridge = frozenset(days(D(2026, 9, 28), D(2026, 9, 30)))
    school = SchoolCalendar((AUTUMN,), closed=bridge)
    assert [h.due for h in school.holidays(D(2026, 9, 1), D(2026, 10, 31))] == [D(2026, 9, 24)]


# ---------------------------------------------------------------- grace
def test_daily_grace_is_the_next_school_day_but_at_most_a_week() -> None:
    assert SCHOOL.grace_daily(D(2026, 11, 16)) == D(2026, 11, 17)
    assert SCHOOL.grace_daily(D(2026, 11, 20)) == D(2026, 11, 23)
    assert SCHOOL.grace_daily(D(2026, 9, 30)) == D(2026, 10, 7)  # the next school day is the 8th
    assert SCHOOL.grace_daily(D(2026, 7, 3)) == D(2026, 7, 10)
    assert SCHOOL.grace_daily(D(2027, 1, 22)) == D(2027, 1, 29)  # there is no next school day


def test_weekly_grace_is_three_days_at_least_the_next_school_day_at_most_a_week() -> None:
    assert SCHOOL.grace_weekly(D(2026, 11, 20)) == D(2026, 11, 23)
    assert SCHOOL.grace_weekly(D(2026, 4, 30)) == D(2026, 5, 6)  # the day after the holiday
    assert SCHOOL.grace_weekly(D(2026, 9, 30)) == D(2026, 10, 7)
    assert SCHOOL.grace_weekly(D(2027, 1, 22)) == D(2027, 1, 25)


def test_longer_periods_have_a_week_and_the_canteen_s_days_none() -> None:
    assert SCHOOL.grace_long(D(2026, 11, 30)) == D(2026, 12, 7)
    assert SCHOOL.grace_none(D(2026, 11, 30)) == D(2026, 11, 30)


# ---------------------------------------------------------------- provisional figures
def test_the_fourth_quarter_of_2026_rests_on_a_year_not_yet_published() -> None:
    fourth = Period.parse("2026Q4")
    assert SCHOOL.provisional_years(fourth.start, fourth.end) == (2027,)
    third = fourth.previous()
    assert not SCHOOL.is_provisional(third.start, third.end)


# ---------------------------------------------------------------- any calendar
in_2026 = st.dates(D(2026, 1, 1), D(2026, 12, 31))


@st.composite
def calendars(draw: st.DrawFn) -> SchoolCalendar:
    first, second = sorted([draw(in_2026), draw(in_2026)])
    closed = draw(st.frozensets(in_2026, max_size=20))
    extra = draw(st.frozensets(in_2026, max_size=5)) - closed
    return SchoolCalendar((TermSpan("学期", first, second),), closed, extra)


@settings(max_examples=60)
@given(calendars())
def test_each_school_day_lies_in_one_week_and_one_month_of_one_quarter(school: SchoolCalendar) -> None:
    quarters = [Period.parse(f"2026Q{n}") for n in (1, 2, 3, 4)]
    for spans in (school.iso_weeks, partial(school.months)):
        found = [span for q in quarters for span in spans(q.start, q.end)]
        assert len({span.key for span in found}) == len(found)
        every = sum(span.school_days for span in found)
        # The last week of 2026 ends in 2027, the first begins in 2025; no school day of the case lies there.
        assert every == len(school.school_days(D(2026, 1, 1), D(2026, 12, 31)))


@settings(max_examples=60)
@given(calendars(), in_2026)
def test_no_grace_is_shorter_than_none_or_longer_than_a_week(school: SchoolCalendar, day: date) -> None:
    for grace in (school.grace_daily, school.grace_weekly, school.grace_long, school.grace_none):
        assert day <= grace(day) <= day + timedelta(days=7)


@settings(max_examples=60)
@given(calendars())
def test_every_notice_is_due_on_a_school_day_before_days_off_or_a_term_s_end(school: SchoolCalendar) -> None:
    for holiday in school.holidays(D(2026, 1, 1), D(2026, 12, 31)):
        assert school.is_school_day(holiday.due)
        following = [holiday.due + timedelta(days=n) for n in (1, 2, 3)]
        assert holiday.ends_term or not any(map(school.is_school_day, following))
