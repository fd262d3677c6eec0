"""A site's own 小标宋, 仿宋, 楷体 and 黑体: used where they are there, and only for what they have."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pylopdf_fonts_zh_cn
import pytest
import uharfbuzz
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from reports.drawing import fonts
from reports.pdf import Renderer
from tests.reports.verapdf import validate
from tests.sample_return import sample_return


def truetype(characters: str) -> FontBuilder:
    """A font of squares, with TrueType outlines."""
    pen = TTGlyphPen(None)
    for step, point in enumerate(((100, 0), (100, 800), (900, 800), (900, 0))):
        (pen.lineTo if step else pen.moveTo)(point)
    pen.closePath()
    names = [".notdef", *(f"uni{ord(character):04X}" for character in characters)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(character): f"uni{ord(character):04X}" for character in characters})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    font.setupHorizontalHeader(ascent=880, descent=-120)
    font.setupNameTable({"familyName": "Some Kai", "styleName": "Regular"})
    font.setupOS2(sTypoAscender=880, usWinAscent=880, usWinDescent=120)
    font.setupPost()
    return font


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a 仿宋 (CID-keyed outlines) and a 楷体 (TrueType) of the site's own."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "fonts").mkdir()
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(pylopdf_fonts_zh_cn.sans_path())))
    wanted = uharfbuzz.SubsetInput()
    wanted.sets(uharfbuzz.SubsetInputSets.UNICODE).set(set(map(ord, "现将我校年第季度，。 ")))
    (folder / "fonts" / "fangsong.otf").write_bytes(uharfbuzz.subset(face, wanted).blob.data)
    truetype(" 表图各项得分欧阳").save(folder / "fonts" / "kaiti.ttf")
    return folder


def read(pdf: bytes, program: str, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


async def test_they_are_embedded_and_the_rest_is_ours(data: Path, tmp_path: Path) -> None:
    renderer = Renderer(data, size=1)
    try:
        drawn = await renderer.render_return(sample_return())
    finally:
        await renderer.close()
    (tmp_path / "return.pdf").write_bytes(drawn)
    listed = read(drawn, "pdffonts", "-")
    families = {line.split()[0].split("+")[1] for line in listed.splitlines()[2:]}
    assert families >= {"Campus-Fang", "Campus-Kai", "Campus-Song", "Campus-Hei"}
    text = read(drawn, "pdftotext", "-", "-")
    assert "现将我校" in text
    assert "欧阳喆昇㛃" in text
    assert validate([tmp_path / "return.pdf"]) == []


def test_other_files_make_another_folder(data: Path, tmp_path: Path) -> None:
    with_site, without = fonts.prepare(data), fonts.prepare(tmp_path)
    assert with_site.folder.name != without.folder.name
    assert {check.code for check in fonts.check(data) if not check.ok} == set()


def test_a_font_without_a_space_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    truetype("表").save(tmp_path / "fonts" / "kaiti.ttf")
    with pytest.raises(ValueError, match=r"kaiti\.ttf has no space"):
        fonts.prepare(tmp_path)


def test_a_file_that_is_no_font_is_named(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "heiti.ttf").write_bytes(b"not a font at all, whatever it is called")
    (check,) = (item for item in fonts.check(tmp_path) if item.code == "fonts")
    assert not check.ok
    assert "heiti.ttf" in check.detail
