"""The printed return: really drawn by worker processes, and read back from the bytes."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import openpyxl
import pikepdf
import pytest
import pytest_asyncio
from fontTools.ttLib import TTFont

from reports.canonical import canonical
from reports.document import ReturnDocument, Words
from reports.drawing import fonts
from reports.pdf import MissingGlyph, Renderer, RenderError
from safety.text import Catalogue
from tests.sample_return import RARE, sample_return, worst_return

HAN = re.compile(r"[㐀-鿿\U00020000-\U0003ffff，。；：（）、“”〔〕《》]")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest_asyncio.fixture(scope="session")
async def renderer(data: Path) -> AsyncIterator[Renderer]:
    made = Renderer(data)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="session")
async def printed(renderer: Renderer) -> bytes:
    return await renderer.render_return(sample_return())


def read_text(pdf: bytes) -> str:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


def fonts_of(pdf: bytes) -> str:
    return subprocess.run(["pdffonts", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


def _is_font_descriptor(item: pikepdf.Object) -> bool:
    return isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/FontDescriptor"


def compact(text: str) -> str:
    return re.sub(r"\s", "", text)


def han(text: str) -> set[str]:
    return set(HAN.findall(text))


def shown_html(document: ReturnDocument, lang: str = "zh") -> str:
    """The page's words, from the same template, without drawing (and without the metadata)."""
    from functools import partial

    from reports.layout.view import view
    from reports.pdf import _jinja, _text

    text = partial(_text, Catalogue.load(strict=True), lang)
    page = _jinja().get_template("return.html").render(view=view(document, lang, text), t=text, edition="")
    return re.sub(r"<[^>]*>", "", page.split("<body>")[1])


@pytest.mark.parametrize("document", [sample_return(), worst_return()], ids=["changed", "unsigned"])
async def test_every_chinese_character_can_be_read_back(renderer: Renderer, document: ReturnDocument) -> None:
    text = read_text(await renderer.render_return(document))
    assert han(shown_html(document)) - han(text) == set()
    assert "欧阳喆昇㛃" in compact(text) or document.sign_off is None
    assert "江州县翀山镇祎堃小学" in compact(text)


async def test_what_a_reader_must_see_is_there(printed: bytes) -> None:
    text = compact(read_text(printed))
    for said in (
        "关于2026年第三季度", "江州县教育局：", "演示数据", "77.52", "合格", "其后变动3条", "超过时限报告",
        "待核实", "本系统默认值，可由主管部门调整", sample_return().facts_digest, "c3" * 32, "—1—",
    ):  # fmt: skip
        assert said in text


async def test_the_flags_of_a_bad_quarter_are_printed(renderer: Renderer) -> None:
    text = compact(read_text(await renderer.render_return(worst_return())))
    for said in (
        "未经校长签批",
        "测试",
        "演示数据",
        "逾期结转",
        "暂定（未发布）",
        "一票否决：",
        "a7" * 32,
        "第2版",
    ):
        assert said in text


async def test_it_is_four_pages_at_most(printed: bytes, renderer: Renderer) -> None:
    for pdf in (printed, await renderer.render_return(worst_return())):
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            assert 2 <= len(opened.pages) <= 4


async def test_an_english_edition_speaks_english_only(renderer: Renderer) -> None:
    base = sample_return()
    units = tuple(msgspec.structs.replace(item, unit="") for item in base.exceptions)
    document = sample_return(exceptions=units, sign_off=None)
    text = read_text(await renderer.render_return(document, "en"))
    assert "Report on safe-campus work" in text
    assert not re.findall(r"[一-鿿]", text)


async def test_the_data_and_a_workbook_of_it_are_attached(printed: bytes) -> None:
    with pikepdf.open(io.BytesIO(printed)) as opened:
        data, book = opened.Root.AF
        assert (data.AFRelationship, str(data.UF)) == (pikepdf.Name.Data, "return.json")
        assert (book.AFRelationship, str(book.UF)) == (pikepdf.Name.Supplement, "return.xlsx")
        assert opened.attachments["return.json"].get_file().read_bytes() == canonical(sample_return())
        assert opened.attachments["return.json"].get_file().mime_type == "application/json"
        workbook = opened.attachments["return.xlsx"].get_file()
        assert workbook.mime_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        sheet = openpyxl.load_workbook(io.BytesIO(workbook.read_bytes()))["事实 Facts"]
        assert sheet.max_row == len(sample_return().facts) + 1


async def test_an_edition_in_english_has_the_same_attachments(renderer: Renderer, printed: bytes) -> None:
    english = await renderer.render_return(sample_return(), "en")
    with pikepdf.open(io.BytesIO(printed)) as zh, pikepdf.open(io.BytesIO(english)) as en:
        for name in ("return.json", "return.xlsx"):
            assert (
                zh.attachments[name].get_file().read_bytes() == en.attachments[name].get_file().read_bytes()
            )


async def test_the_address_of_the_verification_page_is_part_of_the_bytes(data: Path, printed: bytes) -> None:
    here, there = (
        Renderer(data, size=1, base_url=url) for url in ("https://a.example.cn", "https://b.example.cn")
    )
    try:
        coded = await here.render_return(sample_return())
        draft = await here.render_return(sample_return(draft=True))
        assert coded == await here.render_return(sample_return())
        assert coded not in {printed, await there.render_return(sample_return())}
    finally:
        await asyncio.gather(here.close(), there.close())
    assert f"a.example.cn/verify?d={sample_return().facts_digest}" in compact(read_text(coded))
    assert "verify?d=" not in read_text(draft)


async def test_it_says_it_is_pdf_a_3_and_carries_its_own_dates(printed: bytes) -> None:
    with pikepdf.open(io.BytesIO(printed)) as opened:
        with opened.open_metadata() as metadata:
            assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
            assert metadata["pdfuaid:part"] == "1"
        assert str(opened.docinfo.CreationDate).startswith("D:20260930160005")
        assert bool(opened.Root.MarkInfo.Marked)


async def test_the_same_return_gives_the_same_bytes_from_another_worker(data: Path, printed: bytes) -> None:
    other = Renderer(data, size=1)
    try:
        assert await other.render_return(sample_return()) == printed
    finally:
        await other.close()


async def test_only_our_fonts_are_embedded(printed: bytes) -> None:
    names = fonts_of(printed)
    families = {line.split()[0].split("+")[1] for line in names.splitlines()[2:]}
    assert families <= {"Campus-Song", "Campus-Hei", "Noto-Serif-SC", "Noto-Sans-SC"}
    assert "no " not in "".join(line[55:60] for line in names.splitlines()[2:])


async def test_embedded_fonts_number_their_glyphs_as_the_text_does(renderer: Renderer) -> None:
    # 䶮 and 㐂 are drawn from the full files, the rest from the subsets.
    named = msgspec.structs.replace(sample_return().school, name=Words(zh="江州县㐂䶮小学"))
    pdf = await renderer.render_return(sample_return(school=named))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        files = [item.FontFile3.read_bytes() for item in opened.objects if _is_font_descriptor(item)]
    assert len(files) >= 3
    for file in files:
        order = TTFont(io.BytesIO(file)).getGlyphOrder()
        assert order == [".notdef", *(f"cid{number:05d}" for number in range(1, len(order)))]


@pytest.mark.parametrize("character", ["🙂", "\U000323af", "\ue000"])
async def test_a_missing_glyph_names_the_character_and_the_place(renderer: Renderer, character: str) -> None:
    await renderer.render_return(sample_return())
    before = renderer.pids
    bad = msgspec.structs.replace(sample_return().school, name=Words(zh=f"第{character}小学"))
    with pytest.raises(MissingGlyph) as caught:
        await renderer.render_return(sample_return(school=bad))
    assert (caught.value.character, caught.value.place) == (character, "school.name.zh")
    assert renderer.pids == before


async def test_zero_width_marks_pasted_with_a_name_do_not_print(renderer: Renderer) -> None:
    named = msgspec.structs.replace(sample_return().school, name=Words(zh="江州\u200b县\ufeff小学"))
    text = read_text(await renderer.render_return(sample_return(school=named)))
    assert "江州县小学" in compact(text)
    assert "\u200b" not in text


async def test_markup_in_a_name_is_printed_and_not_obeyed(renderer: Renderer) -> None:
    name = '<img src="file:///etc/passwd"><b>第一</b>小学&amp;'
    named = msgspec.structs.replace(sample_return().school, name=Words(zh=name))
    assert compact(name) in compact(read_text(await renderer.render_return(sample_return(school=named))))


async def test_a_worker_that_hangs_is_killed_and_replaced(data: Path) -> None:
    renderer = Renderer(data, size=1, time_limit=30)
    try:
        await renderer.render_return(sample_return())
        (hung,) = renderer.pids
        os.kill(hung, signal.SIGSTOP)
        renderer._workers().time_limit = 0.5
        with pytest.raises(RenderError) as caught:
            await renderer.render_return(sample_return())
        assert caught.value.why == "timeout"
        assert not _alive(hung)
        renderer._workers().time_limit = 30
        assert await renderer.render_return(sample_return())
        assert renderer.pids != (hung,)
    finally:
        await renderer.close()


async def test_a_worker_killed_while_idle_costs_no_document(data: Path, printed: bytes) -> None:
    renderer = Renderer(data, size=1)
    try:
        await renderer.render_return(sample_return())
        os.kill(renderer.pids[0], signal.SIGKILL)
        assert await renderer.render_return(sample_return()) == printed
    finally:
        await renderer.close()


async def test_a_cancelled_document_does_not_answer_the_next_one(data: Path, printed: bytes) -> None:
    renderer = Renderer(data, size=1)
    try:
        first = asyncio.create_task(renderer.render_return(worst_return()))
        await asyncio.sleep(0.3)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert await renderer.render_return(sample_return()) == printed
    finally:
        await renderer.close()


async def test_close_leaves_no_process_behind(data: Path) -> None:
    renderer = Renderer(data)
    await asyncio.gather(*(renderer.render_return(sample_return()) for _ in range(3)))
    pids = renderer.pids
    assert len(pids) == 2
    await renderer.close()
    assert not any(_alive(pid) for pid in pids)


async def test_workers_end_when_the_service_is_killed(data: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from reports.pdf import Renderer\n"
        "from tests.sample_return import sample_return\n"
        "async def main():\n"
        "    renderer = Renderer(pathlib.Path(sys.argv[1]))\n"
        "    await renderer.render_return(sample_return())\n"
        "    print(*renderer.pids, flush=True)\n"
        "    await renderer.render_return(sample_return())\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(data), stdout=asyncio.subprocess.PIPE
    )
    assert service.stdout is not None
    pids = [int(word) for word in (await service.stdout.readline()).split()]
    service.kill()
    await service.wait()
    assert pids
    assert await asyncio.to_thread(_gone, pids)


async def test_the_workers_know_no_secret(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFE_CAMPUS_SECRET_KEY", "not for them")
    renderer = Renderer(data, size=1)
    try:
        await renderer.render_return(sample_return())
        environment = _environment(renderer.pids[0])
        assert b"SAFE_CAMPUS_" not in environment
        assert str(data).encode() in environment
    finally:
        await renderer.close()


def test_the_service_itself_does_not_load_weasyprint() -> None:
    code = "import reports.pdf, sys; sys.exit('weasyprint' in sys.modules or 'fontTools' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_outside_may_be_fetched(data: Path) -> None:
    code = (
        "from reports.pdf import Drawer\n"
        "drawer = Drawer()\n"
        "page = drawer._weasyprint.HTML(string='<img src=\"file:///etc/passwd\">', url_fetcher=drawer._fetcher)\n"
        "try:\n    page.write_pdf()\n"
        "except BaseException as error:\n    print(type(error).__name__, error)\n"
    )
    environment = {**os.environ, "FONTCONFIG_FILE": str(fonts.prepare(data).configuration)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert b"may not load file:///etc/passwd" in done.stdout


def test_fonts_are_made_once_and_are_complete(data: Path) -> None:
    first = fonts.prepare(data)
    made = {file: file.stat().st_mtime_ns for file in first.folder.rglob("*.otf")}
    assert len(made) == 4
    assert fonts.prepare(data) == first
    assert made == {file: file.stat().st_mtime_ns for file in first.folder.rglob("*.otf")}
    assert fonts.first_undrawable(RARE + "".join(sorted(fonts.gb2312()))) is None


def test_doctor_sees_fonts_and_libraries_and_names_what_is_missing(data: Path) -> None:
    assert {check.code: check.ok for check in fonts.check(data)} == {
        "pango": True, "pangoft2": True, "harfbuzz": True, "harfbuzz-subset": True, "fonts": True,
    }  # fmt: skip

    def without_subsetter(name: str) -> object:
        if "subset" in name:
            raise OSError(f"{name}: cannot open shared object file")
        return object()

    bad = [check for check in fonts.check(data, load=without_subsetter) if not check.ok]
    assert [check.code for check in bad] == ["harfbuzz-subset"]
    assert "libharfbuzz-subset0" in bad[0].detail


def _environment(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def _gone(pids: list[int]) -> bool:
    """Whether all of them ended, zombies included, within ten seconds."""
    deadline = time.monotonic() + 10
    while any(_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not any(_alive(pid) for pid in pids)


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
