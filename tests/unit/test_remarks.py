"""What is kept and yet counts for less says so."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from checklists.ledgers import FOOD_SAMPLES
from config.rules import put_in_use
from safety.calendar import SchoolCalendar
from safety.education.ledgers import AWARENESS_CHECKS, CLASS_SESSIONS
from safety.facts import ClassFacts, SchoolFacts
from safety.ledger.declare import Ledger, Values

NOW = datetime(2026, 9, 2, 4, tzinfo=UTC)
CLASS = ClassFacts(7, "一(1)班", date(2026, 9, 1), date(2027, 8, 31), ((NOW, 41),))
FACTS = SchoolFacts(1, "S", "校", "primary", True, ("lunch",), (), SchoolCalendar(()), (CLASS,))
SAMPLE = {
    "happened_on": date(2026, 9, 2),
    "meal": "lunch",
    "grams": 125,
    "stored_at": NOW,
    "discarded_at": None,
}


def _codes(ledger: Ledger, values: Values, facts: SchoolFacts = FACTS) -> list[str]:
    put_in_use()
    return [remark.code for remark in ledger.remarks(values, facts)]


@pytest.mark.parametrize(("present", "codes"), [(40, []), (41, ["over-class"])])
def test_more_pupils_than_the_class_has(present: int, codes: list[str]) -> None:
    assert _codes(CLASS_SESSIONS, {"class": 7, "present": present, "made_up": 1}) == codes
    assert _codes(AWARENESS_CHECKS, {"class": 7, "checked": present + 1}) == codes


def test_a_whole_school_lesson_and_a_class_of_unknown_size_have_no_remark() -> None:
    assert _codes(CLASS_SESSIONS, {"class": None, "present": 900, "made_up": 0}) == []
    unknown = replace(FACTS, classes=(replace(CLASS, sizes=()),))
    assert _codes(CLASS_SESSIONS, {"class": 7, "present": 900, "made_up": 0}, unknown) == []


def test_a_sample_too_light_or_discarded_too_early() -> None:
    assert _codes(FOOD_SAMPLES, SAMPLE) == []
    assert _codes(FOOD_SAMPLES, SAMPLE | {"grams": 124}) == ["sample-too-light"]
    early = SAMPLE | {"discarded_at": NOW + timedelta(hours=47)}
    assert _codes(FOOD_SAMPLES, early) == ["sample-discarded-early"]
    assert _codes(FOOD_SAMPLES, SAMPLE | {"discarded_at": NOW + timedelta(hours=48)}) == []
