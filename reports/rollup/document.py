"""A bureau's quarter as a value: every school below it, frozen first, drawn after (PURE).

`RollupDocument` is the whole of what a bureau hands to the level above. The PDF is a function of it, and the same
value is attached to it as `rollup.json`. The structs are the schema: `reports/schema/safe-campus.rollup.v1.json`.

No person's name is in it. Counts of sensitive kinds are already suppressed, and its digest is taken of what it prints:
nothing of it can be used to try out what it withholds.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final, Literal

import msgspec

from reports.canonical import canonical, object_of, part
from reports.document import Bureau, Count, Digest, Instant, Part, Period, Points, Words

SCHEMA: Final = "safe-campus.rollup.v1"
BANDS = range(0, 100, 10)
Range = Annotated[str, msgspec.Meta(pattern="^(<5|[0-9]+-[0-9]+)$")]
Figure = Count | Range
"""A count; of a sensitive kind 1 to 4 read `<5`, and a sum over such counts is a range, `6-9`."""
State = Literal["returned", "unsigned", "missing"]
Signing = Literal["signed", "changed", "unsigned", "missing"]
Category = Literal["traffic", "food_poisoning", "mental_health", "facility", "other"]
Severity = Literal["none", "ordinary", "larger", "major", "extraordinary"]


class Sums(Part, frozen=True, kw_only=True):
    """What the means are made of, so that a level above can add them up: pupils, and points (hundredths) times pupils.

    `pupils` counts those of schools that returned nothing too; `pupils_without` does not.
    """

    pupils: Count = 0
    pupils_without: Count = 0
    own: Count = 0
    adjusted: Count = 0


class Means(Part, frozen=True, kw_only=True):
    """Means weighted by enrolment: of the schools' own scores and of the adjusted ones; schools that returned nothing
    count as zero, and are left out in `…_without`. Null where there are no pupils.
    """

    own: Points | None = None
    own_without: Points | None = None
    adjusted: Points | None = None
    adjusted_without: Points | None = None


class Share(Part, frozen=True, kw_only=True):
    """How many schools have a grade, or lie in a band of ten points from `least` on; by own and by adjusted score."""

    grade: str = ""
    least: Annotated[int, msgspec.Meta(ge=0, le=90)] = 0
    own: Count = 0
    adjusted: Count = 0


class Figures(Part, frozen=True, kw_only=True):
    """What a set of schools comes to. `unscored`: returned, but without a total since no line applies."""

    schools: Count = 0
    returned: Count = 0
    unsigned: Count = 0
    missing: Count = 0
    unscored: Count = 0
    enrolment: Count = 0
    sums: Sums = Sums()
    means: Means = Means()
    grades: tuple[Share, ...] = ()
    bands: tuple[Share, ...] = ()
    late: Count = 0
    backfilled: Count = 0


class RollupSchool(Part, frozen=True, kw_only=True):
    """One school. `own` is the total of its return; `adjusted` the bureau's, null where there is none; `changes`: how
    many facts moved between the principal's signature and the sealing. Left out where none did, so that roll-ups made
    before it was kept have the same text and digest.
    """

    code: str
    name: Words
    bureau: str
    enrolment: Count
    state: State
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    own: Points | None = None
    adjusted: Points | None = None
    grade: str | None = None
    adjusted_grade: str | None = None
    veto: bool = False
    late: Count = 0
    backfilled: Count = 0
    facts_digest: Digest | None = None
    document_digest: Digest | None = None
    changes: Annotated[int, msgspec.Meta(ge=1)] | msgspec.UnsetType = msgspec.UNSET

    @property
    def signing(self) -> Signing:
        """What its return says of the principal's signature; missing where none came."""
        if self.state != "returned":
            return self.state
        return "changed" if self.changes else "signed"


class Member(Part, frozen=True, kw_only=True):
    """A bureau below, with all that lies below it. `own`: its schools are listed here; `received`: it sent a roll-up,
    and this is what that came to; `missing`: its roll-up has not come, and its pupils (as last known) count as zero.
    """

    code: str
    name: Words
    parent: str
    source: Literal["own", "received", "missing"]
    figures: Figures
    version: Annotated[int, msgspec.Meta(ge=1)] | None = None
    facts_digest: Digest | None = None
    document_digest: Digest | None = None


class Trend(Part, frozen=True, kw_only=True):
    """What an earlier quarter, or this one, came to."""

    period: str
    schools: Count
    missing: Count
    means: Means


class Severities(Part, frozen=True, kw_only=True):
    severity: Severity
    count: Figure


class IncidentRow(Part, frozen=True, kw_only=True):
    """The incidents of one category. Of a sensitive one, severities and people are null as soon as a small count would
    stand among what they are made of.
    """

    category: Category
    count: Figure = 0
    severities: tuple[Severities, ...] | None = ()
    deaths: Figure | None = 0
    serious_injuries: Figure | None = 0
    minor_injuries: Figure | None = 0
    affected: Figure | None = 0


class Matter(Part, frozen=True, kw_only=True):
    """A return that was sent back, or an appeal against an adjustment, and where it stands."""

    kind: Literal["correction", "appeal"]
    school: str
    at: Instant
    outcome: Literal["open", "corrected", "accepted", "upheld", "rejected"]


class RollupDocument(Part, frozen=True, kw_only=True):
    """A bureau's quarter. Make it with `freeze`, which fills in the facts digest."""

    schema: Literal["safe-campus.rollup.v1"] = SCHEMA
    bureau: Bureau
    above: Bureau | None = None
    period: Period
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    made_at: Instant
    draft: bool = False
    test_clock: bool = False
    made_up: bool = False
    standards: str
    figures: Figures
    members: tuple[Member, ...] = ()
    schools: tuple[RollupSchool, ...] = ()
    trend: tuple[Trend, ...] = ()
    incidents: tuple[IncidentRow, ...] = ()
    matters: tuple[Matter, ...] = ()
    facts_digest: Digest | Literal[""] = ""
    previous_digest: Digest | None = None
    reason: str = ""


# ---------------------------------------------------------------- means
def mean(points: int, pupils: int) -> int | None:
    """Hundredths, rounded half up; None without pupils."""
    return (2 * points + pupils) // (2 * pupils) if pupils else None


def freeze(document: RollupDocument) -> RollupDocument:
    """The document with its facts digest: the same returns, adjustments and matters give the same digest."""
    return msgspec.structs.replace(document, facts_digest=facts_digest(document))


def facts_digest(document: RollupDocument) -> str:
    """SHA-256 over the canonical JSON of what the document says of its schools and members.

    Left out is when and how it was made: version, time, draft or not, reason, what the earlier version was.
    """
    names = (
        "bureau",
        "period",
        "figures",
        "members",
        "schools",
        "trend",
        "incidents",
        "matters",
        "standards",
    )
    return hashlib.sha256(object_of({name: part(getattr(document, name)) for name in names})).hexdigest()


def document_digest(document: RollupDocument) -> str:
    """SHA-256 of the whole canonical document; the next version carries it as `previous_digest`."""
    return hashlib.sha256(canonical(document)).hexdigest()


def parse(data: bytes) -> RollupDocument:
    """The document in `rollup.json`. Raises msgspec.ValidationError naming the field, or msgspec.DecodeError."""
    return msgspec.json.decode(data, type=RollupDocument)


def json_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of `rollup.json`, derived from the structs."""
    schema = msgspec.json.decode(msgspec.json.encode(msgspec.json.schema(RollupDocument)))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('.', ':')}",
        "title": SCHEMA,
        **schema,
    }
