"""What happens to a return after its sealing, on both databases: what came later, corrected, explained."""

from datetime import timedelta

import pytest

from reports import actions, queries
from reports.document import document_digest
from reports.jobs import deliver_due
from reports.life import actions as life
from reports.life import causes, standing
from reports.life.decisions import Ruling, decide
from reports.life.diff import facts_between
from reports.press import Press
from safety.audit.queries import verify
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.incidents.ledgers import INCIDENTS
from safety.jobs.owner import me
from safety.ledger.actions import record
from tests.cast import Cast
from tests.db.after_close import (
    BACK,
    CLOSE,
    LATER,
    NEXT_DAY,
    Q3,
    REMINDERS,
    closed_county,
    item_of,
    newest,
    one_too_few,
    states,
    trail,
)
from tests.db.test_returns import QuickRenderer

FIGURES = ("deaths", "serious_injuries", "minor_injuries", "affected", "loss_yuan")


@pytest.fixture
async def press(tmp_path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def county(database: CampusEngine, press: Press) -> Cast:
    return await closed_county(press)


async def write_a_cause(cast: Cast) -> None:
    texts = {"education.daily": "值日老师病假"}
    await causes.write(cast["officer"], cast.school, Q3, texts, NEXT_DAY, key="causes-001")


# ---------------------------------------------------------------- what came later
async def test_later_entries_say_what_they_would_change_and_change_nothing(county: Cast) -> None:
    sealed = await queries.document_of(county.school, Q3)
    assert sealed is not None
    assert (await life.later_entries(sealed, county.school, Q3, NEXT_DAY)).lines == ()
    await one_too_few(county)
    later = await life.later_entries(sealed, county.school, Q3, NEXT_DAY)
    moved = {found.line: found.moved for found in later.lines}
    assert moved["education.daily"] < 0
    assert later.total is not None
    assert later.total < (await newest(county)).sent.total
    assert await queries.document_of(county.school, Q3) == sealed
    desk = {d.line.school_code: d for d in await standing.desk(county["clerk"], county.county, Q3, NEXT_DAY)}
    assert [remark.code for remark in desk["S001"].remarks] == ["fail", "unsigned", "later"]
    assert [remark.code for remark in desk["S002"].remarks] == ["fail", "unsigned"]


async def test_a_backfilled_entry_raises_no_points(county: Cast) -> None:
    sealed = await queries.document_of(county.school, Q3)
    assert sealed is not None
    missed = next(e for e in sealed.exceptions if e.kind == "missed" and e.line == "education.daily")
    class_ = await fetch_tuples(
        None, "select id from school_class where school = $1 and name = $2", [county.school, missed.unit]
    )
    values = {"class": class_[0][0], "happened_on": missed.due_on, "text": "补记当日提醒"}
    await record(REMINDERS, county["officer"], county.school, values, "backfill-1", NEXT_DAY)
    later = await life.later_entries(sealed, county.school, Q3, NEXT_DAY)
    assert [(found.line, found.moved) for found in later.lines] == [("education.daily", 0)]
    assert later.lines[0].counts == (
        ("backfilled", sealed.backfilled, sealed.backfilled + 1),
        ("missing", _line(sealed, "education.daily").missing, _line(sealed, "education.daily").missing - 1),
    )


def _line(document, name: str):
    return next(line for group in document.score.groups for line in group.lines if line.id == name)


# ---------------------------------------------------------------- the next version
async def open_(
    cast: Cast, who: str = "officer", key: str = "reopen-001", reason: str = "更正一条放学提示"
) -> None:
    await life.open_correction(cast[who], cast.school, Q3, reason, NEXT_DAY, key=key)


async def draft_of(cast: Cast, now=LATER):
    opened = await standing.correction_of(await newest(cast))
    assert opened is not None
    return await life.next_draft(cast["principal"], cast.school, Q3, opened, now)


async def sign(
    cast: Cast,
    who: str = "principal",
    now=LATER,
    digest: str = "",
    key: str = "version-02",
    *,
    knows_unchanged: bool = True,
) -> int:
    digest = digest or (await draft_of(cast, now)).facts_digest
    return await life.make_version(
        cast[who], cast.school, Q3, digest, "更正一条放学提示", now, key=key, knows_unchanged=knows_unchanged
    )


async def test_a_new_version_follows_the_old_one_which_stays(county: Cast, press: Press) -> None:
    item = await item_of(county)
    await decide(county["clerk"], item, BACK, NEXT_DAY, key="return-0001")
    await one_too_few(county)
    first = await queries.document_of(county.school, Q3)
    assert first is not None
    assert await sign(county) == 2
    assert await sign(county, digest=(await queries.document_of(county.school, Q3)).facts_digest) == 2
    second = await queries.document_of(county.school, Q3)
    assert second is not None
    assert (second.version, second.previous_digest) == (2, document_digest(first))
    assert (second.status, second.reason, second.draft) == ("signed", "更正一条放学提示", False)
    assert second.sign_off is not None
    assert second.sign_off.facts_digest == second.facts_digest
    changed = {change.line: (change.before, change.after) for change in second.changes_since}
    assert changed["education.daily"] == tuple(
        _line(found, "education.daily").points for found in (first, second)
    )
    assert "education.weekly" not in changed
    found = await standing.versions(county["principal"], county.school, Q3)
    assert [(v.sent.version, v.state) for v in found] == [(2, "underway"), (1, "returned")]
    assert (await states(county))["S001"] == "coming"
    with pytest.raises(Conflict, match="not-newest-version"):
        await decide(county["clerk"], item, Ruling("accepted"), LATER, key="accept-0002")
    assert await deliver_due(press, LATER) == 1
    assert (await states(county))["S001"] == "received"
    await decide(county["clerk"], await item_of(county), Ruling("accepted"), LATER, key="accept-0003")
    assert [v.state for v in await standing.versions(county["principal"], county.school, Q3)] == [
        "accepted",
        "returned",
    ]
    assert await standing.correction_of(await newest(county)) is None
    stored = await fetch_tuples(
        None, "select document from school_return where school = $1 and version = 1", [county.school]
    )
    assert document_digest(first) == document_digest(queries.parse(stored[0][0].encode()))
    assert await verify() == []


async def test_the_difference_names_every_fact_that_moved(county: Cast) -> None:
    first = await queries.document_of(county.school, Q3)
    await open_(county)
    await one_too_few(county)
    await sign(county)
    second = await queries.document_of(county.school, Q3)
    assert first is not None
    assert second is not None
    found = facts_between(first.facts, second.facts)
    assert [(d.kind, d.fact.line) for d in found] == [("removed", "education.daily")]
    assert facts_between(second.facts, first.facts)[0].kind == "added"
    assert facts_between(first.facts, first.facts) == ()


async def test_the_school_may_reopen_a_return_by_itself_with_a_reason(county: Cast) -> None:
    assert await standing.correction_of(await newest(county)) is None
    with pytest.raises(Conflict, match="correction-not-open"):
        await life.make_version(
            county["principal"], county.school, Q3, "0" * 64, "更正", LATER, key="version-02"
        )
    with pytest.raises(BadInput, match="reasons-missing"):
        await open_(county, reason=" ")
    with pytest.raises(NotAllowed):
        await open_(county, "teacher")
    with pytest.raises(NotFound):
        await open_(county, "outsider")
    await open_(county)
    await open_(county)
    opened = await standing.correction_of(await newest(county))
    assert opened is not None
    assert (opened.reason, opened.opener, opened.asked) == ("更正一条放学提示", "安书远", None)
    assert (await trail(county)).count("return.reopened") == 1
    assert await sign(county) == 2


async def test_only_the_principal_signs_a_version_and_only_what_they_saw(county: Cast) -> None:
    await open_(county)
    digest = (await draft_of(county)).facts_digest
    with pytest.raises(NotAllowed):
        await sign(county, "officer", digest=digest)
    with pytest.raises(NotFound):
        await sign(county, "outsider", digest=digest)
    await one_too_few(county, LATER)
    with pytest.raises(Conflict, match="draft-changed"):
        await sign(county, digest=digest)
    with pytest.raises(BadInput):
        await sign(county, digest=digest, key="short")
    assert (await newest(county)).sent.version == 1
    assert "return.signed" not in await trail(county)


async def test_before_the_close_there_is_no_correction(county: Cast) -> None:
    q4 = Period.parse("2026Q4")
    with pytest.raises(Conflict, match="nothing-sealed"):
        await life.open_correction(county["officer"], county.school, q4, "早", NEXT_DAY, key="reopen-002")
    with pytest.raises(Conflict, match="quarter-open"):
        await life.make_version(
            county["principal"], county.school, q4, "0" * 64, "早", NEXT_DAY, key="version-02"
        )


async def test_an_incident_told_after_the_close_lowers_the_next_version(county: Cast) -> None:
    happened = CLOSE - timedelta(days=9)
    values = {
        "happened_at": happened,
        "discovered_at": happened,
        "category": "facility",
        "liability": "pending",
    }
    values |= dict.fromkeys(FIGURES, 0)
    await record(INCIDENTS, county["officer"], county.school, values, "incident-1", NEXT_DAY)
    await open_(county)
    before = (await newest(county)).sent.total
    await sign(county)
    after = (await newest(county)).sent.total
    assert before is not None
    assert after is not None
    assert after < before


async def test_a_version_without_any_change_needs_to_be_known_for_one(county: Cast) -> None:
    await decide(county["clerk"], await item_of(county), BACK, NEXT_DAY, key="return-0001")
    assert (await draft_of(county)).unchanged
    with pytest.raises(BadInput, match="unchanged-unexplained"):
        await sign(county, knows_unchanged=False)
    assert (await newest(county)).sent.version == 1
    assert "return.signed" not in await trail(county)
    assert await sign(county) == 2
    made = await queries.document_of(county.school, Q3)
    assert made is not None
    assert (made.unchanged, made.reason) == (True, "更正一条放学提示")
    told = await fetch_tuples(
        None, "select facts from audit_line where action = 'return.sealed' and chain = $1", [county.school]
    )
    assert ["更正一条放学提示" in facts for (facts,) in told] == [False, True]
    assert await verify() == []


@pytest.mark.parametrize("change", [one_too_few, write_a_cause], ids=["entry", "cause"])
async def test_one_changed_entry_or_cause_is_a_change(county: Cast, change) -> None:
    await decide(county["clerk"], await item_of(county), BACK, NEXT_DAY, key="return-0001")
    await change(county)
    assert not (await draft_of(county)).unchanged
    assert await sign(county, knows_unchanged=False) == 2
    made = await queries.document_of(county.school, Q3)
    assert made is not None
    assert not made.unchanged


# ---------------------------------------------------------------- causes
async def test_causes_are_written_while_the_draft_or_a_correction_is_open(county: Cast) -> None:
    texts = {"education.weekly": "台风停课一周"}
    with pytest.raises(Conflict, match="causes-frozen"):
        await causes.write(county["officer"], county.school, Q3, texts, NEXT_DAY, key="causes-001")
    await open_(county)
    for _ in range(2):
        await causes.write(county["officer"], county.school, Q3, texts, NEXT_DAY, key="causes-001")
    changed = texts | {"education.daily": "值日老师病假"}
    assert await causes.write(county["officer"], county.school, Q3, changed, LATER, key="causes-002") == 1
    assert await causes.write(county["officer"], county.school, Q3, changed, LATER, key="causes-003") == 0
    taken_back = {"education.daily": ""}
    assert (
        await causes.write(county["principal"], county.school, Q3, taken_back, LATER, key="causes-004") == 1
    )
    await sign(county)
    sealed = await queries.document_of(county.school, Q3)
    assert sealed is not None
    assert [(cause.line, cause.text) for cause in sealed.causes] == [("education.weekly", "台风停课一周")]
    written = await causes.history(county["officer"], county.school, Q3)
    assert [(w.line, w.text, w.writer) for w in written][1:] == [
        ("education.daily", "值日老师病假", "安书远"),
        ("education.daily", "", "陈校明"),
    ]
    assert (await trail(county)).count("return.causes") == 3


async def test_causes_are_the_schools_own_and_short(county: Cast) -> None:
    await open_(county)
    for who, error in (("teacher", NotAllowed), ("clerk", NotAllowed), ("outsider", NotFound)):
        with pytest.raises(error):
            await causes.write(county[who], county.school, Q3, {"T2": "x"}, LATER, key="causes-001")
    with pytest.raises(BadInput, match="text-long"):
        await causes.write(county["officer"], county.school, Q3, {"T2": "长" * 201}, LATER, key="causes-001")
    with pytest.raises(NotFound):
        await causes.write(county["officer"], county.school, Q3, {"no.line": "x"}, LATER, key="causes-001")
    with pytest.raises(NotFound):
        await causes.history(county["outsider"], county.school, Q3)


async def test_causes_of_the_draft_are_sealed_with_the_quarter(county: Cast) -> None:
    q4 = Period.parse("2026Q4")
    eve = close_at(q4) - timedelta(days=1)
    await causes.write(
        county["officer"], county.school, q4, {"education.daily": "流感"}, eve, key="causes-001"
    )
    draft = await queries.draft_of(county.school, q4, eve)
    assert [cause.text for cause in draft.causes] == ["流感"]
    await actions.seal(county.school, q4, close_at(q4))
    sealed = await queries.document_of(county.school, q4)
    assert sealed is not None
    assert sealed.causes == draft.causes
