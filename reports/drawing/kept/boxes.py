"""Used lengths and line heights of boxes, by their style."""

from __future__ import annotations

from typing import Any

from weasyprint.formatting_structure.boxes import Box
from weasyprint.layout import percent
from weasyprint.text import line_break

from reports.drawing.kept.library import put
from reports.drawing.kept.styles import kept_with

LENGTHS = (
    *(f"{kind}_{side}" for kind in ("margin", "padding") for side in ("left", "right", "top", "bottom")),
    *(f"{least_or_most}{axis}" for axis in ("width", "height") for least_or_most in ("", "min_", "max_")),
)
BORDERS = tuple(f"border_{side}_width" for side in ("top", "right", "bottom", "left"))

Lengths = dict[str, Any]

_resolve_percentages = percent.resolve_percentages
_strut = line_break.strut


def resolve_percentages(box: Any, containing_block: Any) -> None:
    """Lengths that depend on nothing around the box are put on it at once; others the library works out."""
    # A placeholder of a box has no attributes of its own to be set at once.
    kept = kept_with(box.style) if isinstance(box, Box) else None
    if kept is None:
        _resolve_percentages(box, containing_block)
        return
    if "lengths" not in kept:
        kept["lengths"] = _fixed(box.style)
    if kept["lengths"] is None:
        _resolve_percentages(box, containing_block)
        return
    lengths, collapsing = kept["lengths"]
    vars(box).update(lengths)
    for name, width in collapsing:
        if not hasattr(box, name):
            setattr(box, name, width)


def _fixed(style: Any) -> tuple[Lengths, tuple[tuple[str, Any], ...]] | None:
    """The used lengths of a style, and apart the borders that collapsing may have settled; None if some depend."""
    if style["box_sizing"] != "content-box":
        return None
    lengths: Lengths = {}
    for name in LENGTHS:
        value = style[name]
        if value is None or value == "auto":
            lengths[name] = 0 if value == "auto" and name.startswith("min_") else value
        elif getattr(value, "unit", "%") == "%":
            return None
        else:
            lengths[name] = value.value
    borders = {name: style[name] for name in BORDERS}
    if style["border_collapse"] == "collapse":
        return lengths, tuple(borders.items())
    return lengths | borders, ()


def strut(style: Any) -> tuple[float, float]:
    """Line height and baseline of a style."""
    kept = kept_with(style)
    if kept is None:
        return _strut(style)  # type: ignore[no-any-return]
    if "strut" not in kept:
        kept["strut"] = _strut(style)
    return kept["strut"]  # type: ignore[no-any-return]


def install() -> None:
    put(_resolve_percentages, resolve_percentages)
    put(_strut, strut)
