"""The printed roll-up: really drawn, read back from the bytes, and held to PDF/A-3a and PDF/UA-1."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pikepdf
import pytest

from reports.canonical import canonical
from reports.kinds import RollupJob
from reports.pdf import Renderer
from reports.rollup.document import RollupDocument
from tests.reports.verapdf import validate
from tests.sample_rollup import sample_city, sample_rollup


@pytest.fixture(scope="module")
async def renderer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Renderer]:
    made = Renderer(tmp_path_factory.mktemp("data"))
    yield made
    await made.close()


async def drawn(renderer: Renderer, document: RollupDocument, lang: str = "zh") -> bytes:
    return await renderer.render(RollupJob(document, lang))  # type: ignore[arg-type]


def pages_of(pdf: bytes) -> list[str]:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return [re.sub(r"\s", "", page) for page in done.stdout.decode().split("\f")[:-1]]


async def test_what_a_reader_must_see_is_there(renderer: Renderer) -> None:
    document = sample_rollup()
    text = "".join(pages_of(await drawn(renderer, document)))
    means = document.figures.means
    for said in (
        "江州县教育局", "明州市教育局：", "汇总报告", "演示数据", "已报送23所", "未报送1所", f"平均{means.own}分",
        f"平均{means.own_without}分", "核定", "未报送", "签批后有变", "更，未再签批", "未再签批的2所", "未经校长签批",
        "不含心理健康类", "<5", "退回补正", "申诉不成立",
        document.facts_digest, "—1—",
    ):  # fmt: skip
        assert said in text, said
    assert "江州县翀山镇第24小学" in text


async def test_a_draft_says_so_and_the_city_shows_what_did_not_come(renderer: Renderer) -> None:
    assert "草稿" in pages_of(await drawn(renderer, sample_rollup(5, draft=True)))[0]
    city = "".join(pages_of(await drawn(renderer, sample_city())))
    assert "未收到汇总的下级单位：清江县教育局。" in city
    assert "已收到" in city
    # The county that reports by a roll-up of its own is folded: its schools are not listed here.
    assert "3301020001" not in city


async def test_rows_break_over_pages_under_a_repeated_head(renderer: Renderer) -> None:
    pages = pages_of(await drawn(renderer, sample_rollup(150)))
    listing = [page for page in pages if re.search(r"33010200\d\d江州县|33010201\d\d江州县", page)]
    assert len(listing) >= 3
    assert all("在校生得分" in page for page in listing)
    numbers = [int(n) for page in pages for n in re.findall(r"330102(\d{4})", page)]
    assert numbers == list(range(1, 151))


async def test_the_data_lie_in_it_and_the_same_roll_up_gives_the_same_bytes(renderer: Renderer) -> None:
    document = sample_rollup()
    pdf = await drawn(renderer, document)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert opened.attachments["rollup.json"].get_file().read_bytes() == canonical(document)
    assert await drawn(renderer, document) == pdf


async def test_it_conforms_in_both_languages(renderer: Renderer, tmp_path: Path) -> None:
    files = []
    for name, document in (("county", sample_rollup(draft=True)), ("city", sample_city())):
        for lang in ("zh", "en"):
            files.append(tmp_path / f"{name}-{lang}.pdf")
            files[-1].write_bytes(await drawn(renderer, document, lang))
    assert validate(files) == []


async def test_an_english_edition_speaks_english_but_for_names(renderer: Renderer) -> None:
    text = "".join(pages_of(await drawn(renderer, sample_rollup(), "en")))
    assert "Roll-uponsafe-campuswork" in text
    han = set(re.findall(r"[一-鿿]+", text))
    assert han <= {"江州县教育局", "明州市教育局"}
