"""A county the morning after the close, every return in its inbox; and how tests look at it."""

from datetime import timedelta
from uuid import UUID

from config.rules import put_in_use
from reports import queries
from reports.jobs import close
from reports.life import standing
from reports.life.decisions import Ruling
from reports.press import Press
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.education.ledgers import LEDGERS as EDUCATION
from safety.ledger.actions import void
from tests.cast import Cast, make_cast
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
NEXT_DAY = CLOSE + timedelta(hours=10)
LATER = CLOSE + timedelta(days=2)
REMINDERS = next(item for item in EDUCATION if item.name == "daily_reminders")
BACK = Ruling("returned", "第三周缺安全课，请说明原因。", {"education.weekly": "缺二年级"})


async def closed_county(press: Press) -> Cast:
    """The quarter is closed and every return is in its inbox."""
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    await close(press, Q3, CLOSE)
    return cast


async def one_too_few(county: Cast, now=NEXT_DAY) -> None:
    """An entry of the closed quarter turns out to be wrong and is voided."""
    rows = await fetch_tuples(
        None,
        "select id from daily_reminder where school = $1 and happened_on <= $2 order by happened_on limit 1",
        [county.school, Q3.end],
    )
    await void(REMINDERS, county["officer"], county.school, rows[0][0], "记错了", now)


async def item_of(cast: Cast, code: str = "S001", bureau: int | None = None) -> UUID:
    lines = await queries.inbox(cast["admin"], bureau or cast.county, Q3)
    return next(line.item.id for line in lines if line.item is not None and line.school_code == code)


async def newest(cast: Cast) -> standing.Version:
    return (await standing.versions(cast["principal"], cast.school, Q3))[0]


async def states(cast: Cast) -> dict[str, str]:
    return {
        d.line.school_code: d.state for d in await standing.desk(cast["clerk"], cast.county, Q3, NEXT_DAY)
    }


async def trail(cast: Cast) -> list[str]:
    rows = await fetch_tuples(
        None,
        "select action from audit_line where chain = $1 and action like 'return.%' order by position",
        [cast.school],
    )
    return [action for (action,) in rows]
