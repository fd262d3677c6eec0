"""What the frame of every page says: where one is, what a school is called, and what is not certain yet."""

import re

import pytest

from safety.places import actions, queries
from safety.web.settings import school_of
from tests.cast import NOW, Cast
from tests.county import make_county
from tests.web.conftest import Visit

CURRENT = re.compile(r'<a [^>]*href="([^"]+)"[^>]*aria-current="page"')
CRUMBS = re.compile(r'<nav class="crumbs".*?</nav>', re.DOTALL)
ENGLISH = "Hill County Experimental School"


@pytest.fixture
async def county(cast: Cast) -> Cast:
    await make_county(cast)
    row = await queries.school(cast["admin"], cast.school)
    typed = {"name": row.name, "stage": row.stage, "enrolment": str(row.enrolment), "name_en": ENGLISH}
    said = school_of({**typed, "has_canteen": "true"}, ["lunch"], "S001", cast.county)
    await actions.change_school(None, cast.school, said, NOW)
    return cast


@pytest.mark.parametrize("path", ["/roster", "/settings", "/settings/terms", "/settings/places"])
async def test_pages_of_no_menu_entry_claim_none_and_say_where_they_are(
    visit: Visit, county: Cast, path: str
) -> None:
    officer = await visit("officer")
    page = (await officer.get(f"/schools/S001{path}")).text
    assert CURRENT.findall(page) == []
    (crumbs,) = CRUMBS.findall(page)
    above = "/schools/S001" if path.count("/") == 1 else "/schools/S001/settings"
    assert f'href="{above}"' in crumbs
    board = (await officer.get("/schools/S001/score/2026Q4/T2")).text
    assert set(CURRENT.findall(board)) == {"/schools/S001"}
    tokens = (await (await visit("admin")).get("/admin/tokens")).text
    assert set(CURRENT.findall(tokens)) == {"/admin/accounts"}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("clerk", "/bureaus/HILL/inbox?period=2026Q3"),
        ("clerk", "/bureaus/HILL"),
        ("clerk", "/bureaus/HILL/late"),
        ("inspector", "/inspect/schools/S001/trail"),
        ("officer", "/schools/S001/settings"),
        ("officer", "/schools/S001/roster"),
    ],
)
async def test_a_school_is_called_in_the_readers_language(
    visit: Visit, county: Cast, name: str, path: str
) -> None:
    browser = await visit(name, language="en")
    page = (await browser.get(path)).text
    assert ENGLISH in page
    # The settings show both names side by side, as they were entered.
    assert page.count("青山县实验学校") == (path == "/schools/S001/settings")


async def test_what_is_provisional_names_the_year_whose_notice_is_missing(visit: Visit, county: Cast) -> None:
    officer, clerk = await visit("officer"), await visit("clerk")
    for browser, path in (
        (officer, "/"),
        (officer, "/schools/S001?period=2026Q4"),
        (officer, "/schools/S001/score/2026Q4/T2"),
        (officer, "/schools/S001/settings?quarter=2026Q4"),
        (clerk, "/bureaus/HILL?period=2026Q4"),
    ):
        assert "2027年放假安排" in (await browser.get(path)).text, path
    assert "放假安排" not in (await officer.get("/schools/S001?period=2026Q3")).text
