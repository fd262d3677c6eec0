"""Every kind of return is PDF/A-3a and PDF/UA-1, as veraPDF sees it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pikepdf
import pytest
import weasyprint

from reports.document import Cause, LineChange, ReturnDocument, SignOff, Words
from reports.pdf import Renderer
from tests.reports.verapdf import validate
from tests.sample_return import RARE, sample_return, sloppy_return, worst_return


def unchanged() -> ReturnDocument:
    """Signed, and nothing moved afterwards."""
    sign_off = sample_return().sign_off
    assert isinstance(sign_off, SignOff)
    return sample_return(sign_off=msgspec.structs.replace(sign_off, changes=()))


def perfect() -> ReturnDocument:
    """Nothing missed and no incident."""
    score = msgspec.structs.replace(sample_return().score, penalties=())
    return sample_return(exceptions=(), incidents=(), score=score, late=0, backfilled=0)


def rare() -> ReturnDocument:
    """A school whose name is all characters of the far planes and the rare tables."""
    named = msgspec.structs.replace(sample_return().school, name=Words(zh=f"{RARE}㐂䶮小学", en=""))
    return sample_return(school=named)


def corrected() -> ReturnDocument:
    """A second version that says what changed and why."""
    changes = (LineChange(line="food.samples", before="6.10", after="6.20", reason="补录晚餐留样"),)
    causes = (Cause(line="duty.patrol", text="保安一人离职"),)
    return sample_return(version=2, previous_digest="a7" * 32, changes_since=changes, causes=causes)


DOCUMENTS = {
    "changed": sample_return,
    "unchanged": unchanged,
    "unsigned": worst_return,
    "draft": lambda: sample_return(draft=True, sign_off=None, chain_head=None),
    "perfect": perfect,
    "rare": rare,
    "sloppy": sloppy_return,
    "corrected": corrected,
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("drawn")

    async def draw() -> dict[str, Path]:
        renderer, made = Renderer(folder, base_url="https://safe.example.cn"), {}
        try:
            for name, document in DOCUMENTS.items():
                for lang in ("zh", "en"):
                    made[f"{name}-{lang}"] = file = folder / f"{name}-{lang}.pdf"
                    file.write_bytes(await renderer.render_return(document(), lang))
        finally:
            await renderer.close()
        return made

    return asyncio.run(draw())


def test_every_return_passes_pdf_a_and_pdf_ua(drawn: dict[str, Path]) -> None:
    assert validate(drawn.values()) == []


def test_every_return_has_two_to_four_pages(drawn: dict[str, Path]) -> None:
    pages = {}
    for name, file in drawn.items():
        with pikepdf.open(file) as opened:
            pages[name] = len(opened.pages)
    assert {name: count for name, count in pages.items() if not 2 <= count <= 4} == {}


def test_every_return_is_small(drawn: dict[str, Path]) -> None:
    assert max(file.stat().st_size for file in drawn.values()) <= 300 * 1024


def test_a_file_that_does_not_conform_is_found_out(tmp_path: Path) -> None:
    plain = tmp_path / "plain.pdf"
    weasyprint.HTML(string="<p>plain").write_pdf(plain)
    broken = validate([plain])
    assert {item.profile for item in broken} == {"3a", "ua1"}
    assert {item.file for item in broken} == {str(plain.resolve())}
