"""What decisions come to, and what a clerk is told before deciding."""

from dataclasses import replace

import pytest

from reports.life.rules import Known, Live, Veto, answered_by, holding, remarks

SEALED = Known(period="2026Q3", version=1, status="signed", total=9120, grade="良好")
VETO = Veto("liable", "00000000-0000-0000-0000-000000000007")


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ([], {}),
        ([(1, "returned"), (1, "accepted")], {1: "accepted"}),
        ([(1, "accepted"), (1, "withdrawn")], {}),
        (
            [(1, "accepted"), (1, "withdrawn"), (1, "returned"), (2, "accepted")],
            {1: "returned", 2: "accepted"},
        ),
    ],
)
def test_the_last_word_holds_and_after_a_withdrawal_none_does(said, holds) -> None:
    assert holding(said) == holds


@pytest.mark.parametrize(
    ("outcomes", "answers"),
    [
        ({}, None),
        ({2: "returned"}, 2),
        ({1: "returned"}, 1),
        ({1: "returned", 2: "accepted"}, None),
        ({3: "returned"}, None),
    ],
)
def test_a_version_answers_the_last_decision_before_it_if_that_was_a_return(outcomes, answers) -> None:
    assert answered_by(3, outcomes) == answers


@pytest.mark.parametrize(
    ("known", "code", "values", "seen", "holds"),
    [
        (replace(SEALED, unchanged=True), "unchanged", {}, "returns/2026Q3/versions/1/changes", True),
        (
            replace(SEALED, status="unsigned"),
            "unsigned",
            {},
            "returns/2026Q3#sign-off",
            True,
        ),
        (replace(SEALED, version=3), "corrected", {"version": 2}, "returns/2026Q3/versions/3/changes", True),
        (replace(SEALED, closed_late=True), "closed-late", {}, "returns/2026Q3#standing", True),
        (replace(SEALED, grade="不合格"), "fail", {"total": "91.20"}, "returns/2026Q3#score", True),
        (
            replace(SEALED, grade="不合格", veto=VETO, live=Live(9120)),
            "veto",
            {"cause": "liable"},
            f"ledgers/incidents/{VETO.incident}",
            True,
        ),
        (
            replace(SEALED, live=Live(8905)),
            "later",
            {"sealed": "91.20", "live": "89.05"},
            "returns/2026Q3#later",
            True,
        ),
        (
            replace(SEALED, live=Live(9120, backfilled=3)),
            "backfilled",
            {"number": 3},
            "?period=2026Q3",
            False,
        ),
        (replace(SEALED, queries=2), "query", {"number": 2}, "notes", True),
        (
            replace(SEALED, before=9620),
            "fell",
            {"points": "5.00", "before": "96.20"},
            "?period=2026Q3#trend",
            False,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_remark_says_its_reason_and_where_it_is_seen(known, code, values, seen, holds) -> None:
    (found,) = remarks(known)
    assert (found.code, dict(found.values), found.seen, found.holds) == (code, values, seen, holds)


def test_what_is_in_order_has_no_remark() -> None:
    assert remarks(replace(SEALED, live=Live(9120), before=9619)) == ()
    assert remarks(replace(SEALED, status=None, total=None, grade=None, before=9620)) == ()


def test_what_holds_a_return_back_comes_first() -> None:
    found = remarks(replace(SEALED, version=2, answers=1, unchanged=True, before=9900, status="changed"))
    assert [remark.code for remark in found] == ["unchanged-answer", "changed", "answers", "fell"]


def test_of_a_return_from_elsewhere_nothing_leads_to_pages_that_it_does_not_have() -> None:
    found = remarks(Known(period="2026Q3", version=2, answers=1, unchanged=True, grade="不合格", veto=VETO))
    told = [("unchanged-answer", ""), ("veto", ""), ("answers", "")]
    assert [(remark.code, remark.seen) for remark in found] == told
