"""What every answer has, whoever asks for whatever."""

import dataclasses
import re

import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath

from config.app import ROUTERS, create_app
from config.settings import Settings
from safety.access import actions
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.text import Catalogue
from safety.web.guards import READING, at_bureau, at_school, open_to_all, requires, route_rules, signed_in
from safety.web.visit import WebRequest, visit_of
from tests.cast import NOW, Browser, Cast
from tests.web.conftest import Visit

VALUES = {"str": "S001", "int": "1", "uuid": "01234567-89ab-7def-8123-456789abcdef", "path": "x"}


@get("/broken", guards=[open_to_all()])
async def broken() -> str:
    raise ZeroDivisionError("a secret detail")


@get("/api/v1/probe", guards=[requires("officer")])
async def probe(request: WebRequest) -> dict[str, str]:
    return {"login": visit_of(request).viewer.login}


@post("/api/v1/probe", guards=[requires("officer")])
async def probe_write(request: WebRequest) -> dict[str, str]:
    return {"login": visit_of(request).viewer.login}


@get("/schools/{code:str}/probe", guards=[at_school("officer")])
async def school_probe(request: WebRequest, code: FromPath[str]) -> dict[str, int]:
    return {"school": visit_of(request).school}


@get("/bureaus/{code:str}/probe", guards=[at_bureau()])
async def bureau_probe(request: WebRequest, code: FromPath[str]) -> dict[str, int]:
    return {"bureau": visit_of(request).bureau}


@get("/sneaky", guards=[signed_in()])
async def sneaky() -> str:
    await fetch_tuples(None, "update school set name = 'x'")
    return "written"


PROBES = [broken, probe, probe_write, school_probe, bureau_probe, sneaky]


@pytest.fixture
def app(settings: Settings, clock: FixedClock, texts: Catalogue) -> Litestar:
    return create_app(settings, clock, routers=[*ROUTERS, *PROBES], texts=texts, manage_database=False)


@pytest.mark.parametrize(
    ("path", "status"), [("/no-such-thing", 404), ("/broken", 500), ("/api/v1/probe", 401), ("/login", 200)]
)
async def test_every_answer_has_the_secure_headers(visit: Visit, path: str, status: int) -> None:
    answer = await (await visit()).get(path)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in answer.headers


async def test_behind_https_cookies_are_secure_and_https_is_kept_to(
    settings: Settings, clock: FixedClock, cast: Cast
) -> None:
    https = dataclasses.replace(settings, base_url="https://safe.example.cn")
    async with Browser(create_app(https, clock, manage_database=False)) as browser:
        answer = await browser.get("/login", headers={"host": "safe.example.cn"})
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


async def test_an_error_of_ours_tells_its_reference_and_nothing_else(visit: Visit) -> None:
    browser = await visit("officer")
    answer = await browser.get("/broken")
    assert answer.status_code == 500
    assert "编号" in answer.text
    assert "secret detail" not in answer.text


async def test_an_unknown_host_is_refused(visit: Visit) -> None:
    browser = await visit("officer")
    assert (await browser.get("/", headers={"host": "evil.example"})).status_code == 400


async def test_a_body_over_the_limit_of_its_route_is_refused_with_that_limit(visit: Visit) -> None:
    browser = await visit("admin")
    answer = await browser.send_form("/admin/accounts/new", people="x" * (256 * 1024))
    assert answer.status_code == 413
    assert "最多提交 256 KB" in answer.text
    longest = await browser.send_form("/admin/accounts/new", people="张" * 25_000)
    assert longest.status_code == 400, "which is read, and wrong in itself"
    upload = await browser.post(
        "/schools/S001/ledgers/zero_reports/import",
        data={"_csrf_token": browser.csrf},
        files={"file": ("x.csv", b"x" * (20 * 1024 * 1024))},
    )
    assert upload.status_code == 413
    assert "最多提交 20 MB" in upload.text


async def test_the_api_answers_with_problems_in_the_callers_language(visit: Visit) -> None:
    browser = await visit("officer", language="en")
    answer = await browser.get("/api/v1/probe")
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json() | {"detail": ""} == {
        "type": "about:blank",
        "title": "Please sign in",
        "status": 401,
        "instance": "/api/v1/probe",
        "code": "sign-in-needed",
        "detail": "",
    }
    missing = await browser.get("/api/v1/nothing")
    assert missing.json()["status"] == 404


async def test_a_bearer_token_opens_the_api_and_needs_no_form_token(visit: Visit, cast: Cast) -> None:
    browser = await visit()
    officer = {"authorization": "Bearer " + await actions.issue_token(None, "officer", "", NOW)}
    guard = {"authorization": "Bearer " + await actions.issue_token(None, "guard", "", NOW)}
    assert (await browser.get("/api/v1/probe", headers=officer)).json() == {"login": "officer"}
    assert (await browser.post("/api/v1/probe", headers=officer)).status_code == 201
    assert (await browser.get("/api/v1/probe", headers=guard)).status_code == 403
    assert (await browser.get("/", headers=officer)).status_code == 303


async def test_a_session_cookie_does_not_open_the_api(visit: Visit) -> None:
    browser = await visit("officer")
    assert (await browser.get("/api/v1/probe")).status_code == 401


@pytest.mark.parametrize(
    ("name", "code", "status"),
    [
        ("officer", "S001", 200),
        ("officer", "S002", 404),
        ("officer", "NONE", 404),
        ("outsider", "S001", 404),
        ("guard", "S001", 403),
        ("inspector", "S001", 403),
        ("inspector", "S003", 404),
        ("admin", "S003", 200),
    ],
)
async def test_a_school_in_the_address_is_looked_up_in_the_viewers_scope(
    visit: Visit, name: str, code: str, status: int
) -> None:
    browser = await visit(name)
    assert (await browser.get(f"/schools/{code}/probe")).status_code == status


@pytest.mark.parametrize(
    ("name", "code", "status"), [("clerk", "HILL", 200), ("clerk", "CITY", 404), ("officer", "HILL", 404)]
)
async def test_so_is_a_bureau(visit: Visit, name: str, code: str, status: int) -> None:
    browser = await visit(name)
    assert (await browser.get(f"/bureaus/{code}/probe")).status_code == status


async def test_behind_an_inspectors_door_nothing_can_be_written(visit: Visit) -> None:
    assert (await (await visit("inspector")).get("/sneaky")).status_code == 500
    assert (await fetch_tuples(None, "select count(*) from school where name = 'x'")) == [(0,)]
    assert (await (await visit("officer")).get("/sneaky")).status_code == 200


async def test_language_is_asked_for_then_kept_then_the_accounts_then_the_browsers(visit: Visit) -> None:
    english = await visit("officer", language="en-GB,en;q=0.9,zh;q=0.1")
    assert "Hello" in (await english.get("/")).text
    await english.send_form("/language", language="zh")
    assert "您好" in (await english.get("/")).text
    assert "Hello" in (await english.get("/?lang=en")).text
    assert "Hello" in (await english.get("/")).text
    await english.send_form("/language", language="zh")
    assert "您好" in (await english.get("/")).text
    assert "Not found" in (await english.get("/nowhere")).text
    assert 'lang="zh-CN"' in (await english.get("/?lang=fr")).text


async def test_every_route_states_its_rule_and_open_ones_are_few(app: Litestar) -> None:
    rules = list(route_rules(app))
    assert all(item.rule for item in rules)
    open_ones = {item.path for item in rules if item.rule and item.rule.kind == "open"} - {"/broken"}
    assert {path for path in open_ones if not path.startswith("/schema")} == {
        "/static/{name:path}",
        "/healthz",
        "/readyz",
        "/login",
        "/logout",
        "/setup",
        "/verify",
        "/verify/certificate.pem",
    }


async def test_a_route_without_a_rule_stops_the_application(settings: Settings, clock: FixedClock) -> None:
    @get("/forgotten")
    async def forgotten() -> str:
        return ""

    with pytest.raises(RuntimeError, match="/forgotten"):
        create_app(settings, clock, routers=[forgotten], manage_database=False)


async def test_nobody_signed_in_gets_past_any_rule(visit: Visit, app: Litestar) -> None:
    browser = await visit()
    for item in route_rules(app):
        if item.rule is None or item.rule.kind == "open":
            continue
        path = re.sub(r"\{\w+:(\w+)\}", lambda place: VALUES[place[1]], item.path)
        for method in item.methods:
            answer = await browser.request(method, path)
            expected = {401} if path.startswith("/api/") else {303}
            assert answer.status_code in expected, (method, path)
            if method in READING and answer.status_code == 303:
                assert answer.headers["location"].startswith("/login")


async def test_static_files_are_kept_for_ever_under_their_digest(visit: Visit, app: Litestar) -> None:
    browser = await visit()
    address = app.state.kernel.assets.url("campus.css")
    answer = await browser.get(address)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    assert (await browser.get("/static/campus.css")).status_code == 404
    assert (await browser.get("/static/../../pyproject.toml")).status_code == 404


async def test_health_needs_nobody(visit: Visit) -> None:
    browser = await visit()
    assert (await browser.get("/healthz")).text == "ok"
    assert (await browser.get("/readyz")).text == "ok"


async def test_the_description_of_the_api_is_there_and_holds_no_pages(visit: Visit) -> None:
    answer = await (await visit()).get("/schema/openapi.json")
    assert answer.status_code == 200
    assert "/login" not in answer.json().get("paths", {})
