"""What a principal, a clerk and an administrator see of a message, and what they may do about it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from litestar import Litestar

from config.app import create_app
from config.settings import Settings
from reports.delivery import peers, routes
from reports.delivery.actions import deliver_waiting
from reports.sealing.keys import pem
from reports.transports import Guarded
from reports.transports.folder import Folder
from safety.access import actions
from safety.audit.queries import verify
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples
from safety.text import Catalogue
from tests.cast import Browser
from tests.delivery.conftest import CLOSE, Desk, make_desk
from tests.signing import new_key

PAGE, BUREAU, PEERS = "/schools/S001/returns/2026Q3/delivery", "/bureaus/HILL/delivery", "/admin/peers"
LATER = CLOSE + timedelta(hours=3)
STATE = "select state, attempts, error from outbox"


@pytest.fixture
async def desk(sqlite_database: CampusEngine, tmp_path: Path) -> Desk:
    return await make_desk(tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(LATER)


@pytest.fixture
async def enter(app: Litestar, desk: Desk) -> AsyncIterator[object]:
    """`await enter("principal")`: their browser; with a language."""
    opened: list[Browser] = []

    async def of(name: str, language: str = "zh-CN") -> Browser:
        browser = Browser(app, language)
        opened.append(browser)
        return await browser.as_(desk.cast[name], LATER)

    yield of
    for browser in opened:
        await browser.aclose()


def occupied(folder: Path) -> None:
    """The name under which the file would arrive is taken."""
    folder.mkdir()
    (folder / "return-S001-2026Q3-v1.pdf").write_bytes(b"somebody else's")


async def fail(desk: Desk, folder: Path, *, dead: bool = False) -> None:
    if dead:
        occupied(folder)
    press = replace(desk.press, upward=Guarded(Folder(folder)))
    await deliver_waiting(press, CLOSE + timedelta(hours=2))


async def test_without_a_way_the_page_says_so_and_nobody_is_alarmed(desk: Desk, enter) -> None:
    principal = await enter("principal")
    shown = (await principal.get(PAGE)).text
    assert "未设置上报通道" in shown
    assert "重新发送" not in shown
    assert "份报告没有送达" not in (await (await enter("clerk")).get(BUREAU)).text


async def test_what_arrived_is_told_with_its_receipt(desk: Desk, enter, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    await deliver_waiting(replace(desk.press, upward=Guarded(Folder(tmp_path / "share"))), CLOSE)
    shown = (await (await enter("principal")).get(PAGE)).text
    assert "已送达" in shown
    assert "共享文件夹" in shown
    assert "return-S001-2026Q3-v1.pdf" in shown
    assert "有 1 份报告没有送达" not in shown


async def test_a_bureau_is_told_what_below_it_has_not_arrived(desk: Desk, enter, tmp_path: Path) -> None:
    for who, page in (("clerk", BUREAU), ("inspector", f"/inspect{BUREAU}")):
        shown = (await (await enter(who)).get(page)).text
        for said in ("青山县实验学校", "系统管理员设置上报通道", "还没有上报过季度汇总"):
            assert said in shown, said
        assert "重新发送" not in shown
    for who, status in (("officer", 403), ("outsider", 403)):
        assert (await (await enter(who)).get(f"/inspect{BUREAU}")).status_code in {status, 404}
    (tmp_path / "share").mkdir()
    await deliver_waiting(replace(desk.press, upward=Guarded(Folder(tmp_path / "share"))), CLOSE)
    shown = (await (await enter("clerk")).get(BUREAU)).text
    assert "封存的报告都已送达" in shown
    await peers.add(None, "S002", pem(new_key().certificate).decode(), tmp_path, CLOSE - timedelta(days=1))
    shown = (await (await enter("clerk", "en")).get(BUREAU)).text
    assert "its return of 2026Q3 has not come here" in shown


async def test_what_has_not_arrived_comes_some_at_a_time(
    desk: Desk, enter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await peers.add(None, "S002", pem(new_key().certificate).decode(), tmp_path, CLOSE - timedelta(days=1))
    monkeypatch.setattr(routes, "PER_PAGE", 1)
    for who, page in (("clerk", BUREAU), ("inspector", f"/inspect{BUREAU}")):
        browser = await enter(who)
        first, second = [(await browser.get(f"{page}?page={number}")).text for number in (1, 2)]
        assert [("系统管理员设置上报通道" in shown, "没有收到" in shown) for shown in (first, second)] == [
            (True, False),
            (False, True),
        ], who
        assert f'href="{page}?page=2"' in first


class TestWithAWay:
    """The installation has a way upward, which does not work yet."""

    @pytest.fixture
    def app(self, settings: Settings, clock: FixedClock, texts: Catalogue, tmp_path: Path) -> Litestar:
        from config.upstream import Upstream

        settings = replace(settings, upstream=Upstream(f"file://{tmp_path}/share"))
        return create_app(settings, clock, texts=texts, manage_database=False)

    async def test_what_is_retried_says_when_and_why(self, desk: Desk, enter, tmp_path: Path) -> None:
        await fail(desk, tmp_path / "share")
        shown = (await (await enter("officer", "en")).get(PAGE)).text
        assert "not there yet, being retried" in shown
        assert "FileNotFoundError" in shown
        assert "青山县教育局" in shown
        assert "Send again" not in shown
        assert "Send again" in (await (await enter("principal", "en")).get(PAGE)).text

    @pytest.mark.parametrize("who", ["principal", "clerk", "admin"])
    async def test_a_dead_letter_is_sent_again_by_who_may(
        self, desk: Desk, enter, tmp_path: Path, who: str
    ) -> None:
        await fail(desk, tmp_path / "share", dead=True)
        browser = await enter(who)
        path = BUREAU if who == "clerk" else PAGE
        assert "被拒收" in (await browser.get(path)).text
        answer = await browser.send_form(path, message=str(await desk.message()))
        assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?notice=delivery-again")
        assert (await fetch_tuples(None, STATE))[0][:2] == ("waiting", 0)
        (tmp_path / "share" / "return-S001-2026Q3-v1.pdf").unlink()
        press = replace(desk.press, upward=Guarded(Folder(tmp_path / "share")))
        assert (await deliver_waiting(press, LATER)).delivered == 1
        assert "已送达" in (await browser.get(PAGE)).text
        late = await browser.send_form(path, message=str(await desk.message()))
        assert late.status_code in {303, 404}
        assert await desk.state() == "delivered"
        told = "select actor_login from audit_line where action = 'delivery.sent-again'"
        assert await fetch_tuples(None, told) == [(who,)]
        assert await verify() == []

    async def test_others_may_not(self, desk: Desk, enter, tmp_path: Path) -> None:
        await fail(desk, tmp_path / "share", dead=True)
        message = str(await desk.message())
        for who, status in (("officer", 403), ("teacher", 403), ("outsider", 404), ("inspector", 403)):
            browser = await enter(who)
            assert (await browser.send_form(PAGE, message=message)).status_code == status, who
        assert await desk.state() == "dead"

    async def test_a_message_of_another_page_is_not_found(self, desk: Desk, enter, tmp_path: Path) -> None:
        await fail(desk, tmp_path / "share", dead=True)
        browser = await enter("principal")
        message = str(await desk.message())
        other = "/schools/S001/returns/2026Q2/delivery"
        assert (await browser.send_form(other, message=message)).status_code == 404
        assert (await browser.send_form(PAGE, message="x")).status_code == 400

    async def test_every_page_of_clerk_and_administrator_says_it(
        self, desk: Desk, enter, tmp_path: Path
    ) -> None:
        await fail(desk, tmp_path / "share")
        for who, path in (
            ("clerk", "/bureaus/HILL"),
            ("admin", "/admin/accounts"),
            ("clerk", "/bureaus/HILL/inbox"),
        ):
            shown = (await (await enter(who)).get(path)).text
            assert "有 1 份报告没有送达" in shown, path
        assert "份报告没有送达" not in (await (await enter("principal")).get(PAGE)).text

    async def test_the_same_for_programs(self, desk: Desk, enter, app: Litestar, tmp_path: Path) -> None:
        await fail(desk, tmp_path / "share")
        token = await actions.issue_token(None, "officer", "x", LATER)
        async with Browser(app) as browser:
            headers = {"authorization": f"Bearer {token}"}
            (track,) = (await browser.get(f"/api/v1{PAGE}", headers=headers)).json()
            assert (track["stage"], track["way"], track["attempts"]) == ("retrying", "folder", 1)
            assert (await browser.get("/api/v1/bureaus/HILL/delivery", headers=headers)).status_code in {
                403,
                404,
            }
        clerk = await actions.issue_token(None, "clerk", "x", LATER)
        async with Browser(app) as browser:
            headers = {"authorization": f"Bearer {clerk}"}
            assert (await browser.get("/api/v1/bureaus/HILL/delivery", headers=headers)).json() == []


# ---------------------------------------------------------------- other instances
async def test_an_administrator_enrols_a_sender_and_ends_its_token(desk: Desk, enter) -> None:
    admin, key = await enter("admin"), new_key()
    text = pem(key.certificate).decode()
    answer = await admin.send_form(PEERS, code="HILL", certificate=text)
    assert answer.status_code == 200
    shown = answer.text
    digest = (await fetch_tuples(None, "select token_digest, fingerprint from peer"))[0]
    assert digest[1] == key.fingerprint
    assert key.fingerprint[:4].upper() in shown
    listed = (await admin.get(PEERS)).text
    assert "青山县教育局" in listed
    assert "季度汇总，报 明州市教育局" in listed
    assert (await admin.send_form(PEERS, code="HILL", certificate=text)).status_code == 409
    number = (await fetch_tuples(None, "select id from peer"))[0][0]
    assert (await admin.send_form(f"{PEERS}/{number}/revoke")).status_code == 303
    assert "青山县教育局" not in (await admin.get(PEERS)).text
    assert (await admin.send_form(f"{PEERS}/{number}/revoke")).status_code == 404
    assert (await admin.send_form(PEERS, code="HILL", certificate=text)).status_code == 200


@pytest.mark.parametrize(
    ("code", "certificate", "said"),
    [
        ("NONE", None, "NONE"),
        ("CITY", None, "没有上级"),
        ("S001", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", "PEM"),
        ("S001", "", "PEM"),
    ],
)
async def test_what_cannot_be_enrolled_is_said(
    desk: Desk, enter, code: str, certificate: str | None, said: str
) -> None:
    admin = await enter("admin")
    text = pem(new_key().certificate).decode() if certificate is None else certificate
    answer = await admin.send_form(PEERS, code=code, certificate=text)
    assert answer.status_code == 400
    assert said in answer.text
    assert await fetch_tuples(None, "select id from peer") == []


async def test_only_administrators_see_who_may_send(desk: Desk, enter) -> None:
    for who in ("clerk", "principal", "inspector"):
        assert (await (await enter(who)).get(PEERS)).status_code == 403
