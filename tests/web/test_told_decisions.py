"""What a bureau on another instance decided, on the pages of the school: as if it had been decided here."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from litestar import Litestar

from reports.actions import seal
from reports.delivery import decided, receipts
from reports.delivery.inquiries import ask_due
from reports.delivery.signed import BadAnswer, check, issue
from reports.sealing.keys import SigningKey
from reports.transports import Envelope, Receipt, Told, TransportError
from reports.transports.folder import Folder
from safety.access import actions
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples
from safety.ids import new_id
from tests.cast import Browser
from tests.delivery.conftest import CLOSE, Q3, Desk, make_desk
from tests.signing import new_key

RETURN = "/schools/S001/returns/2026Q3"
PAGE = f"{RETURN}/delivery"
NOW = CLOSE + timedelta(hours=3)
BACK = "第三周缺安全课，请说明原因。"


@dataclass
class Elsewhere:
    """A way to a bureau that takes everything, and says of it what it is told to say."""

    key: SigningKey
    decisions: tuple[decided.Decision, ...] = ()
    kept: str = ""
    trusted: SigningKey = field(init=False)
    name = "https"
    place = "https://bureau.example"

    def __post_init__(self) -> None:
        self.trusted = self.key

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        body = receipts.Body(
            new_id(), envelope.message, envelope.kind, envelope.sender, "HILL", envelope.period, envelope.version,
            envelope.bytes_digest, len(content), envelope.now,
        )  # fmt: skip
        self.kept = issue(body, self.key)
        return Receipt(body.number, body.bytes_digest, body.received_at, self.name, self.kept)

    async def ask(self, message: UUID) -> Told:
        del message
        answer = issue(decided.Body(self.kept, self.decisions), self.key)
        try:
            return Told(check(answer.encode(), decided.Body, self.trusted.certificate), answer)
        except BadAnswer as error:
            raise TransportError(str(error)) from error

    def decides(self, outcome: decided.Outcome, reasons: str = "", **lines: str) -> None:
        named = tuple(decided.LineReason(line.replace("_", "."), text) for line, text in lines.items())
        at = CLOSE + timedelta(hours=2, minutes=len(self.decisions))
        made = decided.Decision(new_id(), outcome, reasons, named, "孙经办", at)
        self.decisions = (*self.decisions, made)


@pytest.fixture
async def desk(sqlite_database: CampusEngine, tmp_path: Path) -> Desk:
    return await make_desk(tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def bureau(desk: Desk) -> Elsewhere:
    """The first version is there, and was asked about."""
    bureau = Elsewhere(new_key("青山县教育局"))
    assert await desk.round(bureau) == 1
    assert await desk.asks(bureau) == 0
    return bureau


@pytest.fixture
async def enter(app: Litestar, desk: Desk) -> AsyncIterator[object]:
    """`await enter("principal")`: their browser."""
    opened: list[Browser] = []

    async def of(name: str, language: str = "zh-CN") -> Browser:
        browser = Browser(app, language)
        opened.append(browser)
        return await browser.as_(desk.cast[name], NOW)

    yield of
    for browser in opened:
        await browser.aclose()


def check_receipt(bureau: Elsewhere) -> receipts.Body:
    return check(bureau.kept.encode(), receipts.Body, bureau.key.certificate)


async def test_until_it_is_decided_the_page_says_that_it_is_asked_for(desk: Desk, bureau, enter) -> None:
    shown = (await (await enter("principal")).get(PAGE)).text
    assert "系统自动向对方系统查询是否受理" in shown
    assert "可采信的答复" not in shown
    assert (
        "This program asks the other instance by itself"
        in (await (await enter("officer", "en")).get(PAGE)).text
    )
    assert "待教育局受理" in (await (await enter("principal")).get(RETURN)).text


async def test_returned_it_is_corrected_like_one_that_was_returned_here(
    desk: Desk, bureau: Elsewhere, enter
) -> None:
    bureau.decides("returned", BACK, education_weekly="缺二年级")
    assert await desk.asks(bureau) == 1
    for who in ("officer", "principal"):
        browser = await enter(who)
        assert "退回补正" in (await browser.get("/schools/S001/returns")).text
        home = (await browser.get("/")).text
        assert f"{RETURN}/correction" in home, who
        shown = (await browser.get(RETURN)).text
        assert BACK in shown
        assert "缺二年级" in shown
        assert "孙经办" in shown
        assert BACK in (await browser.get(f"{RETURN}/correction")).text
    inspector = await enter("inspector")
    assert BACK in (await inspector.get(f"/inspect{RETURN}")).text
    pack = zipfile.ZipFile(io.BytesIO((await inspector.get(f"/inspect{RETURN}/pack")).content))
    (received,) = json.loads(pack.read("received.json"))
    told = (received["version"], received["outcome"], received["reasons"], received["receipt"])
    assert told == (1, "returned", BACK, str(check_receipt(bureau).number))


async def test_accepted_and_withdrawn(desk: Desk, bureau: Elsewhere, enter) -> None:
    browser = await enter("principal")
    bureau.decides("accepted")
    assert await desk.asks(bureau) == 1
    assert "待教育局受理" not in (await browser.get(RETURN)).text
    assert "受理" in (await browser.get(RETURN)).text
    bureau.decides("withdrawn", "点错了")
    assert await desk.asks(bureau, timedelta(days=1)) == 1
    assert "待教育局受理" in (await browser.get(RETURN)).text


async def test_an_answer_that_was_not_taken_is_told_on_the_page(desk: Desk, bureau: Elsewhere, enter) -> None:
    bureau.decides("returned", BACK)
    bureau.key = new_key("somebody else")
    assert await desk.asks(bureau) == 0
    browser = await enter("principal")
    shown = (await browser.get(PAGE)).text
    assert "没有得到可采信的答复" in shown
    assert "another certificate" in shown
    assert BACK not in (await browser.get(RETURN)).text


async def test_what_one_answer_breaks_does_not_keep_the_others_from_being_asked_about(
    desk: Desk, enter, caplog: pytest.LogCaptureFixture
) -> None:
    assert await seal(desk.cast.other_school, Q3, CLOSE)
    bureau = Elsewhere(new_key("青山县教育局"))
    assert await desk.round(bureau) == 2
    first, second = await fetch_tuples(None, "select message from receipt order by stored_at, message")
    asked: list[UUID] = []

    async def breaks(message: UUID) -> Told:
        asked.append(message)
        raise ZeroDivisionError("a fault of this program")

    bureau.ask = breaks  # type: ignore[method-assign]
    assert await desk.asks(bureau) == 0
    assert sorted(asked) == sorted([*first, *second])
    assert "Traceback" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "没有得到可采信的答复" in (await (await enter("principal")).get(PAGE)).text


async def test_where_no_decision_comes_back_the_page_says_so_and_offers_nothing(
    desk: Desk, enter, tmp_path: Path
) -> None:
    (tmp_path / "share").mkdir()
    way = Folder(tmp_path / "share")
    assert await desk.round(way) == 1
    assert await ask_due(replace(desk.press, upward=way), desk.now) == 0
    shown = (await (await enter("principal")).get(PAGE)).text
    assert "带不回受理或退回的结果" in shown
    assert "查询是否受理" not in shown
    assert "重新发送" not in shown


async def test_programs_are_told_when_it_was_asked_for(desk: Desk, bureau: Elsewhere, app: Litestar) -> None:
    async def read() -> dict[str, object]:
        token = await actions.issue_token(None, "principal", "told", NOW)
        async with Browser(app) as browser:
            headers = {"authorization": f"Bearer {token}"}
            (track,) = (await browser.get(f"/api/v1{PAGE}", headers=headers)).json()
        return {name: track[name] for name in track if name.startswith("decision_")}

    assert await read() == {
        "decision_asked_at": "2026-10-01T02:00:00+08:00",
        "decision_next_at": "2026-10-01T03:00:00+08:00",
        "decision_error": "",
    }
    bureau.key = new_key("somebody else")
    await desk.asks(bureau)
    assert "another certificate" in str((await read())["decision_error"])
