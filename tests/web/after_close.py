"""The morning after the close, in a browser: returns in their inbox, and what people do with them."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from reports.jobs import close_quarter
from reports.pdf import Renderer
from reports.press import Press
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.education.ledgers import LEDGERS
from safety.ledger.actions import void
from tests.cast import Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
EVENING = CLOSE - timedelta(hours=5)
MORNING = CLOSE + timedelta(hours=10)
PAGE, INBOX = "/schools/S001/returns/2026Q3", "/bureaus/HILL/inbox"
CORRECTION = f"{PAGE}/correction"
ACCEPT = {"outcome": "accepted", "confirmed": "true", "submission_key": "accept-0001"}
REMINDERS = next(item for item in LEDGERS if item.name == "daily_reminders")


class QuickRenderer(Renderer):
    """A file of its own for each return and version, without drawing it."""

    async def render_return(self, document, lang="zh", verify_url="") -> bytes:
        return f"%PDF-1.7 {document.school.code} v{document.version}".encode()


Entering = Callable[..., Awaitable[Browser]]
"""`await enter("clerk")`: their browser, signed in on that morning."""


async def closed_county(cast: Cast, press: Press) -> Cast:
    await make_county(cast, EVENING)
    await close_quarter(press, Q3, FixedClock(CLOSE))
    return cast


def entering(visit: Visit, county: Cast) -> Entering:
    async def open_browser(name: str, language: str = "zh-CN") -> Browser:
        return await (await visit(language=language)).as_(county[name], MORNING)

    return open_browser


async def item_of(code: str = "S001") -> str:
    sql = "select id from inbox_item where school_code = $1 order by version desc"
    return str((await fetch_tuples(None, sql, [code]))[0][0])


async def send_back(clerk: Browser, key: str = "return-0001", **more: str):
    fields = {"outcome": "returned", "reasons": "请说明第三周缺课原因", "submission_key": key, **more}
    return await clerk.send_form(f"{INBOX}/{await item_of()}", **fields)


async def take_back_an_entry(county: Cast) -> None:
    sql = "select id from daily_reminder where school = $1 and happened_on <= $2 order by happened_on limit 1"
    entry = (await fetch_tuples(None, sql, [county.school, Q3.end]))[0][0]
    await void(REMINDERS, county["officer"], county.school, entry, "记错了班级", MORNING)


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, name
    return found[1]


async def make_version(principal: Browser, **changes: str):
    drawn = (await principal.get(CORRECTION)).text
    form = drawn[drawn.index('id="sign"') :]
    fields = {name: hidden(form, name) for name in ("facts_digest", "submission_key", "step")}
    fields |= {"reason": "已核对并补充原因", "agreed": "true"}
    if 'name="unchanged"' in form:
        fields["unchanged"] = "true"
    return await principal.send_form(CORRECTION, **(fields | changes))
