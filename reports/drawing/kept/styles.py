"""Computed styles by an element's place: its tag, class and language, and those of the elements around it.

An element whose attributes could matter to a style sheet in another way, or that stands where none stood before, sends
its whole document the library's way, and its place is known from then on. No selector of ours looks at an element's
neighbours or at its number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weasyprint import css, document

PLACE = ("class", "lang")
HARMLESS = {"scope", "colspan", "rowspan", "name", "content", "charset"}
"""Attributes of HTML elements that no style sheet of ours or of the library's asks for."""
SVG = "{http://www.w3.org/2000/svg}"
STYLING = {"class", "id", "style", "lang"}
"""Attributes that an SVG element must not have; its others are drawn, not styled."""
MOST_PLACES = 4000

Element = Any
Style = Any


class Place:
    """A node of the tree of places. `styles`: of the element and its pseudo-elements, once known."""

    def __init__(self) -> None:
        self.inside: dict[tuple[str, ...], Place] = {}
        self.styles: tuple[tuple[str | None, Style], ...] | None = None


class _Cascade:
    """Stands for WeasyPrint's `get_all_computed_styles`."""

    def __init__(self) -> None:
        self.plain = document.get_all_computed_styles
        self.roots: dict[tuple[int, ...], tuple[Place, Any]] = {}
        self.places = 0

    def __call__(
        self, page: Any, sheets: Any, hints: Any, fonts: Any, counter_style: Any, *rest: Any
    ) -> css.StyleFor:
        # The sheets are kept beside the places, so that their ids stay theirs.
        chosen = tuple(map(id, sheets))
        root, known_sheets = self.roots.get(chosen, (Place(), None))
        try:
            found = list(self._places(page.etree_element, root))
        except _Unknown:
            return self.plain(page, sheets, hints, fonts, counter_style, *rest)
        if any(place.styles is None for _, place in found):
            made = self.plain(page, sheets, hints, fonts, counter_style, *rest)
            _learn(found, made.get_computed_styles())
            known_sheets = made._sheets  # noqa: SLF001 - what the styles of pages are computed of
            self.roots[chosen] = (root, known_sheets)
        else:
            for style in page._ua_counter_style():  # noqa: SLF001 - as the library's own function does
                counter_style.update(style)
        if self.places > MOST_PLACES:
            self.places = 0
            self.roots.clear()
        return _Known(found, known_sheets, fonts)

    def _places(self, element: Element, around: Place) -> Iterator[tuple[Element, Place]]:
        place = around.inside.get(key := _key(element))
        if place is None:
            place = around.inside[key] = Place()
            self.places += 1
        yield element, place
        for child in element:
            yield from self._places(child, place)


class _Unknown(Exception):
    """An element that cannot be told by its place."""


def _key(element: Element) -> tuple[str, ...]:
    attributes = element.attrib
    if element.tag.startswith(SVG):
        if element.tag != f"{SVG}svg" and not STYLING.isdisjoint(attributes):
            raise _Unknown
        return (element.tag, attributes.get("class", ""))
    if not attributes:
        return (element.tag,)
    if not attributes.keys() <= HARMLESS.union(PLACE):
        raise _Unknown
    return (element.tag, *(attributes.get(name, "") for name in PLACE))


def _learn(found: list[tuple[Element, Place]], computed: dict[tuple[Element, str | None], Style]) -> None:
    of: dict[Element, list[tuple[str | None, Style]]] = {}
    for (element, pseudo), style in computed.items():
        of.setdefault(element, []).append((pseudo, style))
    for element, place in found:
        if place.styles is None:
            place.styles = tuple(of[element])
            for _, style in place.styles:
                style.kept = {}


class _Known(css.StyleFor):  # type: ignore[misc]
    """The styles of a document of known places; those of its pages are computed as ever."""

    def __init__(self, found: list[tuple[Element, Place]], sheets: Any, fonts: Any) -> None:
        self._cascaded_styles: dict[Any, Any] = {}
        self._computed_styles = {
            (element, pseudo): style for element, place in found for pseudo, style in place.styles or ()
        }
        self.initial_page_sizes = {"box": None, "area": None}
        self._sheets = sheets
        self.font_config = fonts


def kept_with(style: Style) -> dict[str, Any] | None:
    """Where to keep what was worked out of a style alone; None for one that will not come again."""
    if "kept" not in vars(style):
        style.kept = {} if _lasts(style) else None
    kept: dict[str, Any] | None = style.kept
    return kept


def _lasts(style: Style) -> bool:
    """Whether it is the one style of the anonymous boxes in a box whose style is kept."""
    if type(style) is not css.AnonymousStyle:
        return False
    around = style.parent_style
    return vars(around).get("anonymous_style") is style and kept_with(around) is not None


def install() -> None:
    document.get_all_computed_styles = _Cascade()
