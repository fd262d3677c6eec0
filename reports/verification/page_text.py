"""The words on a PDF's pages, in the order in which they are drawn: enough to tell two drawings of one text apart.

Reads what our own drawing writes: fonts of two-byte glyphs with a map to Unicode. Running heads, feet and rules, which
depend on how the pages break, are marked as artifacts there and left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pikepdf

BLOCK = re.compile(rb"beginbf(char|range)\s(.*?)endbf", re.S)
HEX = re.compile(rb"<([0-9A-Fa-f]+)>")
SHOWING = {"Tj", "TJ", "'", '"'}
DEPTH = 8
Glyphs = Mapping[int, str]


def words_of(pdf: bytes) -> str:
    """Everything written on the pages, without spaces. Raises pikepdf.PdfError or ValueError for a broken file."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return "".join("".join(_words(page.obj, page.obj.get("/Resources"), DEPTH)) for page in opened.pages)


def _words(place: Any, resources: Any, depth: int) -> Iterator[str]:
    fonts = {name: _glyphs(font) for name, font in (resources.get("/Font") or {}).items()}
    font: Glyphs = {}
    marked: list[bool] = []
    for instruction in pikepdf.parse_content_stream(place):
        operands, name = instruction.operands, str(instruction.operator)
        if name in {"BMC", "BDC"}:
            marked.append(str(operands[0]) == "/Artifact")
        elif name == "EMC":
            marked.pop()
        elif name == "Tf":
            font = fonts.get(str(operands[0]), {})
        elif any(marked):
            continue
        elif name in SHOWING:
            yield _read(operands[-1], font)
        elif name == "Do" and depth:
            form = resources.XObject[str(operands[0])]
            if form.get("/Subtype") == "/Form":
                yield from _words(form, form.get("/Resources") or resources, depth - 1)


def _read(shown: Any, font: Glyphs) -> str:
    parts = (
        [bytes(part) for part in shown if isinstance(part, pikepdf.String)]
        if _is_array(shown)
        else [bytes(shown)]
    )
    codes = (int.from_bytes(text[at : at + 2], "big") for text in parts for at in range(0, len(text), 2))
    return "".join("".join(font.get(code, "\ufffd") for code in codes).split())


def _is_array(shown: Any) -> bool:
    return isinstance(shown, pikepdf.Array)


def _glyphs(font: Any) -> Glyphs:
    """What each glyph of a font stands for."""
    found: dict[int, str] = {}
    if "/ToUnicode" not in font:
        return found
    for kind, block in BLOCK.findall(font.ToUnicode.read_bytes()):
        numbers = [bytes.fromhex(text.decode()) for text in HEX.findall(block)]
        step = 2 if kind == b"char" else 3
        for at in range(0, len(numbers) - step + 1, step):
            first, last, text = (
                int.from_bytes(numbers[at], "big"),
                numbers[at + step - 2],
                numbers[at + step - 1],
            )
            for offset in range(int.from_bytes(last, "big") - first + 1):
                found[first + offset] = _shifted(text, offset)
    return found


def _shifted(text: bytes, by: int) -> str:
    said = text.decode("utf-16-be")
    return said[:-1] + chr(ord(said[-1]) + by) if by else said
