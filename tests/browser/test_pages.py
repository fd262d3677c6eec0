"""Every page on a phone: nothing wider than the screen, no error on the console, in both languages."""

import pytest

from tests.browser.conftest import Phones, Service

SCHOOL = "/schools/S001"
PAGES = {
    "officer": [
        "/",
        SCHOOL,
        f"{SCHOOL}?period=2026Q3",
        f"{SCHOOL}/score/2026Q3/education.daily",
        f"{SCHOOL}/score/2026Q3/T2",
        f"{SCHOOL}/score/2026Q3/compare?day=2026-07-01",
        f"{SCHOOL}/ledgers",
        f"{SCHOOL}/ledgers/daily_reminders",
        f"{SCHOOL}/ledgers/duty_checkins",
        f"{SCHOOL}/ledgers/purchase_batches/new",
        f"{SCHOOL}/ledgers/incidents",
        f"{SCHOOL}/ledgers/incidents/new",
        f"{SCHOOL}/ledgers/drills/new",
        f"{SCHOOL}/ledgers/food_samples/import",
        f"{SCHOOL}/roster",
        f"{SCHOOL}/settings",
        f"{SCHOOL}/settings/classes",
        f"{SCHOOL}/settings/terms",
        f"{SCHOOL}/settings/days",
        f"{SCHOOL}/returns",
        "/password",
    ],
    "canteen": ["/", f"{SCHOOL}/ledgers"],
    "leader": ["/", SCHOOL],
    "clerk": [
        "/",
        "/bureaus/HILL",
        "/bureaus/HILL/incidents",
        "/bureaus/HILL/late",
        "/bureaus/HILL/inbox",
        "/bureaus/HILL/delivery",
    ],
    "inspector": [
        "/",
        "/inspect",
        "/inspect/queries",
        "/inspect/bureaus/HILL/delivery",
        "/inspect/bureaus/HILL",
        "/inspect/bureaus/HILL/incidents",
        "/inspect/bureaus/HILL/late",
        "/inspect/schools/S001",
        "/inspect/schools/S001/ledgers/class_sessions",
        "/inspect/schools/S001/trail",
        "/notes/schools/S001",
        "/notes/schools/S001/samples",
        "/notes/schools/S001/new?period=2026Q3&line=T2",
    ],
    "admin": ["/", "/admin/accounts", "/admin/accounts/new", "/admin/tokens", "/bureaus/HILL/schools/new"],
}


@pytest.mark.parametrize("login", PAGES)
async def test_pages_fit_a_phone(phone: Phones, login: str) -> None:
    visitor = await phone(login)
    for path in PAGES[login]:
        for lang in ("en", "zh"):
            await visitor.open(f"{path}{'&' if '?' in path else '?'}lang={lang}")


RETURNS = {
    "officer": [f"{SCHOOL}/returns", f"{SCHOOL}/returns/2026Q3"],
    "clerk": [
        "/",
        "/bureaus/HILL/rollups?period=2026Q3",
        "/bureaus/HILL/rollups/day",
        f"{SCHOOL}/adjustments/2026Q3",
        "/bureaus/HILL?period=2026Q3",
        "/bureaus/HILL/inbox?period=2026Q3",
        "/bureaus/HILL/delivery",
    ],
    "inspector": [
        "/inspect/bureaus/HILL/rollups?period=2026Q3",
        "/inspect/schools/S001/adjustments/2026Q3",
        "/inspect/schools/S001/returns/2026Q3",
        "/inspect/bureaus/HILL/delivery",
        "/inspect/bureaus/HILL/inbox?period=2026Q3",
    ],
}


INSIDE = """found => found.map(one => one.getBoundingClientRect().right
 <= one.closest(".chart-box").getBoundingClientRect().right)"""


async def test_a_closed_quarter_fits_a_phone(phone: Phones, service: Service) -> None:
    service.command("return", "close", "2026Q3")
    for login, paths in RETURNS.items():
        visitor = await phone(login)
        for path in paths:
            for lang in ("en", "zh"):
                await visitor.open(f"{path}{'&' if '?' in path else '?'}lang={lang}")
    pdf = visitor.page.locator('a[href$="/pdf"]').first
    answer = await visitor.page.request.get(service.address + (await pdf.get_attribute("href") or ""))
    assert (await answer.body()).startswith(b"%PDF-1.7")
    await visitor.open("/inspect/bureaus/HILL/rollups?period=2026Q3")
    # The chart is seen whole, not cut off at the edge of its box.
    assert await visitor.page.locator(".chart-box svg").evaluate_all(INSIDE) == [True, True]
