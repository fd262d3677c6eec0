"""Whether two versions of a return state the same."""

from datetime import timedelta

import msgspec
import pytest

from reports.document import Cause, Penalty, ReturnDocument
from reports.life.diff import CauseDiff, causes_between, unchanged
from tests.sample_return import sample_return

BEFORE = sample_return()


def test_when_and_why_a_version_was_made_is_no_change() -> None:
    later = BEFORE.made_at + timedelta(days=3)
    score = msgspec.structs.replace(BEFORE.score, as_of=later)
    made = sample_return(
        version=2, made_at=later, score=score, reason="按要求补正", previous_digest="a7" * 32, chain_head=None
    )
    assert unchanged(BEFORE, made)


def _other_causes() -> ReturnDocument:
    return sample_return(causes=(*BEFORE.causes, Cause(line="food.stock", text="停电")))


def _one_fact_less() -> ReturnDocument:
    return sample_return(facts=BEFORE.facts[1:])


def _incident_decided() -> ReturnDocument:
    first, *others = BEFORE.incidents
    return sample_return(incidents=(msgspec.structs.replace(first, loss_yuan=first.loss_yuan + 1), *others))


def _other_penalty() -> ReturnDocument:
    penalties = (
        *BEFORE.score.penalties,
        Penalty(incident=BEFORE.incidents[0].id, cause="late", points="1.00"),
    )
    return sample_return(score=msgspec.structs.replace(BEFORE.score, penalties=penalties))


def _other_points() -> ReturnDocument:
    group, *groups = BEFORE.score.groups
    line, *lines = group.lines
    moved = msgspec.structs.replace(line, late=line.late + 1)
    group = msgspec.structs.replace(group, lines=(moved, *lines))
    return sample_return(score=msgspec.structs.replace(BEFORE.score, groups=(group, *groups)))


@pytest.mark.parametrize(
    "change", [_other_causes, _one_fact_less, _incident_decided, _other_penalty, _other_points]
)
def test_every_other_statement_is_a_change(change) -> None:
    assert not unchanged(BEFORE, change())


def test_causes_are_compared_line_by_line() -> None:
    first = sample_return(
        causes=(Cause(line="duty.gate", text="保安请假"), Cause(line="food.samples", text="停电"))
    )
    second = sample_return(
        causes=(Cause(line="duty.gate", text="保安离职"), Cause(line="education.daily", text="考试"))
    )
    assert causes_between(first, second) == (
        CauseDiff("education.daily", "", "考试"),
        CauseDiff("duty.gate", "保安请假", "保安离职"),
        CauseDiff("food.samples", "停电", ""),
    )
    assert causes_between(first, first) == ()
