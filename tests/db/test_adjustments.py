"""The bureau's score beside the school's own: who may, what it refuses, and that nothing is ever rewritten."""

import asyncio
from datetime import timedelta

import pytest

from config.rules import put_in_use
from reports.actions import seal
from reports.bureau import adjustments
from reports.bureau.adjustments import adjust, adjusted_totals, answer, appeal, read_points, steps
from safety.audit.queries import verify
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from tests.cast import Cast, make_cast
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
LATER = CLOSE + timedelta(days=2)


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    await seal(cast.school, Q3, CLOSE)
    return cast


async def lower(cast: Cast, total: int | None = 6150, key: str = "adjust-0001", who: str = "clerk") -> bool:
    return await adjust(cast[who], cast.school, Q3, total, "抽查发现台账不实", key, LATER)


async def test_the_last_adjustment_holds_and_the_school_s_own_stays(county: Cast) -> None:
    before = await fetch_tuples(None, "select total, document_digest from school_return")
    assert await lower(county)
    assert not await lower(county)
    assert await lower(county, 7000, "adjust-0002")
    assert await adjusted_totals([county.school, county.other_school], Q3) == {county.school: 7000}
    history = await steps(county["officer"], county.school, Q3)
    assert [(step.total, step.own, step.said.maker) for step in history] == [
        (7000, before[0][0], "孙经办"), (6150, before[0][0], "孙经办")
    ]  # fmt: skip
    assert await lower(county, None, "adjust-0003")
    assert await adjusted_totals([county.school], Q3) == {}
    assert len(await steps(county["officer"], county.school, Q3)) == 3
    assert await fetch_tuples(None, "select total, document_digest from school_return") == before
    told = await fetch_tuples(
        None,
        "select action from audit_line where chain = $1 and action like 'score.%' order by position",
        [county.school],
    )
    assert [action for (action,) in told] == ["score.adjusted"] * 2 + ["score.adjustment-withdrawn"]
    assert await verify() == []


async def test_only_the_bureau_s_clerk_adjusts_only_what_was_returned_and_closed(county: Cast) -> None:
    for who in ("officer", "principal", "inspector", "admin"):
        with pytest.raises(NotAllowed):
            await lower(county, who=who)
    with pytest.raises(NotFound):
        await lower(county, who="outsider")
    with pytest.raises(NotFound):
        await adjust(county["clerk"], county.far_school, Q3, 1, "x", "adjust-0001", LATER)
    with pytest.raises(Conflict, match="quarter-open"):
        await adjust(county["clerk"], county.school, Q3.next(), 1, "x", "adjust-0001", LATER)
    with pytest.raises(Conflict, match="no-return"):
        await adjust(county["clerk"], county.other_school, Q3, 1, "x", "adjust-0001", LATER)
    with pytest.raises(Conflict, match="not-adjusted"):
        await lower(county, None)
    for total, reason, key in (
        (10001, "x", "adjust-0001"),
        (-1, "x", "adjust-0001"),
        (1, " ", "adjust-0001"),
    ):
        with pytest.raises(BadInput):
            await adjust(county["clerk"], county.school, Q3, total, reason, key, LATER)
    with pytest.raises(BadInput, match="key-form"):
        await lower(county, key="short")
    await lower(county)
    with pytest.raises(Conflict, match="same-key-other-body"):
        await lower(county, 6151)
    assert len(await fetch_tuples(None, "select id from score_adjustment")) == 1


async def test_an_appeal_that_is_upheld_takes_the_adjustment_back(county: Cast) -> None:
    with pytest.raises(Conflict, match="not-adjusted"):
        await appeal(county["officer"], county.school, Q3, "当天台账齐全", "appeal-0001", LATER)
    await lower(county)
    with pytest.raises(NotAllowed):
        await appeal(county["teacher"], county.school, Q3, "当天台账齐全", "appeal-0001", LATER)
    with pytest.raises(Conflict, match="no-appeal"):
        await answer(county["clerk"], county.school, Q3, "upheld", "属实", "answer-0001", LATER)
    assert await appeal(county["officer"], county.school, Q3, "当天台账齐全", "appeal-0001", LATER)
    assert not await appeal(county["officer"], county.school, Q3, "当天台账齐全", "appeal-0001", LATER)
    with pytest.raises(Conflict, match="appealed-already"):
        await appeal(county["principal"], county.school, Q3, "再申诉", "appeal-0002", LATER)
    assert await adjustments.appeals([county.school], Q3) == [(county.school, LATER, None)]
    with pytest.raises(NotAllowed):
        await answer(county["principal"], county.school, Q3, "upheld", "属实", "answer-0001", LATER)
    with pytest.raises(BadInput):
        await answer(county["clerk"], county.school, Q3, "perhaps", "属实", "answer-0001", LATER)
    assert await answer(county["clerk"], county.school, Q3, "upheld", "属实", "answer-0001", LATER)
    assert not await answer(county["clerk"], county.school, Q3, "upheld", "属实", "answer-0001", LATER)
    assert await adjusted_totals([county.school], Q3) == {}
    newest, first = await steps(county["clerk"], county.school, Q3)
    assert (newest.total, first.outcome, first.answer and first.answer.maker) == (None, "upheld", "孙经办")


async def test_an_appeal_that_is_rejected_leaves_the_adjustment(county: Cast) -> None:
    await lower(county)
    await appeal(county["principal"], county.school, Q3, "当天台账齐全", "appeal-0001", LATER)
    await answer(county["clerk"], county.school, Q3, "rejected", "佐证不足", "answer-0001", LATER)
    assert await adjusted_totals([county.school], Q3) == {county.school: 6150}
    with pytest.raises(Conflict, match="no-appeal"):
        await answer(county["clerk"], county.school, Q3, "upheld", "改变主意", "answer-0002", LATER)


async def test_the_same_form_sent_twice_at_once_is_one_adjustment(county: Cast) -> None:
    done = await asyncio.gather(*(lower(county) for _ in range(5)))
    assert sorted(done) == [False] * 4 + [True]
    assert len(await fetch_tuples(None, "select id from score_adjustment")) == 1


@pytest.mark.parametrize(
    ("text", "hundredths"),
    [("0", 0), ("100", 10000), ("61.5", 6150), (" ８０．25 ", 8025), ("100.00", 10000)],
)
def test_points_are_read(text: str, hundredths: int) -> None:
    assert read_points(text) == hundredths


@pytest.mark.parametrize("text", ["", "100.01", "101", "-1", "6.155", "1e2", "八十", "1000"])
def test_what_is_no_score_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        read_points(text)
