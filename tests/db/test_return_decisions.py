"""What a bureau says of a return, on both databases: accepted, sent back, an acceptance withdrawn."""

import dataclasses
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from config.rules import put_in_use
from reports import document, files
from reports.canonical import canonical
from reports.delivery import decided
from reports.jobs import deliver_due
from reports.life import actions as life
from reports.life import known, standing, told
from reports.life.decisions import Ruling, accept_many, decide
from reports.life.rules import WITHDRAWN
from reports.oversight import pack
from reports.press import Press
from reports.rollup.actions import seal_first
from reports.rollup.queries import gather
from safety.audit.queries import verify
from safety.database import CampusEngine, fetch_tuples
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.jobs.owner import me
from safety.scores import scores
from safety.scoring import Score, Veto
from tests.cast import Cast, make_cast
from tests.db.after_close import (
    BACK,
    LATER,
    NEXT_DAY,
    Q3,
    closed_county,
    item_of,
    newest,
    one_too_few,
    states,
    trail,
)
from tests.db.test_returns import QuickRenderer
from tests.small_pdf import small_pdf

ERROR = Ruling(WITHDRAWN, "点错了学校")


@pytest.fixture
async def press(tmp_path) -> Press:
    return Press(tmp_path, QuickRenderer(tmp_path), me())


@pytest.fixture
async def county(database: CampusEngine, press: Press) -> Cast:
    return await closed_county(press)


# ---------------------------------------------------------------- the bureau's decision
async def test_received_is_not_accepted_until_a_clerk_says_so(county: Cast) -> None:
    assert await states(county) == {"S001": "received", "S002": "received"}
    assert (await newest(county)).state == "received"
    item = await item_of(county)
    assert not (await decide(county["clerk"], item, Ruling("accepted"), NEXT_DAY, key="accept-0001")).repeated
    assert await states(county) == {"S001": "accepted", "S002": "received"}
    found = await newest(county)
    assert found.ruling is not None
    assert (found.state, found.ruling.decider, found.ruling.decided_at) == ("accepted", "孙经办", NEXT_DAY)
    assert (await trail(county))[-1] == "return.accepted"
    assert await verify() == []


async def test_the_same_press_decides_once(county: Cast) -> None:
    item = await item_of(county)
    await decide(county["clerk"], item, BACK, NEXT_DAY, key="return-0001")
    assert (await decide(county["clerk"], item, BACK, LATER, key="return-0001")).repeated
    with pytest.raises(Conflict, match="same-key-other-body"):
        await decide(county["clerk"], item, Ruling("accepted"), LATER, key="return-0001")
    assert len((await newest(county)).rulings) == 1
    assert (await trail(county)).count("return.returned") == 1


async def test_the_last_decision_holds_and_those_before_it_stay(county: Cast) -> None:
    item = await item_of(county)
    await decide(county["clerk"], item, Ruling("accepted"), NEXT_DAY, key="accept-0001")
    assert (await decide(county["clerk"], item, Ruling("accepted"), NEXT_DAY, key="accept-0002")).repeated
    await decide(county["clerk"], item, BACK, LATER, key="return-0001")
    found = await newest(county)
    assert [ruled.outcome for ruled in found.rulings] == ["accepted", "returned"]
    assert found.state == "returned"
    assert found.ruling is not None
    assert (found.ruling.reasons, dict(found.ruling.lines)) == (BACK.reasons, dict(BACK.lines))


async def test_a_return_without_a_word_why_is_refused(county: Cast) -> None:
    item = await item_of(county)
    for ruling, code in (
        (Ruling("returned", "  "), "reasons-missing"),
        (Ruling("returned", "因" * 1001), "text-long"),
        (Ruling("returned", "见各项", {"education.weekly": "因" * 201}), "text-long"),
    ):
        with pytest.raises(BadInput) as caught:
            await decide(county["clerk"], item, ruling, NEXT_DAY, key="return-0001")
        assert [problem.code for problem in caught.value.problems] == [code]
    with pytest.raises(BadInput, match="key-form"):
        await decide(county["clerk"], item, BACK, NEXT_DAY, key="short")
    with pytest.raises(NotFound):
        await decide(
            county["clerk"], item, Ruling("returned", "x", {"no.line": "y"}), NEXT_DAY, key="return-0001"
        )
    assert (await newest(county)).rulings == ()


async def test_only_a_clerk_of_that_bureau_decides(county: Cast) -> None:
    own, far = await item_of(county), await item_of(county, "S003", county.river)
    for who, item, error in (
        ("inspector", own, NotAllowed),
        ("admin", own, NotAllowed),
        ("principal", own, NotFound),
        ("outsider", own, NotFound),
        ("clerk", far, NotFound),
        ("clerk", UUID(int=7), NotFound),
    ):
        with pytest.raises(error):
            await decide(county[who], item, Ruling("accepted"), NEXT_DAY, key="accept-0001")


async def all_signed_and_good() -> None:
    await fetch_tuples(None, "update school_return set status = 'signed', grade = '良好'")


async def test_accepting_many_leaves_what_moved_on_and_can_be_repeated(county: Cast) -> None:
    await all_signed_and_good()
    first, second = await item_of(county), await item_of(county, "S002")
    await decide(county["clerk"], second, BACK, NEXT_DAY, key="return-0001")
    shown = [first, second]
    for _ in range(2):
        done = await accept_many(county["clerk"], county.county, Q3, shown, NEXT_DAY, key="many-00001")
        assert (done.accepted, done.left) == (1, ("S002",))
    assert await states(county) == {"S001": "accepted", "S002": "returned"}
    far = await item_of(county, "S003", county.river)
    with pytest.raises(NotFound):
        await accept_many(county["clerk"], county.county, Q3, [far], NEXT_DAY, key="many-00002")


async def test_what_asks_for_a_second_look_is_not_accepted_unopened(county: Cast) -> None:
    item = await item_of(county)
    for _ in range(2):
        done = await accept_many(county["clerk"], county.county, Q3, [item], NEXT_DAY, key="many-00001")
        assert (done.accepted, done.left) == (0, ("S001",))
    await all_signed_and_good()
    done = await accept_many(county["clerk"], county.county, Q3, [item], NEXT_DAY, key="many-00001")
    assert (done.accepted, done.left) == (1, ())


async def test_what_a_newer_version_overtook_is_left_among_many(county: Cast, press: Press) -> None:
    old, other = await item_of(county), await item_of(county, "S002")
    await decide(county["clerk"], old, BACK, NEXT_DAY, key="return-0001")
    await answer(county, press, "version-02")
    await all_signed_and_good()
    done = await accept_many(county["clerk"], county.county, Q3, [old, other], LATER, key="many-00001")
    assert (done.accepted, done.left) == (1, ("S001",))
    assert await states(county) == {"S001": "received", "S002": "accepted"}
    with pytest.raises(NotFound):
        await accept_many(county["clerk"], county.county, Q3.next(), [old], LATER, key="many-00002")


async def test_a_press_sent_again_after_a_withdrawal_accepts_nothing_and_says_so(county: Cast) -> None:
    await all_signed_and_good()
    item = await item_of(county)
    many = county["clerk"], county.county, Q3, [item], LATER
    assert (await accept_many(*many, key="many-00001")).accepted == 1
    await decide(county["clerk"], item, ERROR, LATER, key="withdraw-01")
    done = await accept_many(*many, key="many-00001")
    assert (done.accepted, done.left) == (0, ("S001",))
    assert (await states(county))["S001"] == "received"
    assert (await accept_many(*many, key="many-00002")).accepted == 1


async def test_what_another_instance_tells_decides_nothing_at_the_bureau(county: Cast) -> None:
    """Whoever tells it chooses the number of its receipt: here one that this bureau gave to somebody else."""
    item = await item_of(county)
    await decide(county["clerk"], item, BACK, NEXT_DAY, key="return-0001")
    rows = await fetch_tuples(
        None, "select r.id from school_return r join school s on s.id = r.school where s.code = 'S002'"
    )
    version = told.Version(rows[0][0], county.other_school, Q3.id, 1, item)
    said = decided.Decision(new_id(), "accepted", "", (), "冒名者", LATER)
    assert await told.keep(version, [said], "an answer", LATER) == 1
    assert await states(county) == {"S001": "returned", "S002": "received"}
    assert [ruled.outcome for ruled in await standing.rulings_on(item)] == ["returned"]
    for code in ("S001", "S002"):
        story = await standing.story(county["clerk"], await item_of(county, code))
        assert "冒名者" not in {ruled.decider for ruled in story.said}
    bureaus = await standing.decided(county["clerk"], county.county, Q3)
    assert [line.ruling and line.ruling.decider for line in bureaus] == ["孙经办", None]
    evidence = await fetch_tuples(None, pack.RECEIVED, [county.school, Q3.id])
    assert [outcome for _, outcome, *_ in evidence] == ["returned"]
    # It is what the school that it was told of goes by.
    assert await standing.outcomes(county["admin"], county.other_school) == {(Q3.id, 1): "accepted"}
    assert (await newest(county)).state == "returned"


async def desk_line(cast: Cast) -> standing.DeskLine:
    lines = await standing.desk(cast["clerk"], cast.county, Q3, LATER)
    return next(line for line in lines if line.line.school_code == "S001")


async def answer(cast: Cast, press: Press, key: str) -> None:
    """The school's next version, with whatever has changed by then."""
    opened = await standing.correction_of(await newest(cast))
    assert opened is not None
    digest = (await life.next_draft(cast["principal"], cast.school, Q3, opened, LATER)).facts_digest
    await life.make_version(
        cast["principal"], cast.school, Q3, digest, "记录无误", LATER, key=key, knows_unchanged=True
    )
    await deliver_due(press, LATER)


async def test_an_answer_without_any_change_is_marked_and_has_to_be_opened(
    county: Cast, press: Press
) -> None:
    await decide(county["clerk"], await item_of(county), BACK, NEXT_DAY, key="return-0001")
    await answer(county, press, "version-02")
    await all_signed_and_good()
    line = await desk_line(county)
    found = {remark.code: remark for remark in line.remarks}
    assert found["unchanged-answer"].holds
    assert found["answers"].values == {"version": 1}
    assert not line.plain
    item = await item_of(county)
    done = await accept_many(county["clerk"], county.county, Q3, [item], LATER, key="many-00001")
    assert (done.accepted, done.left) == (0, ("S001",))
    await decide(county["clerk"], item, BACK, LATER, key="return-0002")
    await one_too_few(county, LATER)
    await answer(county, press, "version-03")
    await all_signed_and_good()
    line = await desk_line(county)
    assert [(remark.code, remark.values.get("version")) for remark in line.remarks] == [("answers", 2)]
    assert line.plain


@pytest.mark.parametrize("sealed", [True, False])
async def test_a_veto_is_the_sealed_one_whatever_the_ledgers_say_now(
    county: Cast, monkeypatch: pytest.MonkeyPatch, sealed: bool
) -> None:
    await fetch_tuples(None, "update school_return set status = 'signed', grade = '不合格'")
    veto = (document.Veto(cause="liable", incident="7"),) if sealed else ()
    rows = await fetch_tuples(None, "select id, document from school_return")
    for id_, text in rows:
        found = document.parse(text.encode())
        changed = replace(found, score=replace(found.score, veto=veto))
        sql = "update school_return set document = $1 where id = $2"
        await fetch_tuples(None, sql, [canonical(changed).decode(), id_])

    async def now(*args: Any) -> dict[int, Score]:
        other = () if sealed else (Veto(new_id(), "concealed"),)
        return {id_: dataclasses.replace(score, veto=other) for id_, score in (await scores(*args)).items()}

    monkeypatch.setattr(known, "scores", now)
    remark = next(remark for remark in (await desk_line(county)).remarks if remark.code in {"veto", "fail"})
    assert (remark.code, remark.values.get("cause")) == (("veto", "liable") if sealed else ("fail", None))


async def elsewhere(cast: Cast, version: int, data: Path, content: bytes = b"") -> UUID:
    """Received from a school whose records another instance keeps; without content, its file is gone."""
    digest = files.store(data, content) if content else "d" * 64
    sql = (
        "insert into inbox_item (id, bureau, message, school_code, period, version, facts_digest, bytes_digest, size, "
        "received_at) values ($1, $2, $1, 'S001', '2026Q3', $3, $4, $4, 9, $5)"
    )
    item = new_id()
    await fetch_tuples(None, sql, [item, cast.county, version, digest, NEXT_DAY])
    return item


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (small_pdf("2", b'{"unchanged":true,"version":2}'), ["unchanged-answer", "answers"]),
        (small_pdf("2", b'{"version":2}'), ["answers"]),
        (
            small_pdf(
                "2",
                b'{"score":{"total":"95.00","grade":"\xe4\xb8\x8d\xe5\x90\x88\xe6\xa0\xbc",'
                b'"veto":[{"cause":"concealed","incident":"7"}]}}',
            ),
            ["veto", "answers"],
        ),
        (b"", ["answers"]),
    ],
    ids=["unchanged", "changed", "vetoed", "gone"],
)
async def test_of_another_instance_the_file_says_whether_anything_changed(
    database: CampusEngine, tmp_path: Path, content: bytes, codes: list[str]
) -> None:
    put_in_use()
    cast = await make_cast(NEXT_DAY)
    await decide(cast["clerk"], await elsewhere(cast, 1, tmp_path), BACK, NEXT_DAY, key="return-0001")
    item = await elsewhere(cast, 2, tmp_path, content)
    lines = await standing.desk(cast["clerk"], cast.county, Q3, LATER, tmp_path)
    line = next(line for line in lines if line.line.school_code == "S001")
    assert [remark.code for remark in line.remarks] == codes
    done = await accept_many(cast["clerk"], cast.county, Q3, [item], LATER, key="many-00001", data=tmp_path)
    assert done.accepted == int(codes == ["answers"])


# ---------------------------------------------------------------- an acceptance withdrawn
async def test_an_acceptance_made_in_error_is_withdrawn_and_stays_in_the_books(county: Cast) -> None:
    item = await item_of(county)
    await decide(county["clerk"], item, Ruling("accepted"), NEXT_DAY, key="accept-0001")
    for repeated in (False, True):
        done = await decide(county["clerk"], item, ERROR, LATER, key="withdraw-01")
        assert done.repeated is repeated
    assert (await states(county))["S001"] == "received"
    found = await newest(county)
    assert (found.state, found.ruling) == ("received", None)
    assert [(ruled.outcome, ruled.reasons) for ruled in found.rulings] == [
        ("accepted", ""),
        ("withdrawn", "点错了学校"),
    ]
    assert await standing.outcomes(county["principal"], county.school) == {}
    assert (await trail(county))[-2:] == ["return.accepted", "return.withdrawn"]
    assert await verify() == []
    await decide(county["clerk"], item, Ruling("accepted"), LATER, key="accept-0002")
    assert (await states(county))["S001"] == "accepted"


async def test_nothing_is_withdrawn_without_a_word_or_that_was_not_accepted(county: Cast) -> None:
    item = await item_of(county)
    with pytest.raises(Conflict, match="not-accepted"):
        await decide(county["clerk"], item, ERROR, NEXT_DAY, key="withdraw-01")
    await decide(county["clerk"], item, Ruling("accepted"), NEXT_DAY, key="accept-0001")
    with pytest.raises(BadInput, match="reasons-missing"):
        await decide(county["clerk"], item, Ruling(WITHDRAWN, " "), LATER, key="withdraw-01")
    for who, error in (("inspector", NotAllowed), ("principal", NotFound), ("outsider", NotFound)):
        with pytest.raises(error):
            await decide(county[who], item, ERROR, LATER, key="withdraw-01")
    await decide(county["clerk"], item, BACK, LATER, key="return-0001")
    with pytest.raises(Conflict, match="not-accepted"):
        await decide(county["clerk"], item, ERROR, LATER, key="withdraw-01")
    assert "return.withdrawn" not in await trail(county)


@pytest.mark.parametrize("level", ["own", "above"])
async def test_what_a_roll_up_has_summed_up_is_not_withdrawn_but_returned(
    county: Cast, press: Press, level: str
) -> None:
    await decide(county["clerk"], await item_of(county), BACK, NEXT_DAY, key="return-0000")
    await answer(county, press, "version-02")
    item = await item_of(county)
    await decide(county["clerk"], item, Ruling("accepted"), LATER, key="accept-0001")
    bureau = county.county
    if level == "above":
        rows = await fetch_tuples(None, "select parent from bureau where id = $1", [bureau])
        bureau = rows[0][0]
    assert await seal_first(bureau, Q3, press.data, LATER)
    with pytest.raises(Conflict, match="rolled-up"):
        await decide(county["clerk"], item, ERROR, LATER, key="withdraw-01")
    await decide(county["clerk"], item, BACK, LATER, key="return-0001")
    assert (await states(county))["S001"] == "returned"


async def test_an_acceptance_of_which_no_roll_up_speaks_can_be_withdrawn_after_it(
    county: Cast, press: Press
) -> None:
    """A roll-up says what became of what was sent back. Of all else it repeats the return, accepted or not."""
    item = await item_of(county)
    assert await seal_first(county.county, Q3, press.data, NEXT_DAY)
    await decide(county["clerk"], item, Ruling("accepted"), NEXT_DAY, key="accept-0001")
    await decide(county["clerk"], item, ERROR, LATER, key="withdraw-01")
    assert (await states(county))["S001"] != "accepted"


async def test_a_roll_up_tells_what_holds_of_a_correction(county: Cast, press: Press) -> None:
    await decide(county["clerk"], await item_of(county), BACK, NEXT_DAY, key="return-0001")
    await answer(county, press, "version-02")
    item = await item_of(county)
    for ruling, key, outcome in (
        (Ruling("accepted"), "accept-0001", "accepted"),
        (ERROR, "withdraw-01", "corrected"),
    ):
        await decide(county["clerk"], item, ruling, LATER, key=key)
        found = await gather(county.county, Q3)
        assert [(matter.school, matter.outcome) for matter in found.matters] == [("S001", outcome)]
