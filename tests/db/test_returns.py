"""A quarter closes: sealed, drawn, received once, on both databases."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from config.rules import put_in_use
from reports import actions, files, queries
from reports.canonical import canonical
from reports.compile import Making, changes_since, compile_return
from reports.delivery import actions as delivery
from reports.document import Fact, facts_digest, parse
from reports.jobs import close, close_quarter, deliver_due, quarter_close
from reports.pdf import Renderer, RenderError
from reports.press import Press
from safety.audit.queries import verify
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.education.ledgers import LEDGERS as EDUCATION
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.jobs.actions import walk
from safety.jobs.owner import me
from safety.ledger.actions import record
from tests.cast import Cast, make_cast
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
EVENING = CLOSE - timedelta(hours=6)
KEY = "sign-off-0001"


class QuickRenderer(Renderer):
    """Draws nothing: the same small bytes for the same document. Real drawing has tests of its own."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.drawn: list[str] = []
        self.broken = 0

    async def render_return(self, document, lang="zh") -> bytes:
        await asyncio.sleep(0.01)
        if self.broken:
            self.broken -= 1
            raise RenderError("timeout", "too slow")
        self.drawn.append(document.school.code)
        return b"%PDF " + hashlib.sha256(canonical(document)).digest()


@pytest.fixture
async def press(tmp_path: Path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def real_press(tmp_path: Path) -> AsyncIterator[Press]:
    renderer = Renderer(tmp_path)
    yield Press(tmp_path, renderer, me())
    await renderer.close()


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    return cast


async def digests() -> dict[str, str]:
    rows = await fetch_tuples(None, "select school_code, facts_digest from inbox_item order by school_code")
    return dict(rows)


async def the_return(cast: Cast):
    found = await queries.document_of(cast.school, Q3)
    assert found is not None
    return found


# ---------------------------------------------------------------- the close
async def test_a_close_draws_and_delivers_every_school_once(county: Cast, real_press: Press) -> None:
    first = await close_quarter(real_press, Q3, FixedClock(CLOSE))
    again = await close_quarter(real_press, Q3, FixedClock(CLOSE + timedelta(hours=1)))
    assert (first.sealed, first.delivered, first.failed) == (3, 3, {})
    assert (again.sealed, again.delivered) == (0, 0)
    lines = await queries.inbox(county["clerk"], county.county, Q3)
    assert [(line.school_code, line.item is not None) for line in lines] == [("S001", True), ("S002", True)]
    for line in lines:
        assert line.item is not None
        content = files.read(real_press.data, line.item.bytes_digest)
        assert content.startswith(b"%PDF-")
        assert hashlib.sha256(content).hexdigest() == line.item.bytes_digest
        assert len(content) == line.item.size
    assert await verify() == []


async def test_what_is_frozen_is_what_the_ledgers_said_and_is_its_own_proof(
    county: Cast, press: Press
) -> None:
    await close(press, Q3, CLOSE)
    rows = await fetch_tuples(
        None,
        "select document, document_digest, facts_digest from school_return where school = $1",
        [county.school],
    )
    text, digest, facts = rows[0]
    document = parse(text.encode())
    assert canonical(document).decode() == text
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    assert facts_digest(document) == facts == document.facts_digest
    assert document.status == "unsigned"
    assert not document.closed_late
    assert document.chain_head is not None
    head = await fetch_tuples(
        None,
        "select previous, action from audit_line where chain = $1 and action = 'return.sealed'",
        [county.school],
    )
    assert head == [(document.chain_head.digest, "return.sealed")]
    named = {entry for group in document.score.groups for line in group.lines for entry in line.entries}
    assert not named & {fact.id for fact in document.facts if fact.line != "incidents"}
    weekly = next(i for g in document.score.groups for i in g.lines if i.id == "education.weekly")
    missed = [e for e in document.exceptions if e.line == "education.weekly" and e.kind == "missed"]
    assert len(missed) == weekly.missing
    assert {e.unit for e in missed} <= {"三(1)班", "一(2)班", "二(3)班", "三(4)班"}


async def test_every_missing_late_and_backfilled_count_has_its_exceptions(county: Cast, press: Press) -> None:
    await close(press, Q3, CLOSE)
    document = await the_return(county)
    for group in document.score.groups:
        for line in group.lines:
            if line.id in {"T1", "T3", "T4", "T5", "T6"}:
                continue  # T1 and the other targets show the counts of a line that is there already
            kinds = [e.kind for e in document.exceptions if e.line == line.id]
            assert kinds.count("missed") == line.missing, line.id
            assert kinds.count("late") == line.late, line.id
            assert kinds.count("backfilled") == line.backfilled, line.id


async def test_nothing_recorded_after_the_close_is_in_it_and_a_late_close_says_so(
    county: Cast, press: Press
) -> None:
    at_once = (await _drafted(county)).facts_digest
    reminders = next(item for item in EDUCATION if item.name == "daily_reminders")
    values = {"class": county.school_class, "happened_on": Q3.end, "text": "补录"}
    two_days_on = CLOSE + timedelta(days=2)
    await record(reminders, county["officer"], county.school, values, "late-entry-1", two_days_on)
    await close(press, Q3, two_days_on)
    document = await the_return(county)
    assert document.closed_late
    assert document.backfilled == 0
    assert document.made_at == two_days_on
    assert document.score.as_of == CLOSE
    assert document.facts_digest == at_once


async def _drafted(county: Cast):
    """The document of a close that nothing disturbed, without keeping it."""
    found = await queries.measured(county.school, Q3, CLOSE, now=False)
    return compile_return(found, Making(bureau=await queries.bureau_of(county.school), made_at=CLOSE))


async def test_before_the_close_nothing_is_sealed(county: Cast, press: Press) -> None:
    with pytest.raises(Conflict):
        await close(press, Q3, CLOSE - timedelta(microseconds=1))
    with pytest.raises(Conflict):
        await close_quarter(press, Q3, FixedClock(EVENING))
    assert await fetch_tuples(None, "select id from school_return") == []


async def test_a_school_founded_after_the_close_is_not_asked_for_it(county: Cast, press: Press) -> None:
    await close_quarter(press, Q3, FixedClock(CLOSE))
    await fetch_tuples(
        None,
        "insert into school (code, name, name_en, stage, enrolment, has_canteen, meals, boarding, has_bus, bureau, "
        "revision, made_up) select 'S009', 'x', '', 'primary', 1, has_canteen, '', boarding, has_bus, bureau, 1, "
        "made_up from school where code = 'S001'",
    )
    assert (await close_quarter(press, Q3, FixedClock(CLOSE + timedelta(days=1)))).sealed == 0


async def test_two_closes_at_once_close_once(county: Cast, press: Press) -> None:
    other = Press(press.data, press.renderer, "another-machine/7/1")
    both = await asyncio.gather(
        close_quarter(press, Q3, FixedClock(CLOSE)), close_quarter(other, Q3, FixedClock(CLOSE))
    )
    assert sum(done.sealed for done in both) == 3
    assert sum(done.delivered for done in both) == 3
    assert sorted(press.renderer.drawn) == ["S001", "S002", "S003"]
    assert len(await digests()) == 3


async def test_two_closes_that_ignore_each_other_still_seal_and_receive_once(
    county: Cast, press: Press
) -> None:
    other = Press(press.data, press.renderer, "another-machine/7/1")
    await asyncio.gather(close(press, Q3, CLOSE), close(other, Q3, CLOSE))
    assert len(await fetch_tuples(None, "select id from school_return")) == 3
    assert len(await fetch_tuples(None, "select id from inbox_item")) == 3
    assert len(await fetch_tuples(None, "select message from receipt")) == 3


async def test_a_message_that_comes_twice_is_received_once_and_answered_alike(
    county: Cast, press: Press
) -> None:
    await close(press, Q3, CLOSE)
    message = (await fetch_tuples(None, "select message from outbox order by message"))[0][0]
    first = await fetch_tuples(None, "select * from receipt where message = $1", [message])
    answer = await delivery.deliver(press, message, CLOSE + timedelta(days=1))
    assert answer.received_at == CLOSE
    assert await fetch_tuples(None, "select * from receipt where message = $1", [message]) == first
    assert len(await fetch_tuples(None, "select id from inbox_item")) == 3


async def test_what_cannot_be_drawn_waits_and_is_tried_again(
    county: Cast, press: Press, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(press.renderer, QuickRenderer)
    press.renderer.broken = 1
    done = await close_quarter(press, Q3, FixedClock(CLOSE))
    assert (done.sealed, done.delivered) == (3, 2)
    assert list(done.failed.values()) == ["RenderError: too slow"]
    rows = await fetch_tuples(None, "select attempts, next_at, error from outbox where state = 'waiting'")
    assert rows == [(1, CLOSE + timedelta(seconds=2), "RenderError: too slow")]
    assert await deliver_due(press, CLOSE + timedelta(seconds=1)) == 0
    assert await deliver_due(press, CLOSE + timedelta(seconds=2)) == 1
    assert len(await digests()) == 3


async def test_the_job_closes_what_was_missed_while_nothing_ran(county: Cast, press: Press) -> None:
    clock = FixedClock(CLOSE + timedelta(hours=9))
    assert await walk(quarter_close(press), clock, me()) == {"2026Q3": "done"}
    assert (await the_return(county)).closed_late
    clock.set(clock.now() + timedelta(days=1))
    assert await walk(quarter_close(press), clock, me()) == {}


# ---------------------------------------------------------------- the sign-off
async def sign(cast: Cast, now=EVENING, key: str = KEY, digest: str | None = None, who: str = "principal"):
    if digest is None:
        digest = (await queries.draft(cast[who], cast.school, Q3, now)).facts_digest
    return await actions.sign(cast[who], cast.school, Q3, digest, now, key=key, comment="同意")


async def test_a_signed_return_without_changes_says_so(county: Cast, press: Press) -> None:
    await sign(county, CLOSE - timedelta(seconds=1))
    await close(press, Q3, CLOSE)
    document = await the_return(county)
    assert document.status == "signed"
    assert document.sign_off is not None
    assert document.sign_off.signer == "陈校明"


async def test_changes_after_the_sign_off_are_listed(county: Cast, press: Press) -> None:
    first = await sign(county)
    assert (await sign(county)).id == first.id
    reminders = next(item for item in EDUCATION if item.name == "daily_reminders")
    values = {"class": county.school_class, "happened_on": Q3.end, "text": "国庆出行安全"}
    await record(
        reminders, county["officer"], county.school, values, "after-sign-1", EVENING + timedelta(hours=1)
    )
    await close(press, Q3, CLOSE)
    document = await the_return(county)
    assert document.status == "changed"
    assert document.sign_off is not None
    assert [(c.line, c.kind, c.happened_on) for c in document.sign_off.changes] == [
        ("education.daily", "added", Q3.end)
    ]


def test_a_corrected_entry_is_one_change() -> None:
    old = Fact(
        id="1", line="food.samples", occurrence="2026-09-01/lunch", happened_on=Q3.start, recorded_at=EVENING
    )
    new = msgspec.structs.replace(old, id="2")
    assert [(c.id, c.kind) for c in changes_since((old,), (new,))] == [("2", "altered")]
    assert [(c.id, c.kind) for c in changes_since((old,), ())] == [("1", "removed")]
    assert changes_since((old,), (old,)) == []


async def test_only_the_principal_signs_only_what_they_saw_and_only_in_time(
    county: Cast, press: Press
) -> None:
    digest = (await queries.draft(county["officer"], county.school, Q3, EVENING)).facts_digest
    with pytest.raises(NotAllowed):
        await sign(county, who="officer", digest=digest)
    with pytest.raises(NotFound):
        await sign(county, who="outsider", digest=digest)
    with pytest.raises(NotAllowed):
        await sign(county, who="admin", digest=digest)
    with pytest.raises(Conflict, match="draft-changed"):
        await sign(county, digest="0" * 64)
    with pytest.raises(Conflict, match="draft-not-open"):
        await sign(county, CLOSE, digest=digest)
    with pytest.raises(Conflict, match="draft-not-open"):
        await sign(county, CLOSE - timedelta(days=12), digest=digest)
    with pytest.raises(BadInput):
        await sign(county, key="short", digest=digest)
    await sign(county)
    with pytest.raises(Conflict, match="same-key-other-body"):
        await sign(county, digest="1" * 64)


async def test_a_returns_pages_are_closed_to_others(county: Cast, press: Press) -> None:
    await close(press, Q3, CLOSE)
    with pytest.raises(NotFound):
        await queries.document(county["outsider"], county.school, Q3)
    with pytest.raises(NotFound):
        await queries.sent(county["outsider"], county.school)
    with pytest.raises(NotFound):
        await queries.inbox(county["officer"], county.county, Q3)
    item = (await fetch_tuples(None, "select id from inbox_item where school_code = 'S003'"))[0][0]
    with pytest.raises(NotFound):
        await queries.received_file(county["clerk"], county.county, item)
