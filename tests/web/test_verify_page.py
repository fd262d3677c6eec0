"""The page where anybody checks a return: without signing in, and without a trace."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from litestar import Litestar

from reports import files, press
from reports.actions import seal
from reports.pdf import Renderer
from reports.press import Press
from reports.sealing.keys import fingerprint, in_groups
from reports.verification.routes import LARGEST, WAITING
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.ids import new_id
from safety.jobs.owner import me
from tests.cast import Browser, Cast
from tests.county import make_county
from tests.web.conftest import Visit

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
PAGE = "/verify"
RETURNS = """select r.id, r.facts_digest from school_return r join school s on s.id = r.school
where s.code = 'S001' order by r.version"""
ANOTHER = """insert into school_return (id, school, bureau, period, version, status, document, document_digest,
facts_digest, previous_digest, total, grade, sign_off, sealed_at, closed_late, made_up, test_clock)
select $1, school, bureau, period, 2, status, document, document_digest, facts_digest, document_digest, total, grade,
sign_off, sealed_at, closed_late, made_up, test_clock from school_return where id = $2"""


async def send(browser: Browser, content: bytes | None, name: str = "return.pdf", **fields: str):
    """Fill the page's form in and send it."""
    await browser.get(PAGE)
    given = {"file": (name, content, "application/pdf")} if content is not None else None
    return await browser.post(PAGE, data={"_csrf_token": browser.csrf, **fields}, files=given)


def kept_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.fixture
async def stranger(visit: Visit) -> Browser:
    """Somebody who has no account here."""
    return await visit()


async def test_anybody_gets_the_page_and_the_certificate(stranger: Browser, app: Litestar) -> None:
    page = await stranger.get(PAGE)
    assert page.status_code == 200
    got = await stranger.get(f"{PAGE}/certificate.pem")
    certificate = x509.load_pem_x509_certificate(got.content)
    assert in_groups(fingerprint(certificate)) in page.text
    assert b"PRIVATE" not in got.content


async def test_what_is_no_return_is_told_so(stranger: Browser) -> None:
    answer = await send(stranger, b"%PDF-1.7\nnothing")
    assert answer.status_code == 200
    assert "不能确认属实" in answer.text
    assert "没有签名" in answer.text
    assert "属实：" not in answer.text.replace("不能确认属实：", "")


async def test_without_a_file_it_asks_for_one(stranger: Browser) -> None:
    answer = await send(stranger, None)
    assert answer.status_code == 400
    assert "请选择文件" in answer.text


async def test_a_file_that_is_too_large_is_not_read(stranger: Browser) -> None:
    assert (await send(stranger, bytes(LARGEST + 1))).status_code == 413


async def test_the_form_must_be_this_pages(stranger: Browser) -> None:
    await stranger.get(PAGE)
    answer = await stranger.post(PAGE, data={"_csrf_token": "x"}, files={"file": ("x.pdf", b"x")})
    assert answer.status_code == 403


async def test_nothing_of_it_is_kept(stranger: Browser, tmp_path: Path) -> None:
    await stranger.get(PAGE)
    before = kept_in(tmp_path)
    await send(stranger, b"%PDF-1.7\n" + bytes(900_000))
    assert kept_in(tmp_path) == before


async def test_when_many_wait_the_next_is_asked_to_come_again(
    stranger: Browser, app: Litestar, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = asyncio.Event()

    async def slow(*given: object) -> None:
        del given
        await held.wait()
        raise AssertionError("nobody waits for this")

    monkeypatch.setattr("reports.verification.routes.verify", slow)
    desk, renderer = app.state.desk, app.state.renderer
    waiting = [asyncio.create_task(desk.check(b"", renderer)) for _ in range(WAITING)]
    await asyncio.sleep(0)
    answer = await send(stranger, b"%PDF-")
    assert answer.status_code == 503
    assert "稍后再试" in answer.text
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    monkeypatch.undo()
    assert (await send(stranger, b"%PDF-")).status_code == 200


# ---------------------------------------------------------------- a real one
@pytest.fixture
async def sealed(cast: Cast, app: Litestar, tmp_path: Path) -> AsyncIterator[bytes]:
    """The file of S001's return, drawn and sealed; the other schools' are not drawn."""
    await make_county(cast, CLOSE)
    renderer = Renderer(tmp_path, base_url="https://safe.example.cn")
    made = Press(tmp_path, renderer, me(), key=await app.state.desk.key())
    await seal(cast.school, Q3, CLOSE)
    try:
        rows = await fetch_tuples(None, RETURNS)
        file = await press.sealed_file(made, rows[0][0], CLOSE + timedelta(minutes=2))
        yield files.read(tmp_path, file.bytes_digest)
    finally:
        await renderer.close()
        await app.state.renderer.close()


async def test_a_genuine_return_and_the_newer_version_of_it(stranger: Browser, sealed: bytes) -> None:
    answer = await send(stranger, sealed, "季报.pdf")
    assert answer.status_code == 200
    for said in ("属实：签名有效", "季报.pdf", "S001", "2026Q3，第1版", "逐字节相同", "最新版本"):
        assert said in answer.text
    assert "不能确认属实" not in answer.text
    first = (await fetch_tuples(None, RETURNS))[0][0]
    await fetch_tuples(None, ANOTHER, [new_id(), first])
    again = await send(stranger, sealed)
    assert "已有更新的第2版" in again.text
    assert "属实：签名有效" in again.text


async def test_a_changed_return_says_nothing_of_itself(stranger: Browser, sealed: bytes) -> None:
    answer = await send(stranger, sealed.replace(b"/StructParents 0", b"/StructParents 1"))
    assert "签署之后内容被改动" in answer.text
    assert "S001" not in answer.text


async def test_the_code_on_paper_leads_to_what_is_known_here(stranger: Browser, sealed: bytes) -> None:
    digest = (await fetch_tuples(None, RETURNS))[0][1]
    page = await stranger.get(f"{PAGE}?d={digest}")
    assert "青山县实验学校，2026Q3，第1版" in page.text
    assert "尚未送达" in page.text
    assert digest in page.text
    other = await stranger.get(f"{PAGE}?d={'0' * 64}")
    assert "本系统没有摘要" in other.text
    for odd in ("", "x", "<script>", "0" * 63, "%00" * 64):
        assert "本系统没有摘要" not in (await stranger.get(f"{PAGE}?d={odd}")).text
