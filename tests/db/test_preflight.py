"""The scan of a draft before it is signed: what it finds, where that is mended, what no longer can be."""

from datetime import date, datetime, timedelta

import pytest

from config.rules import put_in_use
from reports import queries
from reports.life import checking
from reports.life.preflight import LEVELS, Around, Finding, preflight
from safety.access.tables import RoleGrant
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.errors import NotFound
from safety.incidents.ledgers import INCIDENTS
from safety.ledger.actions import record
from tests.cast import Cast, make_cast
from tests.county import at, make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
NOON = at(date(2026, 9, 28), 12)
FIGURES = ("deaths", "serious_injuries", "minor_injuries", "affected", "loss_yuan")


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, NOON)
    return cast


async def scan(cast: Cast, now: datetime = NOON) -> list[Finding]:
    return list((await checking.checked(cast["officer"], cast.school, Q3, now))[1])


def of(found: list[Finding], code: str, line: str = "") -> Finding:
    return next(item for item in found if item.code == code and (not line or item.line == line))


async def test_what_was_missed_leads_to_its_form_filled_in(county: Cast) -> None:
    found = await scan(county)
    assert [LEVELS.index(item.level) for item in found] == sorted(LEVELS.index(item.level) for item in found)
    daily = of(found, "missing", "education.daily")
    assert daily.level == "error"
    draft = await queries.draft_of(county.school, Q3, NOON)
    missed = [e for e in draft.exceptions if e.line == "education.daily" and e.kind == "missed"]
    assert daily.values["number"] == len(missed)
    assert daily.mends[0].path.startswith("/schools/S001/ledgers/daily_reminders/new?happened_on=2026-09-")
    zero = of(found, "zero-missing", "T2")
    assert zero.mends[0].path.startswith("/schools/S001/ledgers/zero_reports/new?happened_on=2026-09-")


async def test_what_can_no_longer_be_mended_has_no_way_to_mend_it(county: Cast) -> None:
    found = await scan(county)
    draft = await queries.draft_of(county.school, Q3, NOON)
    late = of(found, "spent-late")
    assert (late.values["number"], late.mends) == (sum(e.kind == "late" for e in draft.exceptions), ())
    unrostered = of(found, "unrostered", "duty.marshal")
    assert (unrostered.level, unrostered.mends) == ("warning", ())
    assert of(found, "reported-late").mends == ()


async def test_days_ahead_without_a_roster_are_named(county: Cast) -> None:
    marshal = of(await scan(county), "no-roster", "duty.marshal")
    assert marshal.values == {"number": 2, "first": date(2026, 9, 29)}
    assert marshal.mends[0].path == "/schools/S001/roster?week=2026-09-29"
    # The county's gate is rostered until three days after the day on which it was made.
    assert [f.line for f in await scan(county) if f.code == "no-roster"] == ["duty.marshal"]


async def test_incidents_with_a_running_clock_come_first(county: Cast) -> None:
    happened = NOON - timedelta(minutes=10)
    values = {
        "happened_at": happened,
        "discovered_at": happened,
        "category": "facility",
        "liability": "pending",
    }
    values |= dict.fromkeys(FIGURES, 0)
    await record(INCIDENTS, county["officer"], county.school, values, "incident-1", NOON)
    running = of(await scan(county), "clock-running")
    assert running.level == "error"
    assert running.mends[0].path.startswith("/schools/S001/ledgers/incidents/")
    pending = [item for item in await scan(county) if item.code == "liability-pending"]
    assert len(pending) == 2
    overdue = await scan(county, NOON + timedelta(days=2))
    assert of(overdue, "unreported").level == "error"


async def test_a_school_that_is_set_up_badly_is_told(county: Cast) -> None:
    await fetch_tuples(None, "update school_class set pupils = 0 where id = $1", [county.school_class])
    await fetch_tuples(None, "update headcount set pupils = 0 where school_class = $1", [county.school_class])
    await fetch_tuples(None, "update school set revision = revision + 1 where id = $1", [county.school])
    await RoleGrant.delete().where((RoleGrant.school == county.school) & (RoleGrant.role == "principal"))
    found = await scan(county)
    assert of(found, "no-principal").level == "error"
    empty = of(found, "empty-classes")
    assert (empty.values["number"], list(empty.values["names"])) == (1, ["三(1)班"])
    assert empty.mends[0].path == "/schools/S001/settings/classes"


async def test_a_signature_that_facts_have_left_behind_is_told(county: Cast) -> None:
    measured, draft = await queries.drafted(county.school, Q3, NOON)
    assert "signed-before" not in {item.code for item in preflight(measured, draft, Around([], 1, {}, ""))}
    assert "no-causes" in {item.code for item in preflight(measured, draft, Around([], 1, {}, ""))}


async def test_a_scan_is_for_those_who_see_the_school(county: Cast) -> None:
    with pytest.raises(NotFound):
        await checking.checked(county["outsider"], county.school, Q3, NOON)
