"""What an entry's page says of it beside what it holds: whether it counts, and what is still to be done."""

import html
import re
import uuid
from datetime import timedelta

import pytest
from litestar import Litestar

from safety.access.actions import issue_token
from safety.clock import FixedClock
from safety.text import Catalogue
from safety.web.pages import spoken
from tests.cast import NOW, Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

LEDGERS = "/schools/S001/ledgers"
FIGURES = ("deaths", "serious_injuries", "minor_injuries", "affected", "loss_yuan")
SAMPLE = {"meal": "lunch", "dish": "菜", "grams": "130", "person": "canteen"}
NOTICE = re.compile(r'<div class="notice notice-(\w+)".*?<p>(.*?)</p>', re.DOTALL)


@pytest.fixture
async def county(cast: Cast) -> Cast:
    await make_county(cast)
    return cast


async def save(browser: Browser, path: str, **said: str) -> str:
    """The address of the entry that came of it."""
    answer = await browser.send_form(f"{LEDGERS}/{path}", **said, submission_key=str(uuid.uuid4()))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def incident(browser: Browser, **said: str) -> str:
    told = {"happened_at": "2026-10-14T08:30", "discovered_at": "2026-10-14T08:40", "category": "other"}
    return await save(browser, "incidents/new", **{**told, **dict.fromkeys(FIGURES, "0"), **said})


async def notices(browser: Browser, path: str) -> list[tuple[str, str]]:
    return [(kind, html.unescape(said)) for kind, said in NOTICE.findall((await browser.get(path)).text)]


async def said_to_programs(app: Litestar, path: str) -> str | None:
    """The timing that a program reads of an entry; the list says the same."""
    client = Browser(app)
    client.headers["authorization"] = f"Bearer {await issue_token(None, 'officer', 'test', NOW)}"
    found = (await client.get(f"/api/v1{path}")).json()["entry"]
    ledger, _, number = path.rpartition("/")
    listed = (await client.get(f"/api/v1{ledger}?size=500&state={_state(found)}")).json()["entries"]
    assert {item["timing"] for item in listed if item["id"] == number} == {found["timing"]}
    timing: str | None = found["timing"]
    return timing


def _state(found: dict[str, str | None]) -> str:
    return "voided" if found["voided_at"] else "superseded" if found["superseded_by"] else "current"


async def test_a_zero_report_after_that_days_incident_is_nowhere_said_to_be_on_time(
    visit: Visit, county: Cast, clock: FixedClock, app: Litestar
) -> None:
    officer = await visit("officer")
    before = await save(officer, "zero_reports/new", happened_on="2026-10-14", person="officer")
    assert (await officer.get(before)).text.count("</svg>按时<") == 2
    clock.set(NOW + timedelta(hours=1))
    await incident(officer, discovered_at="2026-10-14T10:30")
    assert await notices(officer, before) == [], "the report was made at 10, half an hour earlier"
    after = await save(officer, "zero_reports/new", happened_on="2026-10-14", person="officer")
    for path in (after, f"/inspect{after}"):
        page = (await (officer if path == after else await visit("inspector")).get(path)).text
        assert "不计：登记时当日的事故已经发现" in page
        assert page.count("</svg>不计<") == 2
        assert "</svg>按时<" not in page
    listed = (await officer.get(f"{LEDGERS}/zero_reports?since=2026-10-14")).text
    assert listed.count(">不计<") == 1
    assert after.rpartition("/")[2] not in (await officer.get(f"{LEDGERS}/zero_reports?timing=on-time")).text
    assert (await said_to_programs(app, before), await said_to_programs(app, after)) == (
        "on-time",
        "uncounted",
    )
    voided = await officer.send_form(f"{after}/void", why="当日有事故")
    assert voided.status_code == 303
    assert "不计：登记时" not in (await officer.get(after)).text
    assert await said_to_programs(app, after) is None, "what is void is not timed"


async def test_a_second_zero_report_of_a_day_answers_nothing(
    visit: Visit, county: Cast, clock: FixedClock, app: Litestar
) -> None:
    officer = await visit("officer")
    first = await save(officer, "zero_reports/new", happened_on="2026-10-14", person="officer")
    clock.set(NOW + timedelta(hours=1))
    second = await save(officer, "zero_reports/new", happened_on="2026-10-14", person="officer")
    assert (await said_to_programs(app, first), await said_to_programs(app, second)) == ("on-time", None)
    assert "已由其他记录完成" in (await officer.get(second)).text
    assert "</svg>按时<" not in (await officer.get(second)).text


async def test_an_entry_of_the_quarters_last_day_was_in_time_until_its_close_and_says_so(
    visit: Visit, county: Cast
) -> None:
    officer = await visit("officer")
    entry = await save(
        officer, "food_samples/new", **SAMPLE, happened_on="2026-09-29", stored_at="2026-09-29T11:40"
    )
    told = {"class": "三(1)班", "text": "走人行道"}
    reminder = await save(officer, "daily_reminders/new", happened_on="2026-09-30", **told)
    page = (await officer.get(reminder)).text
    assert "</svg>补录<" in page
    assert "按时填报截止</dt><dd>2026年9月30日（季度截止）</dd>" in page
    assert "10月" not in page.partition("按时填报截止")[2].partition("</dl>")[0]
    english = (await officer.get(f"{reminder}?lang=en")).text
    assert "30 Sep 2026 (the quarter's close)" in html.unescape(english)
    within = (await officer.get(f"{entry}?lang=zh")).text
    assert "按时填报截止</dt><dd>2026年9月29日</dd>" in within, (
        "no grace, so the close has nothing to do with it"
    )


async def test_an_incident_not_reported_yet_says_by_when_and_what_is_left(
    visit: Visit, county: Cast, clock: FixedClock
) -> None:
    officer = await visit("officer")
    page = await incident(officer)
    # Discovered at 8:40, a day to report an ordinary incident, and it is 10:00.
    assert await notices(officer, page) == [
        ("warn", "尚未上报：应在 2026年10月15日 08:40 前上报，还剩 22 小时 40 分钟。")
    ]
    clock.set(NOW + timedelta(hours=23))
    assert await notices(officer, f"{page}?lang=en") == [
        ("bad", "Not reported yet: it was due by 15 Oct 2026 08:40, 20 min ago.")
    ]
    fresh = await incident(officer, happened_at="2026-10-15T08:30", discovered_at="2026-10-15T08:55")
    assert await notices(officer, f"{fresh}?lang=zh") == [
        ("warn", "尚未上报：应在 2026年10月16日 08:55 前上报，还剩 23 小时 55 分钟。")
    ]
    told = {"value": "school", "happened_at": "2026-10-15T08:58"}
    await save(officer, fresh.removeprefix(f"{LEDGERS}/") + "/events/reported", **told)
    assert await notices(officer, fresh) == []
    # Seen by those who look on, and no longer once it is void.
    assert (await notices(await visit("inspector"), f"/inspect{page}"))[0][0] == "bad"
    assert (await officer.send_form(f"{page}/void", why="误报")).status_code == 303
    assert "尚未上报" not in (await officer.get(page)).text


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(hours=54, minutes=20), "2 d 6 h"),
    ],
)
def test_a_span_of_time_is_said_as_exactly_as_it_matters(
    texts: Catalogue, span: timedelta, said: str
) -> None:
    assert spoken(texts, "en", {"left": span, "number": 3}) == {"left": said, "number": 3}
