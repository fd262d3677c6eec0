"""The demo county: lived through by the actions that people use, the same for the same seed, and marked as made up."""

import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from config.commands.demo import keep_logins
from config.demo.county import Loaded, Wish, load
from config.ledgers import REGISTRY
from config.rules import put_in_use
from reports.bureau import adjustments
from reports.canonical import canonical
from reports.delivery import tracking
from reports.document import parse
from reports.life import standing
from reports.pdf import Renderer
from reports.press import Press
from reports.rollup import queries as rollup_queries
from reports.rollup.since import changes_since
from safety.access.actions import sign_in
from safety.access.queries import scope_of_login
from safety.access.scope import ROLES
from safety.audit import queries as audit
from safety.bundles.export import export_bundle
from safety.clock import day_start
from safety.database import fetch_tuples
from safety.errors import Conflict
from safety.jobs.owner import me
from safety.ledger.tallies import recompute
from safety.places.facts import facts_of
from tests.conftest import DATABASES, Templates, opened

WISH = Wish(date(2026, 11, 16), schools=3, quarters=1, seed="7")
NOW = day_start(WISH.today)
TALLIES = """select school, line, day, extra, on_time, late, backfilled, amount, whole from tally
where day between $1 and $2"""


class QuickRenderer(Renderer):
    """Draws nothing: small bytes of its own for each document."""

    async def render(self, job) -> bytes:
        return b"%PDF " + hashlib.sha256(canonical(job.document)).digest()


@asynccontextmanager
async def database_of(
    kind: str, folder: Path, sqlite_template: Path, postgres_template: Templates
) -> AsyncIterator[None]:
    """A migrated, empty database of that kind, open and in use."""
    async with AsyncExitStack() as stack:
        if kind == "sqlite":
            file = folder / "demo.db"
            shutil.copyfile(sqlite_template, file)
            url = f"sqlite:///{file}"
        else:
            url = await stack.enter_async_context(postgres_template.fresh())
        await stack.enter_async_context(opened(url))
        yield


@pytest.fixture(scope="module", params=DATABASES)
async def demo(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
    postgres_template: Templates,
) -> AsyncIterator[Loaded]:
    """A small county, once for each kind of database."""
    put_in_use()
    folder = tmp_path_factory.mktemp("demo")
    async with database_of(request.param, folder, sqlite_template, postgres_template):
        yield await load(WISH, Press(folder, QuickRenderer(folder), me()))


async def test_the_tallies_are_what_a_recompute_finds(demo: Loaded) -> None:
    ids = [id_ for (id_,) in await fetch_tuples(None, "select id from school")]
    schools = list((await facts_of(ids)).values())
    for period in (*demo.periods, demo.periods[-1].next()):
        measured = await recompute(schools, period, NOW)
        wanted = {
            (
                school,
                row.line,
                row.day,
                row.extra,
                row.on_time,
                row.late,
                row.backfilled,
                row.amount,
                row.whole,
            )
            for school, lines in measured.items()
            for found in lines.values()
            for row in found.rows
        }
        assert set(await fetch_tuples(None, TALLIES, [period.start, period.end])) == wanted


@pytest.mark.parametrize("ledger", list(REGISTRY), ids=lambda ledger: ledger.name)
async def test_every_ledger_has_something_to_show(demo: Loaded, ledger: object) -> None:
    assert await fetch_tuples(None, f"select 1 from {ledger.table_name} limit 1")  # type: ignore[attr-defined]


async def test_things_are_done_on_time_late_afterwards_and_not_at_all(demo: Loaded) -> None:
    sums = await fetch_tuples(None, "select sum(on_time), sum(late), sum(backfilled) from tally")
    assert all(count > 0 for count in sums[0])


async def test_entries_are_corrected_voided_and_added_to(demo: Loaded) -> None:
    for where in ("superseded_by is not null", "voided_at is not null"):
        assert await fetch_tuples(None, f"select 1 from class_session where {where} limit 1")
    kinds = {kind for (kind,) in await fetch_tuples(None, "select distinct kind from entry_event")}
    assert {"discarded", "evaluated", "liability"} <= kinds


async def test_a_batch_without_its_certificate_is_not_there(demo: Loaded) -> None:
    assert not await fetch_tuples(None, "select 1 from purchase_batch where certificate_no = ''")


async def test_past_quarters_are_sealed_and_most_of_them_signed(demo: Loaded) -> None:
    rows = await fetch_tuples(None, "select document, sign_off is null from school_return where version = 1")
    assert len(rows) == WISH.schools * WISH.quarters
    assert sum(unsigned for _, unsigned in rows) == 1
    assert all(parse(document.encode()).made_up for document, _ in rows)


async def test_returns_wait_are_sent_back_corrected_adjusted_and_missing(demo: Loaded) -> None:
    clerk = await scope_of_login("clerk", NOW)
    assert clerk is not None
    county, period = clerk.bureau_codes["CX"], demo.periods[-1]
    lines = await standing.decided(clerk, county, period)
    assert [(line.line.school_code, line.state) for line in lines] == [
        ("CX01", "received"), ("CX02", "received"), ("CX03", "returned"), ("CX04", "missing"),
    ]  # fmt: skip
    assert [line.line.item.version for line in lines if line.line.item] == [2, 1, 1]
    school = clerk.school_codes["CX02"]
    (step,) = await adjustments.steps(clerk, school, period)
    assert step.appeal is not None
    assert (step.total, step.outcome) == ((step.own or 0) - 350, None)
    assert [line.code for line in await tracking.silent(clerk, county, period)] == ["CX04"]


async def test_its_roll_up_is_sealed_on_its_day_and_has_fallen_behind(demo: Loaded) -> None:
    rows = await fetch_tuples(
        None, "select b.code, r.sealed_at from rollup r join bureau b on b.id = r.bureau"
    )
    assert sorted(rows) == [(code, datetime(2026, 10, 3, 0, 0, tzinfo=UTC)) for code in ("CX", "LC")]
    county = (await fetch_tuples(None, "select id from bureau where code = 'CX'"))[0][0]
    sealed = (await rollup_queries.made(county, demo.periods[-1]))[0].document
    assert sealed.figures.missing == 1
    kinds = [item.kind for item in await changes_since(county, demo.periods[-1], sealed)]
    assert kinds == ["version", "adjusted", "matter"]


async def test_rounds_lead_through_the_grid_zones_of_schools_that_have_them(demo: Loaded) -> None:
    rows = await fetch_tuples(
        None,
        "select s.code, count(distinct d.zone) from duty_checkin d join school s on s.id = d.school "
        "group by s.code order by s.code",
    )
    assert rows == [("CX01", 3), ("CX02", 3), ("CX03", 0)]


async def test_everything_is_marked_as_made_up(demo: Loaded) -> None:
    for table in ("bureau", "school"):
        rows = await fetch_tuples(None, f"select made_up, name from {table}")
        assert all(made_up and "演示" in name for made_up, name in rows)


async def test_every_role_can_sign_in_with_what_is_printed(demo: Loaded) -> None:
    assert {login["role"] for login in demo.logins} == set(ROLES)
    clerk = next(login for login in demo.logins if login["role"] == "clerk")
    assert await sign_in(clerk["login"], clerk["password"], NOW)
    scope = await scope_of_login(clerk["login"], NOW)
    assert scope is not None
    assert not scope.must_change_password


async def test_its_audit_chains_are_whole(demo: Loaded) -> None:
    assert await audit.verify() == []


async def test_nothing_was_recorded_in_the_future(demo: Loaded) -> None:
    for ledger in REGISTRY:
        sql = f"select 1 from {ledger.table_name} where recorded_at >= $1 limit 1"
        assert not await fetch_tuples(None, sql, [NOW])


async def test_it_goes_into_an_empty_database_only(demo: Loaded) -> None:
    with pytest.raises(Conflict, match="demo-not-empty"):
        await load(WISH)


async def test_the_same_seed_and_day_give_the_same_export_on_any_database(
    tmp_path: Path, sqlite_template: Path, postgres_template: Templates
) -> None:
    put_in_use()
    wish = Wish(date(2026, 10, 19), schools=2, quarters=1, seed="7")
    exports = []
    for kind in DATABASES:
        async with database_of(kind, tmp_path, sqlite_template, postgres_template):
            await load(wish, Press(tmp_path, QuickRenderer(tmp_path), me()))
            await export_bundle(tmp_path / kind, None)
        exports.append({file.name: file.read_bytes() for file in sorted((tmp_path / kind).iterdir())})
    assert exports[0].keys() == exports[1].keys()
    assert [name for name in exports[0] if exports[0][name] != exports[1][name]] == []


def test_the_logins_are_kept_for_their_owner_only(tmp_path: Path) -> None:
    place = tmp_path / "data" / "demo-logins.json"
    keep_logins(place, [{"login": "a"}])
    assert place.stat().st_mode & 0o777 == 0o600
