"""What the bureau says of a return that it has received: accepted, or returned for correction with reasons.

A return that was received is not yet accepted, and no rule accepts one: a clerk does. Decisions are only ever added,
and the last one on a version holds; once there is a newer version, only that can be decided on. An acceptance can be
withdrawn, with a reason, unless a sealed roll-up speaks of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from reports import queries
from reports.canonical import canonical
from reports.life import standing
from reports.life.rules import ACCEPTED, RETURNED, WITHDRAWN, Outcome
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, Conflict, NotAllowed, NotFound, Problem
from safety.ids import new_id
from safety.submission import KEY

REASONS_LENGTH = 1000
LINE_LENGTH = 200
REASONED = frozenset({RETURNED, WITHDRAWN})

SAVE = """insert into return_decision
(id, item, outcome, reasons, lines, decided_by, decider, decided_at, submission_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (item, submission_key) do nothing returning id"""
ITEM = "select bureau, school_code, period, version from inbox_item where id = $1"
SCHOOL = "select id from school where code = $1"
NEWER = """select 1 from inbox_item where school_code = $1 and period = $2 and version > $3
union all select 1 from school_return r join school s on s.id = r.school
where s.code = $1 and r.period = $2 and r.version > $3 limit 1"""
BY_KEY = "select outcome, reasons, lines from return_decision where item = $1 and submission_key = $2"
LAST = "select outcome from return_decision where item = $1 order by decided_at desc, id desc limit 1"
ABOVE = """with recursive above (id) as (select id from bureau where id = $1
union select b.parent from bureau b join above on b.id = above.id where b.parent is not null)"""
LOCK_ABOVE = f"select id from bureau where id in ({ABOVE} select id from above) order by id for no key update"  # noqa: S608
ROLLED_UP = f"""{ABOVE}
select r.document from rollup r join above on above.id = r.bureau where r.period = $2"""  # noqa: S608


class _Matter(msgspec.Struct):
    kind: str
    school: str
    outcome: str


class _Summed(msgspec.Struct):
    """Of a roll-up: what it says became of returns that were sent back."""

    matters: tuple[_Matter, ...] = ()


@dataclass(frozen=True, slots=True)
class Ruling:
    """A clerk's decision. `reasons` is for the return as a whole, `lines` for single lines of the score."""

    outcome: Outcome
    reasons: str = ""
    lines: Mapping[str, str] = field(default_factory=dict)

    @property
    def written_lines(self) -> str:
        """The lines' reasons as they are stored: canonical JSON."""
        return canonical(dict(self.lines)).decode()


@dataclass(frozen=True, slots=True)
class Decided:
    """`repeated`: the same press had been taken before, or somebody had accepted it already."""

    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """What was received, as a decision needs it. `school` is None for a school of another instance."""

    id: UUID
    bureau: int
    code: str
    period: str
    version: int
    school: int | None


async def decide(scope: Scope, item_id: UUID, ruling: Ruling, now: datetime, *, key: str) -> Decided:
    """A clerk accepts a received return, returns it for correction, or withdraws an acceptance.

    Raises:
        NotFound: nothing like that was received by a bureau that the viewer sees; a line that the sheet does not have.
        NotAllowed: not a clerk of that bureau.
        BadInput: `reasons-missing` for a return or a withdrawal without a word why; texts too long; a bad key.
        Conflict: `not-newest-version`; `same-key-other-body` if the key came with another decision; for a withdrawal
            `not-accepted`, and `rolled-up` where a sealed roll-up of the quarter says that it was accepted.
    """
    _check(ruling, key)
    async with transaction():
        item = await _item(scope, item_id)
        if not ruling.lines.keys() <= set(standing.sheet_lines(Period.parse(item.period))):
            raise NotFound
        if item.school is not None:
            # Whoever seals a new version holds the chain meanwhile: it is decided on before that, or not at all.
            await queries.chain_head(item.school, locked=True)
        before = await fetch_tuples(None, BY_KEY, [item_id, key])
        if before:
            return _repeated(before[0], ruling)
        if await fetch_tuples(None, NEWER, [item.code, item.period, item.version]):
            raise Conflict("not-newest-version", {"version": item.version})
        accepted = await fetch_tuples(None, LAST, [item_id]) == [(ACCEPTED,)]
        if accepted and ruling.outcome == ACCEPTED:
            return Decided(repeated=True)
        if ruling.outcome == WITHDRAWN:
            await _check_withdrawal(item, accepted=accepted)
        return await _save(scope, item, ruling, now, key)


def _check(ruling: Ruling, key: str) -> None:
    problems = []
    if not KEY.fullmatch(key):
        problems.append(Problem("submission_key", "key-form"))
    if ruling.outcome in REASONED and not ruling.reasons.strip():
        problems.append(Problem("reasons", "reasons-missing"))
    texts = {"reasons": (ruling.reasons, REASONS_LENGTH)}
    texts |= {f"line-{line}": (text, LINE_LENGTH) for line, text in ruling.lines.items()}
    for name, (text, most) in texts.items():
        if len(text) > most:
            problems.append(Problem(name, "text-long", {"maximum": most, "length": len(text)}))
    if problems:
        raise BadInput(problems)


async def _item(scope: Scope, item_id: UUID) -> Item:
    rows = await fetch_tuples(None, ITEM, [item_id])
    if not rows or not scope.may_bureau(rows[0][0]):
        raise NotFound
    bureau, code, period, version = rows[0]
    # An administrator sees to accounts; what a bureau decides is its clerks' to say.
    if not any(role.name == "clerk" and bureau in role.bureaus for role in scope.roles):
        raise NotAllowed("decision-clerk-only")
    school = await fetch_tuples(None, SCHOOL, [code])
    return Item(item_id, bureau, code, period, version, school[0][0] if school else None)


async def _check_withdrawal(item: Item, *, accepted: bool) -> None:
    if not accepted:
        raise Conflict("not-accepted", {"version": item.version})
    # Whoever seals a roll-up holds its bureau's row meanwhile: withdrawn before that, or not at all.
    await fetch_tuples(None, LOCK_ABOVE, [item.bureau])
    if await rolled_up(item.bureau, Period.parse(item.period), item.code):
        raise Conflict("rolled-up", {"period": item.period})


async def rolled_up(bureau_id: int, period: Period, school: str) -> bool:
    """Whether a roll-up of a quarter, this bureau's or one above it, says of a school's return that it was accepted
    once it had been corrected. `school` is its code.
    """
    rows = await fetch_tuples(None, ROLLED_UP, [bureau_id, period.id])
    said = (msgspec.json.decode(text, type=_Summed).matters for (text,) in rows)
    return any(
        (matter.kind, matter.school, matter.outcome) == ("correction", school, ACCEPTED)
        for matters in said
        for matter in matters
    )


def _repeated(before: tuple[str, str, str], ruling: Ruling) -> Decided:
    if before != (ruling.outcome, ruling.reasons, ruling.written_lines):
        raise Conflict("same-key-other-body")
    return Decided(repeated=True)


async def _save(scope: Scope, item: Item, ruling: Ruling, now: datetime, key: str) -> Decided:
    values = [new_id(), item.id, ruling.outcome, ruling.reasons, ruling.written_lines]
    await fetch_tuples(None, SAVE, [*values, scope.account_id, scope.name, now, key])
    told = {"version": item.version, "receipt": item.id, "reasons": ruling.reasons, "lines": ruling.lines}
    await append(item.school, scope, f"return.{ruling.outcome}", _subject(item), told, now)
    return Decided()


def _subject(item: Item) -> str:
    return f"returns/{item.period}" if item.school is not None else f"returns/{item.code}/{item.period}"


# ---------------------------------------------------------------- many at once
@dataclass(frozen=True, slots=True)
class AcceptedMany:
    """How many were accepted by one press; `left` names the schools (codes) whose return has moved on since."""

    accepted: int
    left: tuple[str, ...]


async def accept_many(
    scope: Scope,
    bureau_id: int,
    period: Period,
    shown: Sequence[UUID],
    now: datetime,
    *,
    key: str,
    data: Path | None = None,
) -> AcceptedMany:
    """Accept what a clerk was shown, each in a transaction of its own: what has a newer version by now, has been
    decided on meanwhile, or asks for a second look, is left as it is. `data`: as the desk takes it.

    Raises as `decide` does, and NotFound for what never was in the inbox.
    """
    listed = await still_there(await standing.desk(scope, bureau_id, period, now, data), period, shown)
    accepted, left = 0, list(listed.overtaken)
    for id_, line in listed.lines.items():
        if line.among_many and await _accept_one(scope, id_, now, key):
            accepted += 1
        else:
            left.append(line.line.school_code)
    return AcceptedMany(accepted, tuple(sorted(left)))


@dataclass(frozen=True, slots=True)
class Listed:
    """What a form listed: what is still a school's newest return, by receipt, and the other schools (codes)."""

    lines: Mapping[UUID, standing.DeskLine]
    overtaken: tuple[str, ...]


async def still_there(desk: Sequence[standing.DeskLine], period: Period, shown: Sequence[UUID]) -> Listed:
    """What has become of the listed returns since. NotFound for what never was in this inbox."""
    newest = {line.line.item.id: line for line in desk if line.line.item}
    schools = {line.line.school_code for line in desk}
    found, overtaken = {}, []
    for id_ in dict.fromkeys(shown):
        if id_ in newest:
            found[id_] = newest[id_]
            continue
        rows = await fetch_tuples(None, ITEM, [id_])
        if not rows or rows[0][1] not in schools or rows[0][2] != period.id:
            raise NotFound
        overtaken.append(rows[0][1])
    return Listed(found, tuple(overtaken))


async def _accept_one(scope: Scope, item_id: UUID, now: datetime, key: str) -> bool:
    if await fetch_tuples(None, LAST, [item_id]) == [(RETURNED,)]:
        return False
    try:
        await decide(scope, item_id, Ruling(ACCEPTED), now, key=key)
    except Conflict:
        return False
    # A press that is sent again finds its decision made; the acceptance may have been withdrawn since.
    return await fetch_tuples(None, LAST, [item_id]) == [(ACCEPTED,)]
