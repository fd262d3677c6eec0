"""Reading what a roll-up is made of, and roll-ups that were made or received.

What counts is what the bureau has received: a return that is sealed and still on its way is missing until it arrives.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from reports.bureau import adjustments
from reports.document import Incident, Words
from reports.figures import ScorePart, duty_totals
from reports.life.rules import ACCEPTED, holding
from reports.rollup import document as rollup
from reports.rollup.compile import BureauFound, Gathered, SchoolFound, SealedReturn, trend_of
from reports.rollup.document import Matter, RollupDocument, Trend
from reports.sealing.attached import received_return
from safety import in_use
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.facts import SchoolFacts, size_at
from safety.places.facts import facts_of
from safety.rulebook import Rulebook

log = logging.getLogger(__name__)

TREND = 4
"""How many quarters the trend shows, this one included."""
CHUNK = 40
"""How many schools' documents are read at a time: they are large."""
BUREAUS = """with recursive tree (id, level) as (select id, 0 from bureau where id = $1
union all select b.id, level + 1 from bureau b join tree on b.parent = tree.id)
select b.id, b.code, b.name, p.code from tree join bureau b on b.id = tree.id
left join bureau p on p.id = b.parent order by level, b.code"""
SCHOOLS = "select id, bureau from school order by id"
CODES = "select id, code from school order by id"
REMOTE = """select sender from received_rollup
union select code from peer where kind = 'rollup' and revoked_at is null"""
RETURNS = """select r.school, r.version, r.sign_off, r.total, r.document_digest, r.document from school_return r
join school s on s.id = r.school
join inbox_item i on i.school_code = s.code and i.period = r.period and i.version = r.version
where r.period = $1 and r.school between $2 and $3 order by r.school, r.version"""
TOTALS = """select r.school, r.total, r.version from school_return r join school s on s.id = r.school
join inbox_item i on i.school_code = s.code and i.period = r.period and i.version = r.version
where r.period = $1 order by r.version"""
ELSEWHERE = """select i.school_code, i.bytes_digest from inbox_item i where i.period = $1 and not exists
(select 1 from school_return r join school s on s.id = r.school where s.code = i.school_code and r.period = i.period)
order by i.school_code, i.version"""
DECISIONS = """select i.school_code, i.version, d.outcome, d.decided_at from return_decision d
join inbox_item i on i.id = d.item where i.period = $1 order by d.decided_at, d.id"""
NEWEST = "select school_code, max(version) from inbox_item where period = $1 group by school_code"
RECEIVED = """select sender, period, document, document_digest from received_rollup where period <= $1
order by period, version"""
MADE = """select r.id, r.version, r.document_digest, r.facts_digest, r.sealed_at, r.reason, r.document,
f.bytes_digest from rollup r left join rollup_file f on f.rollup = r.id
where r.bureau = $1 and r.period = $2 order by r.version desc"""
LAST = "select document from rollup where bureau = $1 and period = $2 order by version desc limit 1"


# ---------------------------------------------------------------- what a roll-up is made of
async def gather(bureau_id: int, period: Period, data: Path | None = None) -> Gathered:
    """All that is known of the schools and bureaus below, as it stands. `data`: the folder in which files are kept, for
    returns that came from other instances.
    """
    tree = await fetch_tuples(None, BUREAUS, [bureau_id])
    bureaus = await _bureaus(tree, period)
    remote = {item.code for item in bureaus if item.remote}
    ids = {row[0]: row[1] for row in tree if row[1] not in remote}
    known = [school for school, bureau in await fetch_tuples(None, SCHOOLS) if bureau in ids]
    facts = await facts_of(known)
    sheet = Rulebook.of(in_use.standards(), period).sheet
    sealed = await _sealed(facts, period) | await _sealed_elsewhere(facts, period, data)
    adjusted = await adjustments.adjusted_totals(known, period)
    schools = [
        _school(facts[id_], ids[facts[id_].bureau], period, sealed.get(id_), adjusted.get(id_))
        for id_ in known
    ]
    return Gathered(
        bureau=bureaus[0],
        above=await _above(bureau_id),
        below=bureaus[1:],
        schools=schools,
        period=period,
        sheet=sheet,
        trend=await _trend(bureau_id, facts, ids, period),
        matters=await matters_of({id_: each.code for id_, each in facts.items()}, period),
        made_up=any(each.made_up for each in facts.values()),
    )


def _school(
    facts: SchoolFacts, bureau: str, period: Period, sealed: SealedReturn | None, adjusted: int | None
) -> SchoolFound:
    return SchoolFound(
        code=facts.code,
        name=Words(zh=facts.name, en=facts.name_en),
        bureau=bureau,
        enrolment=size_at(facts.enrolments, close_at(period)),
        sealed=sealed,
        adjusted=adjusted if sealed else None,
    )


async def own_and_remote(bureau_id: int) -> tuple[frozenset[int], dict[str, str]]:
    """Of a bureau and those below it: the ids of those whose schools are here, and the names, by code, of those that
    keep an instance of their own.
    """
    tree = await fetch_tuples(None, BUREAUS, [bureau_id])
    remote = {sender for (sender,) in await fetch_tuples(None, REMOTE)} - {tree[0][1]}
    near = frozenset(id_ for id_, code, *_ in tree if code not in remote)
    return near, {code: name for _, code, name, _ in tree if code in remote}


async def _above(bureau_id: int) -> BureauFound | None:
    sql = "select p.code, p.name from bureau b join bureau p on p.id = b.parent where b.id = $1"
    rows = await fetch_tuples(None, sql, [bureau_id])
    return BureauFound(*rows[0]) if rows else None


async def _bureaus(tree: Sequence[tuple[Any, ...]], period: Period) -> list[BureauFound]:
    """The tree, the bureau itself first; what lies below one that keeps an instance of its own is that one's affair."""
    remote = {sender for (sender,) in await fetch_tuples(None, REMOTE)}
    received = await received_rollups(period)
    found: list[BureauFound] = []
    hidden: set[str] = set()
    for at, (_, code, name, parent) in enumerate(tree):
        if parent in hidden:
            hidden.add(code)
            continue
        far = at > 0 and code in remote
        if far:
            hidden.add(code)
        now, digest = received.get((code, period.id), (None, ""))
        before = [received[key][0] for key in received if key[0] == code and key[1] < period.id]
        found.append(BureauFound(code, name, parent or "", far, now, digest, before[-1] if before else None))
    return found


async def received_rollups(period: Period) -> dict[tuple[str, str], tuple[RollupDocument, str]]:
    """By sender and quarter, oldest first: the last version that came, up to a quarter, and its digest."""
    found = {}
    for sender, of, text, digest in await fetch_tuples(None, RECEIVED, [period.id]):
        document = read_received(text)
        if document is not None:
            found[sender, of] = document, digest
    return found


# ---------------------------------------------------------------- returns
class _SignOff(msgspec.Struct):
    changes: tuple[msgspec.Raw, ...] = ()


class _Return(msgspec.Struct):
    """As much of a return's document as a roll-up needs; the rest is skipped over."""

    score: ScorePart
    version: int
    facts_digest: str
    incidents: tuple[Incident, ...] = ()
    sign_off: _SignOff | None = None


def _read(text: bytes, digest: str) -> SealedReturn:
    found = msgspec.json.decode(text, type=_Return)
    total, counted = found.score.total, duty_totals(found.score)
    return SealedReturn(
        version=found.version,
        signed=found.sign_off is not None,
        total=None if total is None else int(total.replace(".", "")),
        grade=found.score.grade,
        veto=bool(found.score.veto),
        late=counted.late,
        backfilled=counted.backfilled,
        facts_digest=found.facts_digest,
        document_digest=digest,
        incidents=found.incidents,
        changes=len(found.sign_off.changes) if found.sign_off else 0,
    )


async def _sealed(facts: dict[int, SchoolFacts], period: Period) -> dict[int, SealedReturn]:
    """The newest received return of each school that keeps its records here."""
    ids, found = sorted(facts), dict[int, SealedReturn]()
    for at in range(0, len(ids), CHUNK):
        some = ids[at : at + CHUNK]
        rows = await fetch_tuples(None, RETURNS, [period.id, some[0], some[-1]])
        newest = {row[0]: row for row in rows if row[0] in facts}
        found |= await asyncio.to_thread(_read_all, newest)
    return found


def _read_all(rows: dict[int, tuple[Any, ...]]) -> dict[int, SealedReturn]:
    return {school: _read(row[5].encode(), row[4]) for school, row in rows.items()}


async def _sealed_elsewhere(
    facts: dict[int, SchoolFacts], period: Period, data: Path | None
) -> dict[int, SealedReturn]:
    """The newest received return of each school that keeps its records on another instance, out of its file."""
    if data is None:
        return {}
    ids = {each.code: id_ for id_, each in facts.items()}
    newest = {
        code: digest for code, digest in await fetch_tuples(None, ELSEWHERE, [period.id]) if code in ids
    }
    return {ids[code]: await asyncio.to_thread(_out_of_file, data, digest) for code, digest in newest.items()}


def _out_of_file(data: Path, digest: str) -> SealedReturn:
    text = received_return(data, digest)
    return _read(text, hashlib.sha256(text).hexdigest())


# ---------------------------------------------------------------- trend, matters
async def _trend(
    bureau_id: int, facts: dict[int, SchoolFacts], ids: dict[int, str], period: Period
) -> list[Trend]:
    found: list[Trend] = []
    for _ in range(TREND - 1):
        period = period.previous()
        kept = await fetch_tuples(None, LAST, [bureau_id, period.id])
        if kept:
            figures = rollup.parse(kept[0][0].encode()).figures
            found.append(
                Trend(period=period.id, schools=figures.schools, missing=figures.missing, means=figures.means)
            )
        else:
            found += await _counted(facts, ids, period)
    return found[::-1]


async def _counted(facts: dict[int, SchoolFacts], ids: dict[int, str], period: Period) -> list[Trend]:
    """A quarter without a roll-up, from its returns; nothing where there are none."""
    rows = await fetch_tuples(None, TOTALS, [period.id])
    totals = {school: total for school, total, _ in rows if school in facts}
    if not totals:
        return []
    returned = {school: _only_total(total) for school, total in totals.items()}
    adjusted = await adjustments.adjusted_totals(list(facts), period)
    schools = [
        _school(each, ids[each.bureau], period, returned.get(id_), adjusted.get(id_))
        for id_, each in facts.items()
    ]
    return [trend_of(period.id, schools, Rulebook.of(in_use.standards(), period).sheet)]


def _only_total(total: int | None) -> SealedReturn:
    return SealedReturn(1, True, total, None, False, 0, 0, "", "")


async def matters_of(codes: Mapping[int, str], period: Period) -> list[Matter]:
    """Returns of these schools (codes by id) that were sent back, and appeals, each with what became of it."""
    known = set(codes.values())
    newest = dict(await fetch_tuples(None, NEWEST, [period.id]))
    said = [row for row in await fetch_tuples(None, DECISIONS, [period.id]) if row[0] in known]
    holds = holding(((code, version), outcome) for code, version, outcome, _ in said)
    accepted = {version for version, outcome in holds.items() if outcome == ACCEPTED}
    found = [
        Matter(kind="correction", school=code, at=at, outcome=_outcome(code, version, newest[code], accepted))
        for code, version, outcome, at in said
        if outcome == "returned"
    ]
    found += [
        Matter(kind="appeal", school=codes[school], at=at, outcome=outcome or "open")  # type: ignore[arg-type]
        for school, at, outcome in await adjustments.appeals(list(codes), period)
    ]
    return found


async def is_overtaken(found: Gathered) -> bool:
    """Whether more was sent back, accepted, withdrawn or appealed since it was gathered."""
    known = {school.code for school in found.schools}
    codes = {id_: code for id_, code in await fetch_tuples(None, CODES) if code in known}
    return set(await matters_of(codes, found.period)) != set(found.matters)


def _outcome(code: str, version: int, newest: int, accepted: set[tuple[str, int]]) -> Any:
    if (code, newest) in accepted:
        return "accepted"
    return "corrected" if newest > version else "open"


# ---------------------------------------------------------------- what was made
@dataclass(frozen=True, slots=True)
class Made:
    """A sealed roll-up. `document` is read when it is asked for; `file` is None until its file has been made."""

    id: UUID
    version: int
    document_digest: str
    facts_digest: str
    sealed_at: datetime
    reason: str
    text: str
    file: str | None

    @property
    def document(self) -> RollupDocument:
        return read(self.text)


def read(text: str) -> RollupDocument:
    """A document as it is stored."""
    return rollup.parse(text.encode())


def read_received(text: str) -> RollupDocument | None:
    """A document that another instance made; None for one that this version of the product cannot read."""
    try:
        return read(text)
    except msgspec.DecodeError:
        log.exception("a received roll-up cannot be read")
        return None


async def made(bureau_id: int, period: Period) -> list[Made]:
    """A bureau's sealed roll-ups of a quarter, the newest first."""
    return [Made(*row) for row in await fetch_tuples(None, MADE, [bureau_id, period.id])]
