"""The tallies kept by every write equal those made anew from the entries, whatever happened in whatever order."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safety import in_use
from safety.calendar import Period
from safety.ledger.tallies import rebuild
from safety.scores import measured_score, scores, tallied_score
from safety.scoring import as_json
from tests.cast import Cast, make_cast
from tests.db.histories import START, History
from tests.ledgers import ledgers_in_use
from tests.unit.law import changed

QUARTERS = [Period.parse(text) for text in ("2026Q1", "2026Q2", "2026Q3", "2026Q4", "2027Q1")]


@pytest.fixture
async def cast(database: Any) -> Any:
    with ledgers_in_use():
        yield await make_cast(START)


def _counts(score: Any) -> Any:
    document = as_json(score)
    for group in document["groups"]:
        for line in group["lines"]:
            line["entries"] = []
    return document


async def _all_ways(history: History, period: Period) -> dict[str, Any]:
    """The score by every way that there is of getting it, entries left out."""
    school, now = history.school, history.now
    return {
        "kept": _counts(await tallied_score(school, period, now)),
        "board": _counts((await scores([school], period, now))[school]),
        "gathered": _counts((await measured_score(school, period, now, now=True, singly=False))[1]),
        "singly": _counts((await measured_score(school, period, now, now=True))[1]),
        "as of now": _counts((await measured_score(school, period, now, now=False))[1]),
    }


async def _agrees(cast: Cast, seed: int, steps: int) -> None:
    history = await History.begin(Random(seed), cast)
    await history.live(steps)
    for period in QUARTERS:
        ways = await _all_ways(history, period)
        for name, found in ways.items():
            assert found == ways["kept"], f"{period}: {name} differs from what was kept"


CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=8, deadline=None, suppress_health_check=CHECKS)
@given(seed=st.integers(0, 2**32), steps=st.integers(5, 120))
async def test_kept_tallies_equal_a_recompute(cast: Cast, seed: int, steps: int) -> None:
    await _agrees(cast, seed, steps)


CHANGES = {
    "food.samples.least_grams": 150,
    "duty.marshal.least_slots": 3,
    "duty.patrol.rounds": 2,
    "duty.patrol.gap": 60,
    "duty.checkin.lead": 0,
    "grace.daily": 2,
    "grace.weekly": 1,
    "grace.long": 3,
    "drills.evaluated.due_days": 2,
    "incident.report.other": 2,
}


@settings(max_examples=8, deadline=None, suppress_health_check=CHECKS)
@given(seed=st.integers(0, 2**32), steps=st.integers(40, 160))
async def test_so_they_do_across_changes_of_standards(cast: Cast, seed: int, steps: int) -> None:
    random, first = Random(seed), START.date()
    law = changed(
        {"id": id_, "from": first + timedelta(days=random.randint(-5, 90)), "value": value}
        for id_, value in CHANGES.items()
    )
    in_use.use(law, in_use.registry())
    await _agrees(cast, seed, steps)


@pytest.mark.soak
@settings(max_examples=40, deadline=None, suppress_health_check=CHECKS)
@given(seed=st.integers(0, 2**32), steps=st.integers(40, 240))
async def test_kept_tallies_equal_a_recompute_over_longer_lives(cast: Cast, seed: int, steps: int) -> None:
    await _agrees(cast, seed, steps)


async def test_a_history_is_not_mostly_refused(cast: Cast) -> None:
    history = await History.begin(Random(7), cast)
    await history.live(300)
    assert len(history.entries) > 60
    assert history.refused < 150


async def test_a_rebuild_finds_what_the_writes_left(cast: Cast) -> None:
    history = await History.begin(Random(11), cast)
    await history.live(200)
    before = [_counts(await tallied_score(history.school, period, history.now)) for period in QUARTERS]
    for period in QUARTERS:
        await rebuild(history.school, period, history.now)
    after = [_counts(await tallied_score(history.school, period, history.now)) for period in QUARTERS]
    assert before == after
    assert any(score["total"] not in {None, "0.00"} for score in after)
