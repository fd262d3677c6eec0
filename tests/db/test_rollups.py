"""A bureau's roll-up is sealed on its day, once, goes up by itself, and is made anew when something changed."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from config.ledgers import REGISTRY
from config.rules import put_in_use
from config.scheduler import table
from reports import files, queries
from reports.actions import seal, sign
from reports.bureau.adjustments import adjust, appeal
from reports.canonical import canonical
from reports.delivery.actions import deliver_waiting
from reports.delivery.receive import Parcel, receive
from reports.jobs import close
from reports.kinds import RollupJob
from reports.pdf import Renderer
from reports.press import Press
from reports.rollup import actions as rollup_actions
from reports.rollup import document as rollup
from reports.rollup import jobs as rollup_jobs
from reports.rollup import queries as rollup_queries
from reports.rollup.actions import save_setting, seal_again, seal_due, seal_first
from reports.rollup.due import Setting, due_at
from safety.audit.queries import verify
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.jobs.actions import walk
from safety.jobs.owner import me
from safety.ledger.actions import record
from safety.national import National
from safety.places.tables import Bureau
from tests.cast import Cast, make_cast
from tests.county import make_county
from tests.sample_return import sample_return
from tests.sample_rollup import sample_rollup

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
THIRD = datetime(2026, 10, 3, 0, 0, tzinfo=UTC)


class QuickRenderer(Renderer):
    """Draws nothing: small bytes of its own for each document."""

    async def render(self, job) -> bytes:
        kind = b"rollup" if isinstance(job, RollupJob) else b"return"
        return b"%PDF " + kind + hashlib.sha256(canonical(job.document)).digest()


@pytest.fixture
async def press(tmp_path: Path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def county(database: CampusEngine, press: Press) -> Cast:
    """S001 and S003 have returned, S002 has not."""
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    await seal(cast.school, Q3, CLOSE)
    await seal(cast.far_school, Q3, CLOSE)
    await deliver_waiting(press, CLOSE, everything=True)
    return cast


async def newest(bureau: int) -> rollup.RollupDocument:
    return (await rollup_queries.made(bureau, Q3))[0].document


# ---------------------------------------------------------------- when
@pytest.mark.parametrize(
    ("period", "setting", "day"),
    [
        ("2026Q2", Setting(3), (7, 3)),
        ("2026Q3", Setting(3), (10, 3)),
        # The National Day holiday runs from the 1st to the 7th.
        ("2026Q3", Setting(3, next_working_day=True), (10, 8)),
        ("2026Q2", Setting(4, next_working_day=True), (7, 6)),
        ("2026Q2", Setting(3, next_working_day=True), (7, 3)),
    ],
)
def test_the_day_is_the_third_or_what_is_set_or_the_next_working_day(period, setting, day) -> None:
    at = due_at(Period.parse(period), setting, National())
    assert at == datetime(2026, *day, 0, 0, tzinfo=UTC)


async def test_every_bureau_with_schools_seals_on_its_day_once(county: Cast, press: Press) -> None:
    assert await seal_due(press.data, THIRD - timedelta(seconds=1)) == 0
    assert await seal_due(press.data, THIRD) == 3
    assert await seal_due(press.data, THIRD + timedelta(days=1)) == 0
    rows = await fetch_tuples(
        None,
        "select b.code, r.version, r.made_by from rollup r join bureau b on b.id = r.bureau order by b.code",
    )
    assert rows == [("CITY", 1, None), ("HILL", 1, None), ("RIVER", 1, None)]
    assert await verify() == []


async def test_the_job_catches_up_and_both_processes_seal_once(county: Cast, press: Press) -> None:
    job = next(entry.job for entry in table(press) if entry.name == "rollups")
    assert job is not None
    clock = FixedClock(THIRD + timedelta(days=9, hours=3))
    await asyncio.gather(walk(job, clock, me()), walk(job, clock, "another-machine/7/1"))
    assert len(await fetch_tuples(None, "select id from rollup")) == 3
    await asyncio.gather(*(seal_first(county.county, Q3, press.data, THIRD) for _ in range(3)))
    assert len(await fetch_tuples(None, "select id from rollup")) == 3


def test_a_quarter_that_closed_before_the_installation_began_is_not_rolled_up() -> None:
    third = THIRD.replace(hour=1)
    assert rollup_jobs.slots(CLOSE, third) == []
    assert [slot.key for slot in rollup_jobs.slots(CLOSE - timedelta(seconds=1), third)] == ["2026-10-03"]


async def test_a_bureau_s_clerk_sets_its_day(county: Cast, press: Press) -> None:
    for who, refusal in (("inspector", NotAllowed), ("admin", NotAllowed), ("officer", NotFound)):
        with pytest.raises(refusal):
            await save_setting(county[who], county.county, 5, False, CLOSE)
    with pytest.raises(NotFound):
        await save_setting(county["clerk"], county.river, 5, False, CLOSE)
    for day in (0, 29):
        with pytest.raises(BadInput):
            await save_setting(county["clerk"], county.county, day, False, CLOSE)
    await save_setting(county["clerk"], county.county, 4, False, CLOSE)
    await save_setting(county["clerk"], county.county, 5, True, CLOSE)
    assert await seal_due(press.data, THIRD) == 2
    assert await rollup_queries.made(county.county, Q3) == []
    assert await seal_due(press.data, THIRD + timedelta(days=5)) == 1


# ---------------------------------------------------------------- what is in it
async def test_it_holds_every_school_as_the_bureau_received_it(county: Cast, press: Press) -> None:
    await adjust(county["clerk"], county.school, Q3, 5000, "台账不实", "adjust-0001", THIRD)
    await appeal(county["officer"], county.school, Q3, "台账属实", "appeal-0001", THIRD)
    await seal_due(press.data, THIRD)
    document = await newest(county.county)
    first, second = document.schools
    own = (await fetch_tuples(None, "select total, facts_digest, document_digest from school_return where school = $1",
                              [county.school]))[0]  # fmt: skip
    assert (first.code, first.state, first.adjusted) == ("S001", "unsigned", "50.00")
    assert (int((first.own or "").replace(".", "")), first.facts_digest, first.document_digest) == own
    assert (second.code, second.state, second.own) == ("S002", "missing", None)
    assert (document.figures.schools, document.figures.missing) == (2, 1)
    assert document.figures.means.adjusted == "25.00"
    assert document.figures.means.adjusted_without == "50.00"
    assert document.above is not None
    assert document.above.code == "CITY"
    assert [row.count for row in document.incidents if row.category == "facility"] == [1]
    assert [(m.kind, m.school, m.outcome) for m in document.matters] == [("appeal", "S001", "open")]
    city = await newest(county.city)
    assert [(m.code, m.source, m.figures.schools) for m in city.members] == [
        ("HILL", "own", 2),
        ("RIVER", "own", 1),
    ]
    assert {line.bureau for line in city.schools} == {"HILL", "RIVER"}
    assert city.above is None


async def test_a_return_that_changed_after_its_signature_is_not_called_signed(
    database: CampusEngine, press: Press
) -> None:
    put_in_use()
    cast, evening = await make_cast(CLOSE - timedelta(days=40)), CLOSE - timedelta(hours=4)
    await make_county(cast, CLOSE)
    draft = await queries.draft(cast["principal"], cast.school, Q3, evening)
    await sign(cast["principal"], cast.school, Q3, draft.facts_digest, evening, key="sign-00001")
    said = {"class": cast.school_class, "happened_on": Q3.end, "text": "国庆出行安全"}
    await record(
        REGISTRY["daily_reminders"],
        cast["officer"],
        cast.school,
        said,
        "after-sign",
        CLOSE - timedelta(hours=1),
    )
    await seal(cast.school, Q3, CLOSE)
    await deliver_waiting(press, CLOSE, everything=True)
    await seal_first(cast.county, Q3, press.data, THIRD)
    line = (await newest(cast.county)).schools[0]
    assert (line.state, line.changes, line.signing) == ("returned", 1, "changed")


async def test_a_return_that_is_sealed_but_has_not_arrived_is_missing(county: Cast, press: Press) -> None:
    await seal(county.other_school, Q3, THIRD)
    await seal_first(county.county, Q3, press.data, THIRD)
    assert (await newest(county.county)).figures.missing == 1
    await deliver_waiting(press, THIRD, everything=True)
    assert await seal_again(
        county["clerk"], county.county, Q3, "第二小学已报", "again-00001", press.data, THIRD
    )
    assert (await newest(county.county)).figures.missing == 0


# ---------------------------------------------------------------- on its way
async def test_it_goes_to_the_bureau_above_in_the_transaction_that_seals_it(
    county: Cast, press: Press
) -> None:
    await seal_due(press.data, THIRD)
    rows = await fetch_tuples(
        None,
        "select s.code, b.code from outbox o join rollup r on r.id = o.subject join bureau s on s.id = r.bureau "
        "left join bureau b on b.id = o.bureau where o.kind = 'rollup' order by s.code",
    )
    assert rows == [("CITY", None), ("HILL", "CITY"), ("RIVER", "CITY")]
    done = await deliver_waiting(press, THIRD, everything=True)
    assert (done.delivered, done.failed) == (2, {})
    kept = await fetch_tuples(
        None, "select f.bytes_digest, f.size from rollup_file f join rollup r on r.id = f.rollup"
    )
    assert len(kept) == 2
    for digest, size in kept:
        content = files.read(press.data, digest)
        assert (content[:11], len(content)) == (b"%PDF rollup", size)


async def test_one_that_goes_nowhere_has_its_file_too(county: Cast, press: Press) -> None:
    await seal_due(press.data, THIRD)
    assert (await rollup_queries.made(county.city, Q3))[0].file is None
    tick = next(entry for entry in table(press) if entry.name == "rollup-files")
    await tick.tick(FixedClock(THIRD))
    await tick.tick(FixedClock(THIRD))
    assert len(await fetch_tuples(None, "select rollup from rollup_file")) == 3
    digest = (await rollup_queries.made(county.city, Q3))[0].file
    assert digest is not None
    assert files.read(press.data, digest).startswith(b"%PDF rollup")


# ---------------------------------------------------------------- a further version
async def test_a_further_version_says_why_and_what_was_before(county: Cast, press: Press) -> None:
    def again(reason: str = "核定得分", key: str = "again-00001", who: str = "clerk", at: datetime = THIRD):
        return seal_again(county[who], county.county, Q3, reason, key, press.data, at)

    with pytest.raises(Conflict, match="rollup-not-yet"):
        await again()
    await seal_due(press.data, THIRD)
    with pytest.raises(Conflict, match="rollup-unchanged"):
        await again()
    await adjust(county["clerk"], county.school, Q3, 5000, "台账不实", "adjust-0001", THIRD)
    with pytest.raises(NotAllowed):
        await again(who="inspector")
    with pytest.raises(BadInput):
        await again(reason=" ")
    assert await again()
    assert not await again()
    with pytest.raises(Conflict, match="same-key-other-body"):
        await again(reason="另一个理由")
    second, first = await rollup_queries.made(county.county, Q3)
    assert (second.version, second.reason, second.document.previous_digest) == (
        2,
        "核定得分",
        first.document_digest,
    )
    assert hashlib.sha256(second.text.encode()).hexdigest() == second.document_digest
    assert first.document.figures.means.adjusted == first.document.figures.means.own


async def test_before_it_is_sealed_there_is_a_draft_and_before_the_close_nothing(
    county: Cast, press: Press
) -> None:
    with pytest.raises(Conflict, match="quarter-open"):
        await rollup_actions.current(county.county, Q3, press.data, CLOSE - timedelta(seconds=1))
    assert (await rollup_actions.current(county.county, Q3, press.data, CLOSE)).draft
    await seal_due(press.data, THIRD)
    assert not (await rollup_actions.current(county.county, Q3, press.data, THIRD)).draft


async def test_the_trend_goes_back_to_quarters_that_had_returns(county: Cast, press: Press) -> None:
    q4 = Q3.next()
    await seal_due(press.data, THIRD)
    await close(press, q4, close_at(q4))
    await seal_first(county.county, q4, press.data, close_at(q4) + timedelta(days=3))
    document = (await rollup_queries.made(county.county, q4))[0].document
    assert [item.period for item in document.trend] == ["2026Q3", "2026Q4"]
    assert document.trend[0].means == (await newest(county.county)).figures.means
    # A bureau that never made one for the earlier quarter counts it from what came.
    await fetch_tuples(None, "delete from outbox where kind = 'rollup'")
    await fetch_tuples(None, "delete from rollup where bureau = $1 and period = '2026Q3'", [county.river])
    river = await rollup_actions.current(county.river, q4, press.data, close_at(q4))
    assert [(item.period, item.schools, item.missing) for item in river.trend] == [
        ("2026Q3", 1, 0), ("2026Q4", 1, 0)
    ]  # fmt: skip


# ---------------------------------------------------------------- counties of other instances
async def test_a_county_of_another_instance_is_folded_into_the_city_s(county: Cast, press: Press) -> None:
    await Bureau(code="330102", name="江州县教育局", parent=county.city).save()
    sent = sample_rollup(8)
    await take(county.city, sent, version=1)
    await seal_first(county.city, Q3, press.data, THIRD)
    city = await newest(county.city)
    member = next(m for m in city.members if m.code == "330102")
    assert (member.source, member.figures, member.version) == ("received", sent.figures, 1)
    assert city.figures.schools == 3 + 8
    assert not [line for line in city.schools if line.bureau == "330102"]
    # A quarter later it is silent: as many pupils as last known count as zero.
    q4 = await rollup_actions.current(county.city, Q3.next(), press.data, close_at(Q3.next()))
    silent = next(m for m in q4.members if m.code == "330102")
    assert (silent.source, silent.figures.missing) == ("missing", 8)


async def test_one_bureau_that_fails_keeps_no_other_waiting(county: Cast, press: Press) -> None:
    # A return from another instance whose file is gone.
    await fetch_tuples(
        None,
        "insert into inbox_item (id, bureau, message, school_code, period, version, facts_digest, bytes_digest, size, "
        "received_at) values ($1, $2, $1, 'S002', '2026Q3', 1, $3, $3, 9, $4)",
        [new_id(), county.county, "d" * 64, CLOSE],
    )
    with pytest.raises(ExceptionGroup, match="2 roll-ups"):
        await seal_due(press.data, THIRD)
    assert (await newest(county.river)).version == 1
    assert await rollup_queries.made(county.county, Q3) == []


async def test_a_return_of_another_instance_is_read_out_of_its_file(county: Cast, press: Press) -> None:
    document = sample_return(school=msgspec.structs.replace(sample_return().school, code="S002"))
    renderer = Renderer(press.data)
    digest = files.store(press.data, await renderer.render_return(document))
    await renderer.close()
    await fetch_tuples(
        None,
        "insert into inbox_item (id, bureau, message, school_code, period, version, facts_digest, bytes_digest, size, "
        "received_at) values ($1, $2, $1, 'S002', '2026Q3', 1, $3, $4, 9, $5)",
        [new_id(), county.county, document.facts_digest, digest, CLOSE],
    )
    await seal_due(press.data, THIRD)
    line = (await newest(county.county)).schools[1]
    assert (line.state, line.own, line.version) == ("returned", document.score.total, 1)
    assert line.document_digest == hashlib.sha256(canonical(document)).hexdigest()


async def test_a_roll_up_that_cannot_be_read_counts_as_missing(county: Cast, press: Press) -> None:
    await Bureau(code="330102", name="江州县教育局", parent=county.city).save()
    await take(county.city, sample_rollup(8), version=1)
    await fetch_tuples(None, 'update received_rollup set document = \'{"schema": "later"}\'')
    await seal_first(county.city, Q3, press.data, THIRD)
    assert {m.code: m.source for m in (await newest(county.city)).members}["330102"] == "missing"


async def take(bureau: int, document: rollup.RollupDocument, version: int) -> None:
    """What the receiving end does with a roll-up whose seal it has checked."""
    peer = await fetch_tuples(
        None,
        "insert into peer (kind, code, name, bureau, token_digest, certificate, fingerprint, added_at) "
        "values ('rollup', '330102', 'x', $1, $2, '', '', $3) returning id",
        [bureau, "0" * 64, THIRD],
    )
    parcel = Parcel(
        new_id(), "rollup", "330102", peer[0][0], bureau, "2026Q3", version, document.facts_digest, "c" * 64, 9,
        canonical(document).decode(),
    )  # fmt: skip
    await receive(parcel, None, THIRD)
