"""A return of a quarter in which standards changed says so, and is borne out by its own attachments."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from functools import partial
from random import Random

import pytest

from config.ledgers import REGISTRY
from config.rules import put_in_use
from reports import queries
from reports.canonical import canonical
from reports.compile import Making, compile_return
from reports.document import Bureau, Words, parse
from reports.layout.view import view
from reports.verification.agree import disagreements
from safety import in_use
from safety.calendar import Period
from safety.database import CampusEngine
from safety.duties import close_at
from safety.standards import Standards
from safety.text import Catalogue
from tests.cast import Cast, make_cast
from tests.db.histories import START, History
from tests.unit.law import changed

Q2 = Period.parse("2026Q2")
BUREAU = Bureau(code="X", name=Words(zh="某县教育局"))
FIRST = date(2026, 6, 11)
CHANGES = {
    "grace.daily": 2,
    "duty.patrol.rounds": 2,
    "food.samples.least_grams": 150,
    "drills.evaluated.due_days": 3,
    "incident.report.other": 2,
}


@pytest.fixture
async def cast(database: CampusEngine) -> Cast:
    put_in_use()
    return await make_cast(START)


@pytest.fixture
async def law(cast: Cast) -> AsyncIterator[Standards]:
    """A change on each of some days from the eleventh of June on."""
    found = changed(
        {"id": id_, "from": FIRST + timedelta(days=n), "value": value}
        for n, (id_, value) in enumerate(CHANGES.items())
    )
    in_use.use(found, REGISTRY)
    yield found
    put_in_use()


@pytest.mark.parametrize("seed", range(3))
async def test_such_a_return_names_its_standards_and_agrees_with_its_facts(
    cast: Cast, law: Standards, seed: int
) -> None:
    history = await History.begin(Random(seed), cast)
    await history.live(120)
    at = close_at(Q2)
    found = await queries.measured(history.school, Q2, at, now=False)
    document = parse(canonical(compile_return(found, Making(bureau=BUREAU, made_at=at))))
    assert document.standards == f"{law.version}+2026-06-11+2026-06-12+2026-06-13+2026-06-14+2026-06-15"
    assert [span.changed for span in document.score.in_force] == [(), *((id_,) for id_ in CHANGES)]
    assert disagreements(document, law) == []
    drawn = view(document, "zh", partial(Catalogue.load().t, lang="zh"))
    assert "标准于2026年6月11日、" in drawn.footnote
    # The same facts, scored as if nothing had changed, are told apart by the name of their standards.
    assert disagreements(document, changed([])) != []
