"""Every kind of return is PDF/A-3a and PDF/UA-1, as veraPDF sees it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
import weasyprint

from reports.document import ReturnDocument, SignOff, Words
from reports.pdf import Renderer
from tests.reports.verapdf import validate
from tests.sample_return import RARE, sample_return, worst_return


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


DOCUMENTS = {
    "changed": sample_return,
    "unchanged": unchanged,
    "unsigned": worst_return,
    "draft": lambda: sample_return(draft=True, sign_off=None, chain_head=None),
    "perfect": perfect,
    "rare": rare,
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("drawn")

    async def draw() -> dict[str, Path]:
        renderer, made = Renderer(folder), {}
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


def test_a_file_that_does_not_conform_is_found_out(tmp_path: Path) -> None:
    plain = tmp_path / "plain.pdf"
    weasyprint.HTML(string="<p>plain").write_pdf(plain)
    broken = validate([plain])
    assert {item.profile for item in broken} == {"3a", "ua1"}
    assert {item.file for item in broken} == {str(plain.resolve())}
