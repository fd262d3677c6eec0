"""Short texts by their style and the width they were given: how they break, and the glyphs that show them.

Pango lays a text out when its line is broken and again when it is drawn; here it does so once for all returns that have
it. What goes into the page is what the library's own drawing wrote when it was first asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from weasyprint import css
from weasyprint.draw import text as drawing
from weasyprint.pdf.fonts import Font
from weasyprint.svg.text import Style as SvgStyle
from weasyprint.text import line_break
from weasyprint.text.fonts import get_pango_font_key

from reports.drawing.kept.library import put
from reports.drawing.kept.styles import kept_with

SHORT = 32
"""Characters. Longer texts seldom come again."""
MOST_LINES = 8000

Layout = line_break.Layout
Key = tuple[int, float]
"""Which font, and at what size."""

_split_first_line = line_break.split_first_line
_draw_first_line = drawing.draw_first_line
_reactivate = Layout.reactivate
_deactivate = Layout.deactivate


class _Lines:
    """Broken lines of each style, and the fonts they were drawn with."""

    def __init__(self) -> None:
        self.count = 0
        self.forgotten = 0
        """How often all lines were forgotten: those of a style are from since then."""
        self.every: list[dict[Any, Any]] = []
        """The lines of each style, so that those of a style that is never seen again are forgotten too."""
        self.of_svg: dict[Any, dict[str, Any]] = {}
        self.fonts: dict[Key, tuple[Any, Any, Any]] = {}
        """Pango's font and its description; the layout owns the font."""

    def of(self, style: Any) -> dict[Any, Any] | None:
        kept = self._kept(style)
        if kept is None:
            return None
        if "lines" not in kept or kept["lines"][0] != self.forgotten:
            kept["lines"] = (self.forgotten, {})
            self.every.append(kept["lines"][1])
        return kept["lines"][1]  # type: ignore[no-any-return]

    def _kept(self, style: Any) -> dict[str, Any] | None:
        if type(style) is SvgStyle:
            font = tuple(style[f"font_{name}"] for name in ("style", "weight", "size"))
            key = (*style["font_family"], *font, style["direction"], id(style.font_config))
            return self.of_svg.setdefault(key, {})
        if not isinstance(style, css.Style) or style["word_spacing"]:
            return None
        return kept_with(style)

    def add(self, lines: dict[Any, Any], key: Any, line: tuple[Any, ...]) -> None:
        if self.count >= MOST_LINES:
            self._forget()
            return
        line[0].shown = None
        lines[key] = line
        self.count += 1

    def _forget(self) -> None:
        for lines in self.every:
            lines.clear()
        self.every.clear()
        self.of_svg.clear()
        self.count = 0
        self.forgotten += 1


KEPT = _Lines()


def split_first_line(
    text: str,
    style: Any,
    context: Any,
    max_width: float | None,
    justification_spacing: float,
    is_line_start: bool = True,
    minimum: bool = False,
) -> tuple[Any, ...]:
    """The first line of a text: its layout, its length, where the next begins, its size."""
    given = (max_width, is_line_start, minimum)
    lines = KEPT.of(style) if len(text) <= SHORT and not justification_spacing else None
    found: tuple[Any, ...] | None = lines.get((text, given)) if lines is not None else None
    if found is None:
        found = _split_first_line(text, style, context, max_width, justification_spacing, *given[1:])
        if lines is not None:
            KEPT.add(lines, (text, given), found)
    return found


# ---------------------------------------------------------------- drawing
@dataclass(frozen=True, slots=True)
class _Use:
    """What a text needs of a font: at which size, and its glyphs' meanings and widths."""

    key: Key
    to_unicode: dict[int, str]
    widths: dict[int, int]


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a text was written: the fonts, and the stream's methods called with what."""

    uses: list[_Use]
    calls: list[tuple[str, tuple[Any, ...]]]


class _Anew(dict[int, Any]):
    """Notes everything it is given, because it never seems to have it."""

    def __contains__(self, key: object) -> bool:
        return False


class _Face:
    """A font as the drawing of one text sees it. Ours have outlines only."""

    bitmap = png = svg = colr = False

    def __init__(self, font: Font) -> None:
        self.hash = font.hash
        self.to_unicode = _Anew()
        self.widths = _Anew()


@dataclass
class _Noting:
    """Stands for the stream while the library draws a text for the first time."""

    stream: Any
    layout: Any
    faces: list[tuple[Key, _Face]] = field(default_factory=list)
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ink_rect, self.logical_rect = self.stream.ink_rect, self.stream.logical_rect

    def add_font(self, pango_font: Any) -> tuple[_Face, float]:
        font, description, size = get_pango_font_key(pango_font)
        KEPT.fonts.setdefault((font, size), (pango_font, description, self.layout.layout))
        face = _Face(_font(self.stream, (font, size)))
        self.faces.append(((font, size), face))
        return face, size

    def set_text_matrix(self, *values: float) -> None:
        """Where the text stands is not kept with it."""

    def set_font_size(self, *values: Any) -> None:
        self.calls.append(("set_font_size", values))

    def show_text(self, *values: Any) -> None:
        self.calls.append(("show_text", values))

    def set_text_rise(self, *values: Any) -> None:
        self.calls.append(("set_text_rise", values))

    def shown(self) -> _Shown:
        uses = [_Use(key, dict(face.to_unicode), dict(face.widths)) for key, face in self.faces]
        return _Shown(uses, self.calls)


def _font(stream: Any, key: Key) -> Font:
    """The document's font, which is made of the first that is used of its name."""
    fonts = stream._fonts  # noqa: SLF001 - it is kept nowhere else
    if key[0] not in fonts:
        pango_font, description, _ = KEPT.fonts[key]
        fonts[key[0]] = Font(pango_font, description, key[1])
    return fonts[key[0]]


def draw_first_line(stream: Any, box: Any, text_overflow: Any, block_ellipsis: Any, matrix: Any) -> list[Any]:
    """Write a text into the page; what it returns would be emojis."""
    layout = box.pango_layout
    if "shown" not in vars(layout):
        return _draw_first_line(stream, box, text_overflow, block_ellipsis, matrix)  # type: ignore[no-any-return]
    if text_overflow == "ellipsis" or block_ellipsis != "none":
        raise ValueError("a return cuts no line short")
    if not box.text.strip():
        return []
    if layout.shown is None:
        noting = _Noting(stream, layout)
        _draw_first_line(noting, box, text_overflow, block_ellipsis, matrix)
        layout.shown = noting.shown()
    stream.set_text_matrix(*matrix.values)
    for use in layout.shown.uses:
        _note(use, _font(stream, use.key))
    for method, values in layout.shown.calls:
        getattr(stream, method)(*values)
    return []


def _note(use: _Use, font: Font) -> None:
    """Tell the font which of its glyphs are used; what it was told first, holds."""
    for ours, its in ((use.to_unicode, font.to_unicode), (use.widths, font.widths)):
        if not ours.keys() <= its.keys():
            for glyph, value in ours.items():
                its.setdefault(glyph, value)


def reactivate(layout: Any, style: Any) -> None:
    """Pango's layout is made again for those texts only whose glyphs are not known."""
    if vars(layout).get("shown") is None:
        _reactivate(layout, style)


def deactivate(layout: Any) -> None:
    if "layout" in vars(layout):
        _deactivate(layout)


def install() -> None:
    put(_split_first_line, split_first_line)
    put(_draw_first_line, draw_first_line)
    Layout.reactivate, Layout.deactivate = reactivate, deactivate
