"""Two people at once: a clerk who accepts and a principal who signs the next version; one press sent twice."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from config.rules import put_in_use
from reports import queries
from reports.jobs import close
from reports.life import actions as life
from reports.life import scans, standing
from reports.life.decisions import Ruling, decide
from reports.life.rules import WITHDRAWN
from reports.press import Press
from reports.rollup import queries as rollup_queries
from reports.rollup.actions import seal_again, seal_first
from safety.audit.queries import verify
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.jobs.owner import me
from tests.cast import Cast, make_cast
from tests.county import make_county
from tests.db.test_returns import QuickRenderer

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
NEXT_DAY, LATER = CLOSE + timedelta(hours=10), CLOSE + timedelta(days=2)
PDF = b"%PDF-1.7 a stamped copy"


@pytest.fixture
async def county(database: CampusEngine, tmp_path: Path) -> Cast:
    """The quarter is closed, and the bureau has returned the first school's return."""
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    await close(Press(tmp_path, QuickRenderer(tmp_path), me()), Q3, CLOSE)
    await decide(cast["clerk"], await item(), Ruling("returned", "请补正"), NEXT_DAY, key="return-0001")
    return cast


async def item() -> UUID:
    found: UUID = (await fetch_tuples(None, "select id from inbox_item where school_code = 'S001'"))[0][0]
    return found


async def digest_of(cast: Cast) -> str:
    newest = (await standing.versions(cast["principal"], cast.school, Q3))[0]
    opened = await standing.correction_of(newest)
    assert opened is not None
    return (await life.next_draft(cast["principal"], cast.school, Q3, opened, LATER)).facts_digest


def _signing(cast: Cast, digest: str):
    return cast["principal"], cast.school, Q3, digest, "补正", LATER


async def test_either_the_clerk_accepts_or_the_principal_signs(county: Cast) -> None:
    digest = await digest_of(county)
    both = await asyncio.gather(
        decide(county["clerk"], await item(), Ruling("accepted"), LATER, key="accept-0001"),
        life.make_version(*_signing(county, digest), key="version-02", knows_unchanged=True),
        return_exceptions=True,
    )
    refused = [found for found in both if isinstance(found, BaseException)]
    assert [type(found) for found in refused] == [Conflict]
    versions = await standing.versions(county["principal"], county.school, Q3)
    assert (len(versions), versions[-1].state) in {(1, "accepted"), (2, "returned")}
    assert await verify() == []


async def test_one_press_sent_twice_makes_one_version(county: Cast) -> None:
    digest = await digest_of(county)
    press = _signing(county, digest)
    both = await asyncio.gather(
        *(life.make_version(*press, key="version-02", knows_unchanged=True) for _ in range(2))
    )
    assert both == [2, 2]
    assert len(await fetch_tuples(None, "select id from school_return where version = 2")) == 1
    assert len(await fetch_tuples(None, "select message from outbox where state = 'waiting'")) == 1
    assert len(await fetch_tuples(None, "select id from sign_off")) == 1


async def test_a_scan_is_attached_once_and_beside_the_sealed_file(county: Cast, tmp_path: Path) -> None:
    before = await queries.document_of(county.school, Q3)
    attach = (county["officer"], county.school, Q3, 1, PDF, tmp_path, LATER)
    assert sorted(await asyncio.gather(*(scans.attach(*attach) for _ in range(2)))) == [False, True]
    (kept,) = await scans.of_return(county["clerk"], county.school, Q3)
    assert (kept.version, kept.size, kept.media_type, kept.attacher) == (
        1,
        len(PDF),
        "application/pdf",
        "安书远",
    )
    assert kept.file_name("S001", "2026Q3") == f"return-S001-2026Q3-v1-scan-{kept.bytes_digest[:8]}.pdf"
    assert await queries.document_of(county.school, Q3) == before
    assert await verify() == []


async def test_scans_are_the_schools_own_and_scans_indeed(county: Cast, tmp_path: Path) -> None:
    for who, version, content, error in (
        ("clerk", 1, PDF, NotAllowed),
        ("outsider", 1, PDF, NotFound),
        ("officer", 2, PDF, NotFound),
        ("officer", 1, b"MZ not a scan", BadInput),
        ("officer", 1, PDF + b"0" * scans.LARGEST, BadInput),
    ):
        with pytest.raises(error):
            await scans.attach(county[who], county.school, Q3, version, content, tmp_path, LATER)
    with pytest.raises(NotFound):
        await scans.of_return(county["outsider"], county.school, Q3)
    assert scans.kind_of(b"\xff\xd8\xff\xe0 a page") == "image/jpeg"


# ---------------------------------------------------------------- a withdrawal and a roll-up
ERROR = Ruling(WITHDRAWN, "点错了学校")


async def accepted(cast: Cast) -> UUID:
    """What was returned is accepted after all."""
    await decide(cast["clerk"], await item(), Ruling("accepted"), LATER, key="accept-0001")
    return await item()


async def outcomes(cast: Cast) -> list[str]:
    """What the bureau's newest roll-up says of corrections."""
    made = (await rollup_queries.made(cast.county, Q3))[0]
    return [matter.outcome for matter in made.document.matters]


@pytest.mark.parametrize(
    ("ruling", "further", "told"),
    [(ERROR, False, ["open"]), (Ruling("returned", "仍有误"), True, ["open", "open"])],
    ids=["first", "further"],
)
async def test_what_is_decided_while_a_roll_up_is_made_is_told_in_it(
    county: Cast,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ruling: Ruling,
    further: bool,
    told: list[str],
) -> None:
    if further:
        assert await seal_first(county.county, Q3, tmp_path, NEXT_DAY)
    received, gather = await accepted(county), rollup_queries.gather

    async def overtaken(*args: Any) -> rollup_queries.Gathered:
        found = await gather(*args)
        await decide(county["clerk"], received, ruling, LATER, key="decide-0001")
        return found

    monkeypatch.setattr(rollup_queries, "gather", overtaken)
    if further:
        assert await seal_again(county["clerk"], county.county, Q3, "补正", "again-0001", tmp_path, LATER)
    else:
        assert await seal_first(county.county, Q3, tmp_path, LATER)
    assert await outcomes(county) == told


async def test_what_a_roll_up_is_being_sealed_with_is_not_withdrawn(
    county: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = await accepted(county)
    reading, is_overtaken = asyncio.Event(), rollup_queries.is_overtaken

    async def withdraw() -> None:
        await reading.wait()
        await decide(county["clerk"], received, ERROR, LATER, key="withdraw-01")

    async def slowly(found: rollup_queries.Gathered) -> bool:
        answer = await is_overtaken(found)
        reading.set()
        # The roll-up is not committed yet, and the withdrawal has to wait for that.
        done, _ = await asyncio.wait([withdrawing], timeout=0.5)
        assert not done
        return answer

    withdrawing = asyncio.create_task(withdraw())
    monkeypatch.setattr(rollup_queries, "is_overtaken", slowly)
    assert await seal_first(county.county, Q3, tmp_path, LATER)
    with pytest.raises(Conflict, match="rolled-up"):
        await withdrawing
    assert await outcomes(county) == ["accepted"]
