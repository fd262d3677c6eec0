"""Which quarter a page shows."""

from dataclasses import dataclass
from datetime import datetime

from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.errors import BadInput
from safety.web.visit import WebRequest, visit_of

SHOWN = 6
"""How many quarters a trend goes back at most."""
FIRST_TALLY = 'select min(day) as "day [date]" from tally where school = $1'


@dataclass(frozen=True, slots=True)
class Quarters:
    """The quarter shown, and its neighbours; `later` is None for the current one."""

    shown: Period
    current: Period
    earlier: Period
    later: Period | None


def quarter_named(text: str, now: datetime) -> Period:
    """The quarter written as `2026Q3`. Raises BadInput for anything else and for one still to come."""
    try:
        period = Period.parse(text)
    except ValueError as error:
        raise BadInput.one("period", "period-form", text=text[:20]) from error
    if period.start > local_day(now):
        raise BadInput.one("period", "period-ahead", text=period.id)
    return period


def quarters_of(request: WebRequest, named: str | None = None) -> Quarters:
    """The quarter of the address (`named`) or of `?period=`; without either, the current one."""
    now = visit_of(request).now
    current = Period.of(local_day(now))
    text = named or request.query_params.get("period")
    shown = quarter_named(text, now) if text else current
    later = shown.next() if shown < current else None
    return Quarters(shown, current, shown.previous(), later)


async def past_quarters(school_id: int, current: Period) -> list[Period]:
    """The quarters that have something in them up to the current one, newest first."""
    first = (await fetch_tuples(None, FIRST_TALLY, [school_id]))[0][0]
    found = [current]
    while first is not None and found[-1].start > first and len(found) < SHOWN:
        found.append(found[-1].previous())
    return found
