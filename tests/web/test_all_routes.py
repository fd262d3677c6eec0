"""Every route of the application, asked by those who must not pass.

For ids that exist, an officer of another school and an inspector are answered 403 or 404 on every route, except:

- for both: what is open to everybody (sign-in, static files, health, the API's description) and what is one's own
  (the first page, password, language, signing out);
- for the inspector: reading (GET) under `/inspect`, and their own notes and samples under `/notes`, of the bureau and
  schools that are theirs.

An inspector of another bureau passes nowhere.
"""

import re
from collections.abc import Iterator

import pytest
from litestar import Litestar, get

from config.app import ROUTERS, create_app
from config.settings import Settings
from reports.actions import seal
from reports.life import scans
from reports.life.scans import attach
from safety.access import actions
from safety.access.actions import NewPerson, NewRole, create_accounts
from safety.access.queries import scope_of_login
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.education.tables import ClassSession
from safety.web.guards import RouteRule, route_rules
from tests.cast import NOW, Browser, Cast
from tests.county import entry_of, make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
OWN = {"/", "/password", "/language", "/logout"}
REFUSED = {403, 404}


@pytest.fixture
async def county(cast: Cast, settings: Settings) -> Cast:
    await make_county(cast)
    await seal(cast.school, Q3, NOW)
    await attach(cast["officer"], cast.school, Q3, 1, b"%PDF-1.7 stamped", settings.data, NOW)
    return cast


async def values(cast: Cast) -> dict[str, str]:
    """Something that exists at S001 or its bureau for every placeholder of an address."""
    term = (await fetch_tuples(None, "select id from term where school = $1", [cast.school]))[0][0]
    assert term == 1  # the number of the sealed version, too
    return {
        "ledger:str": "class_sessions",
        "entry_id:uuid": str(await entry_of(ClassSession, cast.school)),
        "period:str": "2026Q3",
        "line:str": "education.weekly",
        "login:str": "guard",
        "kind:str": "term",
        "number:int": str(term),
        "scan:uuid": str((await scans.of_return(cast["officer"], cast.school, Q3))[0].id),
        # What was received is made by the returns' own tests; any id will do for who is not let in at all.
        "item:uuid": "01234567-89ab-7def-8123-456789abcdef",
        "message:uuid": "01234567-89ab-7def-8123-456789abcdef",
        "path:str": "x",
        "name:path": "x",
    }


def addresses(app: Litestar, known: dict[str, str]) -> Iterator[tuple[RouteRule, str, str]]:
    """Every route that asks who somebody is, with each of its methods and an address that exists."""
    for route in route_rules(app):
        assert route.rule is not None
        if route.rule.kind == "open" or route.path in OWN:
            continue
        path = route.path
        for place in re.findall(r"\{([^}]+)\}", route.path):
            name = "HILL" if "/bureaus/" in route.path else "S001"
            path = path.replace("{" + place + "}", known[place] if place != "code:str" else name)
        for method in sorted(route.methods):
            yield route, method, path


async def ask(browser: Browser, method: str, path: str, token: str) -> int:
    """The status of one request, with a form token that is right, or as a program with a bearer token."""
    if path.startswith("/api/"):
        headers = {"authorization": f"Bearer {token}", "idempotency-key": "walk-all-routes"}
        return (await browser.request(method, path, headers=headers, json={})).status_code
    if method == "GET":
        return (await browser.get(path)).status_code
    return (await browser.send_form(path)).status_code


async def walk(app: Litestar, browser: Browser, login: str, known: dict[str, str]) -> dict[str, int]:
    token = await actions.issue_token(None, login, "walk", NOW)
    return {
        f"{method} {path}": await ask(browser, method, path, token)
        for _, method, path in addresses(app, known)
    }


async def test_an_officer_of_another_school_passes_nowhere(visit: Visit, app: Litestar, county: Cast) -> None:
    answers = await walk(app, await visit("outsider"), "outsider", await values(county))
    assert len(answers) > 60
    assert {path: status for path, status in answers.items() if status not in REFUSED} == {}


async def test_an_inspector_reads_under_inspect_and_passes_nowhere_else(
    visit: Visit, app: Litestar, county: Cast
) -> None:
    answers = await walk(app, await visit("inspector"), "inspector", await values(county))
    outside = {
        path: status for path, status in answers.items() if not re.match(r"GET /inspect|\w+ /notes/", path)
    }
    assert {path: status for path, status in outside.items() if status not in REFUSED} == {}
    inside = {path: status for path, status in answers.items() if path.startswith("GET /inspect")}
    files = {path for path in inside if path.endswith(("/pdf", "/pack"))}
    assert {
        path: status for path, status in inside.items() if path not in files and status not in {200, 303}
    } == {}


async def test_an_inspector_of_another_bureau_passes_nowhere(
    visit: Visit, app: Litestar, county: Cast
) -> None:
    await create_accounts(
        None,
        [NewPerson("faraway", "远督查", (NewRole("inspector", bureau=county.river),), one_time=False)],
        NOW,
    )
    scope = await scope_of_login("faraway", NOW)
    assert scope is not None
    browser = await (await visit()).as_(scope)
    answers = await walk(app, browser, "faraway", await values(county))
    let_in = {path: status for path, status in answers.items() if status not in REFUSED}
    # Their own way in leads to their own bureau's board, and their own queries are at their own schools.
    assert let_in == {"GET /inspect": 303, "GET /inspect/queries": 200}


async def test_nobody_is_sent_to_sign_in(visit: Visit, app: Litestar, county: Cast) -> None:
    browser = await visit()
    for _, method, path in addresses(app, await values(county)):
        if not path.startswith("/api/") and method == "GET":
            answer = await browser.get(path)
            assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), path


def test_a_route_without_a_rule_is_refused(settings: Settings, clock: FixedClock) -> None:
    @get("/schools/{code:str}/forgotten")
    async def forgotten() -> str:
        return "everybody may read this"

    with pytest.raises(RuntimeError, match=r"/schools/.*forgotten"):
        create_app(settings, clock, routers=[*ROUTERS, forgotten], manage_database=False)
