"""Bars and QR codes as SVG, black on white: legible from any printer, each with a text that says the same (PURE).

SVG inside a page takes no style from it, so the sizes and the font stand here. One unit is a millimetre of paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import segno
from markupsafe import Markup

FONT = "Campus Song, Noto Serif SC"
ROW = 4.7
HEAD = 5.2
BAR = 1.5
TEXT_SIZE = 2.9
DARK, LIGHT = "#222", "#aaa"
"""Apart on any printer and in any copy."""
QUIET_ZONE = 2
"""Modules of white around a QR code; the page adds the rest."""


@dataclass(frozen=True, slots=True)
class Bar:
    """`share` of the whole, 0 to 1; None where there is nothing to compare. `value` is printed at its end."""

    name: str
    share: float | None
    value: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two bars of one thing: the first is drawn dark, the second light."""

    name: str
    first: Bar
    second: Bar


@dataclass(frozen=True, slots=True)
class Panel:
    """Where a part of a chart stands: its left edge, and the widths of its names and of its bars."""

    left: float
    names: float
    bars: float


def bars(rows: Sequence[Bar], title: str, panel: Panel) -> tuple[list[str], str]:
    """One bar to a row, as SVG elements, and their text."""
    marks = [_text(panel.left, HEAD - 1.6, title)]
    for at, row in enumerate(rows):
        top = HEAD + at * ROW
        marks.append(_text(panel.left, top + 2.9, row.name))
        marks += _bar(panel, top + 0.6, row, 2 * BAR, DARK)
        marks.append(_whole(panel, top + 0.6, 2 * BAR))
        marks.append(_text(panel.left + panel.names + panel.bars + 1.5, top + 2.9, row.value))
    return marks, f"{title}: " + ", ".join(f"{row.name} {row.value}" for row in rows)


def pairs(rows: Sequence[Pair], title: str, panel: Panel) -> tuple[list[str], str]:
    """Two bars to a row, as SVG elements, and their text."""
    marks = [_text(panel.left, HEAD - 1.6, title)]
    for at, row in enumerate(rows):
        top = HEAD + at * ROW
        marks.append(_text(panel.left, top + 2.9, row.name))
        marks += _bar(panel, top + 0.6, row.first, BAR, DARK)
        marks += _bar(panel, top + 0.6 + BAR, row.second, BAR, LIGHT)
        marks.append(_whole(panel, top + 0.6, 2 * BAR))
        values = f"{row.first.value} / {row.second.value}"
        marks.append(_text(panel.left + panel.names + panel.bars + 1.5, top + 2.9, values))
    said = ", ".join(f"{row.name} {row.first.value} / {row.second.value}" for row in rows)
    return marks, f"{title}: {said}"


def drawing(width: float, rows: int, parts: Iterable[tuple[list[str], str]]) -> Markup:
    """The parts in one figure, `rows` high."""
    height = HEAD + rows * ROW
    drawn = list(parts)
    told = Markup.escape("; ".join(text for _, text in drawn))
    marks = "".join(mark for part, _ in drawn for mark in part)
    return Markup(  # noqa: S704 - every text in it was escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" width="{width:g}mm" height="{height:g}mm"'
        f' viewBox="0 0 {width:g} {height:g}"><title>{told}</title>{marks}</svg>'
    )


def _whole(panel: Panel, top: float, height: float) -> str:
    """The outline that a bar of 100 % fills."""
    left = panel.left + panel.names
    return (
        f'<rect x="{left:g}" y="{top:.2f}" width="{panel.bars:g}" height="{height:g}" fill="none"'
        ' stroke="#000" stroke-width="0.1"/>'
    )


def _bar(panel: Panel, top: float, bar: Bar, height: float, fill: str) -> list[str]:
    if not bar.share:
        return []
    left, wide = panel.left + panel.names, panel.bars * bar.share
    return [f'<rect x="{left:g}" y="{top:.2f}" width="{wide:.2f}" height="{height:g}" fill="{fill}"/>']


def _text(left: float, baseline: float, text: str) -> str:
    return (
        f'<text x="{left:g}" y="{baseline:.2f}" font-size="{TEXT_SIZE}" font-family="{FONT}">'
        f"{Markup.escape(text)}</text>"
    )


def qr(content: str, title: str) -> Markup:
    """A QR code (level M) that stretches to the room it is given."""
    code = segno.make_qr(content, error="m")
    size = code.symbol_size(border=QUIET_ZONE)[0]
    # A stroke as high as a module for each run: a third of what drawing its outline would take.
    path = "".join(
        f"M{at + QUIET_ZONE} {down + QUIET_ZONE}.5h{length}"
        for down, row in enumerate(code.matrix)
        for at, length in _runs(row)
    )
    return Markup(  # noqa: S704 - the title was escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qr" viewBox="0 0 {size} {size}">'
        f'<title>{Markup.escape(title)}</title><path d="{path}" fill="none" stroke="#000"/></svg>'
    )


def _runs(row: bytearray | bytes) -> Iterable[tuple[int, int]]:
    at = 0
    while at < len(row):
        end = at
        while end < len(row) and row[end]:
            end += 1
        if end > at:
            yield at, end - at
        at = end + 1
