"""Made-up roll-ups: a county of any number of schools, and a city above counties."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache

from config.rules import product_standards
from reports.document import Incident, Words
from reports.rollup.compile import (
    BureauFound,
    Gathered,
    Making,
    SchoolFound,
    SealedReturn,
    compile_rollup,
)
from reports.rollup.document import Matter, Means, RollupDocument, Trend
from safety.calendar import Period
from safety.sheet import ScoringSheet

Q3 = Period.parse("2026Q3")
MADE_AT = datetime(2026, 10, 3, 0, 0, tzinfo=UTC)
CITY = BureauFound("3301", "明州市教育局")
COUNTY = BureauFound("330102", "江州县教育局", "3301")


@cache
def sheet() -> ScoringSheet:
    """The sheet in force at the quarter's end."""
    return ScoringSheet.from_standards(product_standards(), Q3.end)


def incident(category: str, grade: str | None = None, number: int = 1, **people: int | str) -> Incident:
    """One that happened in September."""
    at = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(hours=number)
    return Incident(
        id=f"01990000-0000-7000-8000-{number:012d}",
        category=category,  # type: ignore[arg-type]
        grade=grade,  # type: ignore[arg-type]
        happened_on=date(2026, 9, 1),
        discovered_at=at,
        recorded_at=at,
        liability="pending",
        **people,  # type: ignore[arg-type]
    )


def school(
    number: int,
    total: int | None = 9000,
    *,
    bureau: str = COUNTY.code,
    enrolment: int = 800,
    missing: bool = False,
    adjusted: int | None = None,
    incidents: tuple[Incident, ...] = (),
    signed: bool = True,
    changes: int = 0,
    veto: bool = False,
) -> SchoolFound:
    """A school by number, its return, and what the bureau made of it."""
    grade = None if total is None else sheet().grade(total, veto).record.name("zh")
    sealed = SealedReturn(
        version=1 + (number % 17 == 0),
        signed=signed,
        total=total,
        grade=grade,
        veto=veto,
        late=number % 7,
        backfilled=number % 3,
        facts_digest=f"{number:064x}",
        document_digest=f"{number + 1:064x}",
        incidents=incidents,
        changes=changes,
    )
    stage = ("小学", "中学", "幼儿园", "学校")[number % 4]
    return SchoolFound(
        code=f"{bureau}{number:04d}",
        name=Words(zh=f"江州县翀山镇第{number}{stage}", en=f"Chongshan No. {number}"),
        bureau=bureau,
        enrolment=enrolment,
        sealed=None if missing else sealed,
        adjusted=adjusted,
    )


def many(count: int, bureau: str = COUNTY.code) -> tuple[SchoolFound, ...]:
    """Schools of all kinds: good and bad, missing, unsigned, adjusted, vetoed, with incidents."""
    return tuple(
        school(
            n,
            3000 + n * 7919 % 7001,
            bureau=bureau,
            enrolment=200 + n * 37 % 1900,
            missing=n % 29 == 11,
            adjusted=3000 + n * 7919 % 7001 - 250 if n % 13 == 5 and n % 29 != 11 else None,
            signed=n % 11 != 3,
            changes=3 * (n % 9 == 2),
            veto=n % 97 == 50,
            incidents=tuple(_incidents(n)),
        )
        for n in range(1, count + 1)
    )


def _incidents(n: int) -> list[Incident]:
    found = []
    if n % 10 == 4:
        found.append(
            incident("facility", "ordinary" if n % 20 == 4 else None, n, minor_injuries=1, affected=2)
        )
    if n % 31 == 7:
        found.append(
            incident("traffic", "larger" if n == 7 else "ordinary", 1000 + n, serious_injuries=1, affected=1)
        )
    if n % 53 == 20:
        found.append(incident("mental_health", None, 2000 + n, affected="<5"))
    return found


def gathered(schools: tuple[SchoolFound, ...], **more: object) -> Gathered:
    """A county with these schools."""
    given: dict[str, object] = {
        "bureau": COUNTY, "above": CITY, "below": (), "schools": schools, "period": Q3, "sheet": sheet()
    }  # fmt: skip
    return Gathered(**(given | more))  # type: ignore[arg-type]


def sample_rollup(count: int = 24, **making: object) -> RollupDocument:
    """A county with a year behind it."""
    trend = tuple(
        Trend(
            period=f"{2025 + (n > 0)}Q{(4, 1, 2)[n]}",
            schools=count,
            missing=2 - n // 2,
            means=Means(own=own, own_without=without, adjusted=own, adjusted_without=without),
        )
        for n, (own, without) in enumerate((("61.20", "64.00"), ("63.55", "66.10"), ("66.04", "68.30")))
    )
    matters = (
        Matter(
            kind="correction", school=f"{COUNTY.code}0002", at=MADE_AT - timedelta(days=1), outcome="open"
        ),
        Matter(
            kind="appeal", school=f"{COUNTY.code}0005", at=MADE_AT - timedelta(hours=9), outcome="rejected"
        ),
    )
    found = gathered(many(count), trend=trend, matters=matters, made_up=True)
    return compile_rollup(found, Making(MADE_AT, **making))  # type: ignore[arg-type]


def sample_city() -> RollupDocument:
    """A city with two schools of its own, a county of this instance, one that sent its roll-up, one that did not."""
    sent = sample_rollup(12)
    below = (
        BureauFound("330101", "城关区教育局", CITY.code),
        BureauFound(
            COUNTY.code, COUNTY.name, CITY.code, remote=True, received=sent, document_digest="ab" * 32
        ),
        BureauFound("330103", "清江县教育局", CITY.code, remote=True, before=sample_rollup(9)),
    )
    schools = (*many(6, "330101"), school(1, 8800, bureau=CITY.code), school(2, None, bureau=CITY.code))
    found = gathered(schools, bureau=CITY, above=None, below=below, made_up=True)
    return compile_rollup(found, Making(MADE_AT))
