"""Each role does its commonest task on a phone, in Chinese, against the real service."""

from datetime import UTC, datetime

from tests.browser.conftest import Phones, Service
from tests.browser.phone import Phone

TODAY = "2026-10-14"
WEEKLY = f'a[href*="/class_sessions/new?happened_on={TODAY}&"][href*="kind=weekly"]'
LAST_WEEK = 'a[href*="/class_sessions/new?happened_on=2026-10-11&"][href*="kind=weekly"]'
SAMPLE = f'a[href*="/food_samples/new?happened_on={TODAY}&meal=lunch"]'
GATE = 'a[href$="/duty_checkins/new?post=gate"]'
SAVE = "form.form button[type=submit]"


async def score(phone: Phone) -> float:
    """The school's total, as it stands on its board."""
    await phone.open("/schools/S001")
    return float((await phone.text(".score-number")).split("/")[0].strip())


async def choose(phone: Phone, name: str, value: str) -> None:
    """Tap one of the choices that lie side by side."""
    await phone.page.locator(f'label.choice:has(input[name="{name}"][value="{value}"])').tap()


async def test_an_officer_records_a_weekly_session(phone: Phones) -> None:
    officer = await phone("officer")
    before, due = await score(officer), 4
    await officer.open("/")
    assert await officer.page.locator(WEEKLY).count() == due
    await officer.tap(WEEKLY)
    assert await officer.page.locator("#f-class").input_value() == "一(2)班"
    await officer.page.fill("#f-topic", "过马路的规则：一停、二看、三通过")
    await choose(officer, "module", "injury")
    await officer.page.fill("#f-present", "39")
    await officer.page.fill("#f-made_up", "1")
    await officer.press_enter("#f-made_up")
    assert officer.path.startswith("/schools/S001/ledgers/class_sessions/")
    assert "过马路的规则：一停、二看、三通过" in await officer.text()
    await officer.open("/")
    assert await officer.page.locator(WEEKLY).count() == due - 1
    # This week counts when it is over; last week's is late by now, and late counts at once.
    assert await score(officer) == before
    await officer.open("/")
    await officer.page.locator(f"details:has({LAST_WEEK}) summary").first.tap()
    await officer.tap(LAST_WEEK)
    await officer.page.fill("#f-happened_on", "2026-10-10")
    await officer.page.fill("#f-topic", "台风天怎样回家")
    await choose(officer, "module", "natural")
    await officer.page.fill("#f-present", "40")
    await officer.tap(SAVE)
    assert await score(officer) > before


async def test_an_officer_records_a_food_sample(phone: Phones) -> None:
    officer = await phone("officer")
    before = await score(officer)
    await officer.open("/")
    await officer.tap(SAMPLE)
    await officer.page.fill("#f-dish", "番茄炒鸡蛋")
    await officer.page.fill("#f-grams", "150")
    await officer.tap(SAVE)
    assert "番茄炒鸡蛋" in await officer.text()
    await officer.open("/")
    assert await officer.page.locator(SAMPLE).count() == 0
    assert await score(officer) > before


async def test_a_refused_form_keeps_what_was_typed(phone: Phones) -> None:
    officer = await phone("officer")
    await officer.open("/schools/S001/ledgers/food_samples/new")
    await officer.page.fill("#f-dish", "清炒时蔬")
    await officer.page.fill("#f-grams", "0")
    await officer.tap(SAVE)
    assert await officer.page.locator("#f-dish").input_value() == "清炒时蔬"
    assert await officer.page.locator("#e-grams").is_visible()
    # A browser says of every refusal on its console that it was one.
    assert len(officer.complaints) == 1
    assert "400" in officer.complaints.pop()


async def test_a_teacher_reminds_without_touching_the_screen(phone: Phones) -> None:
    teacher = await phone("teacher")
    reminder = teacher.page.locator(f'a[href*="/daily_reminders/new?happened_on={TODAY}"]')
    assert await reminder.count() == 1
    await reminder.press("Enter")
    await teacher.page.wait_for_url("**/daily_reminders/new?**")
    await teacher.look()
    await focus(teacher, "textarea[name=text]")
    await teacher.page.keyboard.type("放学路上过马路请走斑马线")
    await focus(teacher, "button[type=submit]")
    async with teacher.page.expect_navigation():
        await teacher.page.keyboard.press("Enter")
    assert "放学路上过马路请走斑马线" in await teacher.text()
    await teacher.open("/")
    assert await reminder.count() == 0


async def focus(phone: Phone, wanted: str) -> None:
    """Press Tab until the part of the form that is meant has the focus."""
    for _ in range(60):
        await phone.page.keyboard.press("Tab")
        if await phone.page.evaluate("w => document.activeElement.matches(`main form.form ${w}`)", wanted):
            return
    raise AssertionError(f"Tab never comes to {wanted}")


async def test_a_guard_checks_in_at_the_gate(phone: Phones, service: Service) -> None:
    service.set_clock(datetime(2026, 10, 13, 23, 25, tzinfo=UTC))  # 07:25 in Shanghai
    guard = await phone("guard")
    assert await guard.page.locator(GATE).count() == 1
    await guard.tap(GATE)
    await guard.tap(SAVE)
    assert guard.path.startswith("/schools/S001/ledgers/duty_checkins/")
    await guard.open("/")
    assert await guard.page.locator(GATE).count() == 0


async def test_a_principal_signs_the_quarter(phone: Phones, service: Service) -> None:
    service.set_clock(datetime(2026, 12, 24, 2, 0, tzinfo=UTC))
    principal = await phone("principal")
    await principal.open("/schools/S001/returns")
    await principal.tap('a[href="/schools/S001/returns/2026Q4"]')
    digest = await principal.text("[data-digest]")
    await principal.page.fill("#f-comment", "情况属实，第三周起补齐安全课。")
    await principal.page.locator("label.choice-single").tap()
    await principal.tap("#sign button[type=submit]")
    signed = await principal.text("#sign")
    assert "陈校明" in signed
    assert digest in signed


async def test_an_inspector_opens_a_line_down_to_its_entries(phone: Phones) -> None:
    inspector = await phone("inspector")
    await inspector.tap('a[href="/inspect/bureaus/HILL"]')
    await inspector.tap('a[href^="/inspect/schools/S001"]')
    await inspector.tap('a[href$="/score/2026Q4/education.daily"]')
    assert "三(1)班" in await inspector.text()
    answers = 'a[href^="/inspect/schools/S001/ledgers/daily_reminders/"]'
    fold = inspector.page.locator(f"details:has({answers})").first
    if await fold.get_attribute("open") is None:
        await fold.locator("summary").tap()
    await inspector.tap(fold.locator(answers).first)
    assert "过马路请走斑马线" in await inspector.text()
    # Nothing there invites to change anything.
    assert await inspector.page.locator("main form").count() == 0
