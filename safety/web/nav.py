"""The few places everybody goes to: declared once in `config.app.NAV`, shown to those whose roles open
them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from safety.access.scope import Scope


@dataclass(frozen=True)
class NavItem:
    """One entry. `label` is a catalogue key, `icon` a name in `icons.html`; `roles` empty: for everybody
    signed in.

    Its pages are those below `path`, or below `within`; but not those in `apart`, which begin like its own and
    belong to no entry: their breadcrumbs say where they are.
    `{school}` in `path` becomes the code of the viewer's first own school, `{bureau}` that of their first own
    bureau; the entry is left out for who has none.
    """

    label: str
    path: str
    icon: str
    roles: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    within: str = ""

    def holds(self, path: str, here: str) -> bool:
        """Whether a page belongs to the entry that leads to `path`."""
        return _leads_to(self.within or path, here) and not any(
            _leads_to(path + rest, here) for rest in self.apart
        )


@dataclass(frozen=True)
class Link:
    """An entry as one viewer gets it."""

    label: str
    path: str
    icon: str
    current: bool


def links_for(items: Iterable[NavItem], viewer: Scope | None, here: str) -> list[Link]:
    """The entries a viewer sees, the longest one that leads to `here` marked as current."""
    if viewer is None or viewer.must_change_password:
        return []
    seen = [(item, _path(item, viewer)) for item in items if not item.roles or viewer.has(*item.roles)]
    open_ = [(item, path) for item, path in seen if path is not None]
    current = max((path for item, path in open_ if item.holds(path, here)), key=len, default=None)
    return [Link(item.label, path, item.icon, path == current) for item, path in open_]


def _leads_to(path: str, here: str) -> bool:
    return here == path or (path != "/" and here.startswith(path + "/"))


def _path(item: NavItem, viewer: Scope) -> str | None:
    school = _first_code(viewer.school_codes, [role.school for role in viewer.roles])
    bureau = _first_code(viewer.bureau_codes, [role.bureau for role in viewer.roles])
    if ("{school}" in item.path and school is None) or ("{bureau}" in item.path and bureau is None):
        return None
    return item.path.replace("{school}", school or "").replace("{bureau}", bureau or "")


def _first_code(codes: Mapping[str, int], wanted: list[int | None]) -> str | None:
    return next((code for number in wanted for code, known in codes.items() if known == number), None)
