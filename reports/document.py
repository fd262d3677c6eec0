"""The quarterly return as a value: frozen first, drawn after (PURE).

`ReturnDocument` is the whole of what a school hands in for a quarter. The PDF is a function of it, and
the same value is attached to the PDF as `return.json`. The structs are the schema: `json_schema()` is
derived from them and kept in `reports/schema/safe-campus.return.v1.json`, and unknown fields are refused.

No person's name is in it but the signer's. Entries are named by their ledger ids.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated, Any, Final, Literal

import msgspec

from reports.canonical import canonical, fields_of, object_of, part
from reports.inputs import Added, History, Profile, Tested
from reports.parts import Count, Digest, Instant, Mark, Part, Points, Suppressed, Words, suppressed

__all__ = ["Count", "Digest", "Instant", "Mark", "Part", "Points", "Suppressed", "Words", "suppressed"]
"""What is had from here as before; the parts of the return are all below."""

SCHEMA: Final = "safe-campus.return.v1"


class School(Part, frozen=True, kw_only=True):
    code: str
    name: Words
    stage: str
    enrolment: Count


class Bureau(Part, frozen=True, kw_only=True):
    code: str
    name: Words


class Period(Part, frozen=True, kw_only=True):
    """A calendar quarter, both days inclusive; from `closes_at` on, an entry is backfilled."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}Q[1-4]$")]
    starts: date
    ends: date
    closes_at: Instant


class Change(Part, frozen=True, kw_only=True):
    """One fact that came, went or changed between the sign-off and the close."""

    id: str
    line: str
    happened_on: date
    kind: Literal["added", "removed", "altered"]


class SignOff(Part, frozen=True, kw_only=True):
    """The principal's sign-off: whose, when, on which facts, and what moved afterwards."""

    signer: str
    signed_at: Instant
    facts_digest: Digest
    changes: tuple[Change, ...] = ()


class Fact(Part, frozen=True, kw_only=True, omit_defaults=True):
    """One counted entry. `occurrence` is what it filled, as the duties name it.

    `timed_on`: the day that decides how timely it is, where that is not the day of `recorded_at`: a corrected entry's
    first version, a drill's evaluation, the report of a day's incident. `reached`: pupils of a class's week, by its
    best session. `tested`: an awareness check.
    """

    id: str
    line: str
    occurrence: str
    happened_on: date
    recorded_at: Instant
    timed_on: date | None = None
    reached: Count = 0
    tested: Tested | None = None


class Veto(Part, frozen=True, kw_only=True):
    incident: str
    cause: str


class Penalty(Part, frozen=True, kw_only=True):
    incident: str
    cause: str
    points: Points


class ScoreLine(Part, frozen=True, kw_only=True):
    """One line, in the shape of `score --json`. Counts are occurrences (T3: pupils).

    `entries`, in a return: those that are not among its facts under the line that was measured, which is the line
    itself, for T1 education.weekly, for T4 to T6 T2. Returns of earlier versions repeat the others here.
    """

    id: str
    applies: bool
    expected: Count
    on_time: Count
    late: Count
    backfilled: Count
    missing: Count
    open: Count
    points: Points
    max: Points
    status: Literal[
        "full",
        "partial",
        "none",
        "nothing-due",
        "no-canteen",
        "no-ledger",
        "met",
        "unverified",
        "missed",
    ]
    source: str
    entries: tuple[str, ...] = ()


class ScoreGroup(Part, frozen=True, kw_only=True):
    id: str
    points: Points
    max: Points
    lines: tuple[ScoreLine, ...]


class InForce(Part, frozen=True, kw_only=True):
    """A part of the quarter in which no standard changed; `changed` names those that did on its first day."""

    since: date
    until: date
    changed: tuple[str, ...] = ()


class Score(Part, frozen=True, kw_only=True):
    """The JSON of `score --json`. `total` and `grade` are null when no line applies."""

    school: str
    period: str
    as_of: Instant
    standards: str
    in_force: tuple[InForce, ...] = ()
    total: Points | None
    grade: str | None
    provisional: bool = False
    veto: tuple[Veto, ...] = ()
    penalties: tuple[Penalty, ...] = ()
    groups: tuple[ScoreGroup, ...]


class Rule(Part, frozen=True, kw_only=True):
    """The rule behind a line: what it asks, where that is written, how far that was verified."""

    line: str
    text: Words
    source: Words
    mark: Mark


class Clock(Part, frozen=True, kw_only=True):
    """One reporting deadline of an incident. A later death or higher grade starts another."""

    reason: str
    starts_at: Instant
    due_at: Instant
    reported_at: Instant | None = None
    reported_by: Literal["school", "superior"] | None = None
    outcome: Literal["in-time", "late", "very-late", "concealed", "running"]


class Incident(Part, frozen=True, kw_only=True):
    """An incident without names. Counts of 1 to 4 in a sensitive category are already `<5` here."""

    id: str
    category: Literal["traffic", "food_poisoning", "mental_health", "facility", "other"]
    grade: Literal["ordinary", "larger", "major", "extraordinary"] | None = None
    happened_on: date
    discovered_at: Instant
    recorded_at: Instant
    liability: Literal["yes", "no", "pending"]
    clocks: tuple[Clock, ...] = ()
    deaths: Count | Suppressed = 0
    serious_injuries: Count | Suppressed = 0
    minor_injuries: Count | Suppressed = 0
    affected: Count | Suppressed = 0
    loss_yuan: Count = 0
    history: History | None = None


class Exceptional(Part, frozen=True, kw_only=True):
    """An occurrence that was not met, or not in time. `unit` is a class or a duty post, never a person. `uncounted`: a
    zero-report made after that day's incident was discovered.
    """

    line: str
    kind: Literal["missed", "late", "backfilled", "uncounted"]
    occurrence: str
    due_on: date
    unit: str = ""
    recorded_at: Instant | None = None


class Cause(Part, frozen=True, kw_only=True):
    """Why a line has exceptions, in the school's own words."""

    line: str
    text: str


class LineChange(Part, frozen=True, kw_only=True):
    """A line whose points differ from the version before; null where that version, or this one, has no such line."""

    line: str
    before: Points | None
    after: Points | None
    reason: str = ""


class ChainHead(Part, frozen=True, kw_only=True):
    """Last line of the school's audit chain when the return was frozen."""

    lines: Count
    digest: Digest


class ReturnDocument(Part, frozen=True, kw_only=True):
    """A school's quarter. Make it with `freeze`, which sorts it and fills in the facts digest.

    `profile`, `added`, `tested_as_closed`, the facts and the incidents' histories are what the score was worked out of
    (see `reports/verification/recompute.py`). `unchanged`: nothing differs from the version before, and `reason` says
    why this one was made nevertheless. It came later than the rest, so it is left out where it says nothing: what was
    frozen before keeps its text.
    """

    schema: Literal["safe-campus.return.v1"] = SCHEMA
    school: School
    bureau: Bureau
    period: Period
    version: Annotated[int, msgspec.Meta(ge=1)]
    made_at: Instant
    draft: bool = False
    closed_late: bool = False
    test_clock: bool = False
    made_up: bool = False
    provisional_years: tuple[int, ...] = ()
    sign_off: SignOff | None = None
    standards: str
    score: Score
    rules: tuple[Rule, ...] = ()
    profile: Profile | None = None
    added: tuple[Added, ...] = ()
    tested_as_closed: Tested | None = None
    facts: tuple[Fact, ...] = ()
    incidents: tuple[Incident, ...] = ()
    exceptions: tuple[Exceptional, ...] = ()
    causes: tuple[Cause, ...] = ()
    changes_since: tuple[LineChange, ...] = ()
    late: Count = 0
    backfilled: Count = 0
    facts_digest: Digest | Literal[""] = ""
    chain_head: ChainHead | None = None
    previous_digest: Digest | None = None
    reason: str = ""
    unchanged: bool | msgspec.UnsetType = msgspec.UNSET

    @property
    def status(self) -> Literal["signed", "unsigned", "changed"]:
        """`changed`: signed, and facts moved before the close (其后变动 N 条)."""
        if self.sign_off is None:
            return "unsigned"
        return "changed" if self.sign_off.changes else "signed"


def freeze(document: ReturnDocument) -> ReturnDocument:
    """The document in its one order and with its facts digest: the same content gives the same bytes."""
    ordered = msgspec.structs.replace(
        document,
        facts=_sorted_facts(document.facts),
        added=tuple(sorted(document.added, key=lambda a: (a.line, a.due_on))),
        score=_sorted_score(document.score),
        incidents=tuple(sorted(document.incidents, key=lambda i: (i.happened_on, i.id))),
        exceptions=tuple(
            sorted(document.exceptions, key=lambda e: (e.line, e.kind, e.due_on, e.unit, e.occurrence))
        ),
        causes=tuple(sorted(document.causes, key=lambda c: (c.line, c.text))),
        changes_since=tuple(sorted(document.changes_since, key=lambda c: c.line)),
        provisional_years=tuple(sorted(document.provisional_years)),
        sign_off=_sorted_sign_off(document.sign_off),
    )
    return msgspec.structs.replace(ordered, facts_digest=facts_digest(ordered))


def _sorted_facts(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    return tuple(sorted(facts, key=lambda f: (f.line, f.happened_on, f.occurrence, f.id)))


def _sorted_score(score: Score) -> Score:
    """Groups and lines keep the order of the scoring sheet; lists of ids and causes have none, so get one."""
    groups = tuple(
        msgspec.structs.replace(group, lines=tuple(_sorted_line(line) for line in group.lines))
        for group in score.groups
    )
    return msgspec.structs.replace(
        score,
        groups=groups,
        veto=tuple(sorted(score.veto, key=lambda v: (v.incident, v.cause))),
        penalties=tuple(sorted(score.penalties, key=lambda p: (p.incident, p.cause, p.points))),
    )


def _sorted_line(line: ScoreLine) -> ScoreLine:
    return msgspec.structs.replace(line, entries=tuple(sorted(line.entries)))


def _sorted_sign_off(sign_off: SignOff | None) -> SignOff | None:
    if sign_off is None:
        return None
    changes = tuple(sorted(sign_off.changes, key=lambda c: (c.line, c.happened_on, c.id, c.kind)))
    return msgspec.structs.replace(sign_off, changes=changes)


def facts_digest(document: ReturnDocument) -> str:
    """SHA-256 over the canonical JSON of the facts and the score: the same ledgers, the same digest.

    Left out is all that tells when the return was made and not what happened: the chain head, the sealing
    time, the version, and the score's `as_of`.
    """
    score = fields_of(_sorted_score(document.score))
    del score["as_of"]
    if not document.score.in_force:
        # Returns that were made before there was such a list keep their digest.
        del score["in_force"]
    text = object_of({"facts": part(_sorted_facts(document.facts)), "score": object_of(score)})
    return hashlib.sha256(text).hexdigest()


def document_digest(document: ReturnDocument) -> str:
    """SHA-256 of the whole canonical document; the next version carries it as `previous_digest`."""
    return hashlib.sha256(canonical(document)).hexdigest()


def changed_facts(signed: tuple[Fact, ...], closed: tuple[Fact, ...]) -> tuple[Change, ...]:
    """What moved between the draft that was signed and the facts at the close."""
    before = {(f.id, f.line, f.occurrence): f for f in signed}
    after = {(f.id, f.line, f.occurrence): f for f in closed}
    added = [_change(after[key], "added") for key in after.keys() - before.keys()]
    removed = [_change(before[key], "removed") for key in before.keys() - after.keys()]
    altered = [
        _change(after[key], "altered") for key in after.keys() & before.keys() if after[key] != before[key]
    ]
    return tuple(sorted(added + removed + altered, key=lambda c: (c.line, c.happened_on, c.id, c.kind)))


def _change(fact: Fact, kind: Literal["added", "removed", "altered"]) -> Change:
    return Change(id=fact.id, line=fact.line, happened_on=fact.happened_on, kind=kind)


def parse(data: bytes) -> ReturnDocument:
    """The document in `return.json`.

    Raises:
        msgspec.ValidationError: naming the field that does not fit the schema.
        msgspec.DecodeError: when it is not JSON.
    """
    return msgspec.json.decode(data, type=ReturnDocument)


def parse_score(data: bytes) -> Score:
    """A `score --json` document as the return carries it; raises as `parse` does."""
    return msgspec.json.decode(data, type=Score)


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of `return.json`, derived from the structs."""
    schema = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(ReturnDocument)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('.', ':')}",
        "title": SCHEMA,
        **schema,
    }
