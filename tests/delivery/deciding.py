"""A clerk on the bureau's instance decides, and how it looks then at the school's own."""

from datetime import timedelta

from reports.life import standing
from reports.life.decisions import Ruling, decide
from safety.access.queries import scope_of_login
from safety.database import fetch_tuples
from tests.conftest import opened
from tests.delivery.conftest import CLOSE, Q3, Desk
from tests.delivery.instances import Bureau

ACCEPT = Ruling("accepted")
BACK = Ruling("returned", "第三周缺安全课，请说明原因。", {"education.weekly": "缺二年级"})
WITHDRAW = Ruling("withdrawn", "受理有误")
TOLD = "select outcome, reasons from told_decision order by decided_at, id"
NEXT = "select asked, asked_at, next_at, error from inquiry order by message"


async def rule(bureau: Bureau, ruling: Ruling, hours: int = 1) -> None:
    """The bureau's clerk decides on the newest version that is there, some hours after the close."""
    async with opened(bureau.campus.url):
        clerk = await scope_of_login("clerk", CLOSE)
        assert clerk is not None
        rows = await fetch_tuples(None, "select id from inbox_item order by version desc limit 1")
        await decide(clerk, rows[0][0], ruling, CLOSE + timedelta(hours=hours), key=f"ruling-{hours:04}")


async def versions(desk: Desk) -> list[standing.Version]:
    return await standing.versions(desk.cast["principal"], desk.cast.school, Q3)


async def states(desk: Desk) -> list[str]:
    return [version.state for version in await versions(desk)]


async def trail(desk: Desk) -> list[str]:
    told = "select action from audit_line where chain = $1 and action like 'return.%' order by position"
    return [action for (action,) in await fetch_tuples(None, told, [desk.cast.school])]


async def error(desk: Desk) -> str:
    return str((await fetch_tuples(None, NEXT))[0][3])
