"""Drawing pages: one compiled Jinja environment per language, so that macros know the language without being
told.
"""

import functools
import string
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import jinja2
from litestar import Response
from litestar.enums import MediaType

from safety.clock import ZONE
from safety.ids import new_id
from safety.scoring import decimal
from safety.text import LANGUAGES, Catalogue, Text
from safety.web.nav import links_for
from safety.web.visit import Visit, WebRequest, visit_of

if TYPE_CHECKING:
    from safety.web.assets import Assets

TEMPLATE_FOLDER = Path(__file__).parent / "templates"
DAYS_EN = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Pages:
    """Templates from several folders (a slice may bring its own), undefined names being errors."""

    def __init__(
        self, catalogue: Catalogue, assets: "Assets", folders: Sequence[Path] = (TEMPLATE_FOLDER,)
    ) -> None:
        self.catalogue = catalogue
        loader = jinja2.FileSystemLoader([str(folder) for folder in folders])
        self._environments = {lang: _environment(loader, catalogue, assets, lang) for lang in LANGUAGES}

    def draw(self, template: str, lang: str, **context: Any) -> str:
        """The HTML of one page."""
        return self._environments[lang].get_template(template).render(**context)


def _environment(
    loader: jinja2.BaseLoader, catalogue: Catalogue, assets: "Assets", lang: str
) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
        cache_size=-1,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        t=functools.partial(_translate, catalogue, lang),
        lang=lang,
        asset=assets.url,
        new_key=lambda: str(new_id()),
        as_day=functools.partial(format_day, lang=lang),
    )
    made.filters.update(
        text=functools.partial(_text, lang),
        named=functools.partial(named, lang),
        day=functools.partial(format_day, lang=lang),
        instant=functools.partial(format_instant, lang=lang),
        clock=format_clock,
        points=decimal,
        percent=format_percent,
        weekday=functools.partial(format_weekday, lang=lang),
        spoken=functools.partial(spoken, catalogue, lang),
    )
    return made


def _translate(catalogue: Catalogue, lang: str, key: str, **values: Any) -> str:
    return catalogue.t(key, lang, **values)


def _text(lang: str, label: Text | str) -> str:
    return label.to(lang) if isinstance(label, Text) else label


def named(lang: str, place: Any) -> str:
    """What a school is called in the reader's language; in Chinese where it has no English name."""
    return str(place.name_en or place.name) if lang == "en" else str(place.name)


def format_day(day: date | None, lang: str) -> str:
    """2026年3月1日 / 1 Mar 2026; empty for None. An instant is first brought to Asia/Shanghai."""
    if day is None:
        return ""
    if isinstance(day, datetime):
        day = day.astimezone(ZONE).date()
    if lang == "en":
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def format_weekday(day: date, lang: str) -> str:
    """周三 / Wed; an instant is first brought to Asia/Shanghai."""
    if isinstance(day, datetime):
        day = day.astimezone(ZONE).date()
    return DAYS_EN[day.weekday()] if lang == "en" else f"周{'一二三四五六日'[day.weekday()]}"


def spoken(catalogue: Catalogue, lang: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A sentence's values with instants and spans of time as people write them."""
    return {name: _spoken(catalogue, lang, value) for name, value in values.items()}


def _spoken(catalogue: Catalogue, lang: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return format_instant(value, lang)
    if not isinstance(value, timedelta):
        return value
    minutes = int(value.total_seconds()) // 60
    hours, days = minutes // 60, minutes // (24 * 60)
    if days > 1:
        return catalogue.t("span.days", lang, days=days, hours=hours % 24)
    if hours:
        return catalogue.t("span.hours", lang, hours=hours, minutes=minutes % 60)
    return catalogue.t("span.minutes", lang, minutes=minutes)


def format_percent(part: int, whole: int) -> str:
    """98.7%, cut off and not rounded, so that only what is complete reads 100%; a dash where nothing was asked."""
    if not whole:
        return "—"
    tenths = 1000 * part // whole
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}%"


def format_clock(at: datetime | None) -> str:
    """08:05 in Asia/Shanghai; empty for None."""
    return "" if at is None else at.astimezone(ZONE).strftime("%H:%M")


def format_instant(at: datetime | None, lang: str) -> str:
    """Day and time in Asia/Shanghai; empty for None."""
    return "" if at is None else f"{format_day(at, lang)} {format_clock(at)}"


def page(request: WebRequest, template: str, status: int = 200, **context: Any) -> Response[str]:
    """Answer with a page in the visitor's language. Every template also gets `visit`, `viewer`, `csrf`,
    `path`, `notice`.
    """
    return draw(request, visit_of(request), template, status, **context)


def draw(
    request: WebRequest, visit: Visit, template: str, status: int = 200, **context: Any
) -> Response[str]:
    """`page` for a visit that is given (error pages outside the kernel make one up)."""
    kernel = request.app.state.kernel
    pages: Pages = kernel.pages
    given: dict[str, Any] = {
        "visit": visit,
        "viewer": visit.scope,
        "csrf": visit.csrf,
        "path": request.url.path,
        "other_language": _in_other_language(request, visit.lang),
        "notice": _notice(request, pages.catalogue),
        "nav": links_for(kernel.nav, visit.scope, request.url.path),
        "banners": kernel.banners,
        "alarms": visit.alarms,
    }
    html = pages.draw(template, visit.lang, **(given | context))
    return Response(html, status_code=status, media_type=MediaType.HTML)


def _in_other_language(request: WebRequest, lang: str) -> str:
    """The same address, whatever it asks for, in the language that is not this one."""
    asked = [
        (name, value) for name, value in request.query_params.multi_items() if name not in {"lang", "notice"}
    ]
    other = next(item for item in LANGUAGES if item != lang)
    return f"{request.url.path}?{urlencode([*asked, ('lang', other)])}"


def _notice(request: WebRequest, catalogue: Catalogue) -> str | None:
    """The key of the sentence that a redirect asked to show; anything but a `notice.…` key is ignored."""
    if "notice" not in request.query_params:
        return None
    key = f"notice.{request.query_params['notice']}"
    return key if key in catalogue else None


def go_to(path: str, notice: str | None = None) -> Response[str]:
    """303 to a path of ours, perhaps with a `notice.<name>` sentence to show there."""
    joined = path if notice is None else f"{path}{'&' if '?' in path else '?'}notice={notice}"
    # A header holds no Chinese; what is in an address for a reason stays as it is.
    location = quote(joined, safe=string.punctuation)
    return Response("", status_code=303, headers={"location": location}, media_type=MediaType.HTML)
