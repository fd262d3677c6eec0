"""The return drawn as PDF/A-3 with its own data attached: the only module that imports WeasyPrint.

`Renderer` is what the service uses. It runs `Drawer` in worker processes (see `workers`), because drawing
takes seconds of CPU and needs fontconfig told, before it is loaded, to know no font but ours.

The output is a function of the document and the language: dates are the document's own, identifiers are
derived from the content, so the same return gives the same bytes.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from reports.document import ReturnDocument
from reports.drawing import fonts
from reports.drawing.edition import TEXTS, mark
from reports.drawing.finish import Packing, finish, packing
from reports.drawing.pool import DONE, FAILED, REFUSED, Refused, WorkerError, WorkerPool
from reports.kinds import Language, RenderJob, ReturnJob, Sheet, sheet
from reports.layout.wording import Text
from safety.text import Catalogue

VARIANT: Final = "pdf/a-3a"
TEMPLATES = Path(__file__).parent / "templates"
WORKERS = 2
TIME_LIMIT_SECONDS = 60.0


class RenderError(Exception):
    """A document that was not drawn. `why`: `timeout`, `died`, `failed`, `closed` or `glyph`."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


class MissingGlyph(RenderError):
    """No font has `character`; `place` is its path in the document, such as `school.name.zh`."""

    def __init__(self, character: str, place: str) -> None:
        super().__init__("glyph", f"no font has {character!r} (U+{ord(character):04X}) in {place}")
        self.character = character
        self.place = place


class Refusal(msgspec.Struct, frozen=True):
    """What comes back when a document cannot be drawn as it is."""

    character: str
    place: str


class Renderer:
    """Draws returns in worker processes, started at the first document. One per event loop; close it."""

    def __init__(
        self,
        data: Path,
        *,
        base_url: str = "",
        size: int = WORKERS,
        time_limit: float = TIME_LIMIT_SECONDS,
    ) -> None:
        """`data`: the data folder, fonts are kept below it. `base_url`: where this instance is reached, without a slash
        at its end; a return's QR code leads there, and without it there is none. `time_limit`: seconds, start included.
        """
        self._data = data
        self._base_url = base_url
        self._size = size
        self._time_limit = time_limit
        self._pool: WorkerPool | None = None

    async def render_return(self, document: ReturnDocument, lang: Language = "zh") -> bytes:
        """The PDF of a frozen return, the same bytes each time. Raises as `render` does."""
        return await self.render(ReturnJob(document, lang, self._verify_url(document)))

    def _verify_url(self, document: ReturnDocument) -> str:
        if not self._base_url or document.draft:
            return ""
        return f"{self._base_url}/verify?d={document.facts_digest}"

    async def render(self, job: RenderJob) -> bytes:
        """The PDF of a document of any kind, the same bytes each time.

        Raises:
            MissingGlyph: a character that no font has.
            RenderError: too slow, or drawing failed; the worker has been replaced.
        """
        try:
            return await self._workers().call(msgspec.msgpack.encode(job))
        except Refused as refused:
            refusal = msgspec.msgpack.decode(refused.payload, type=Refusal)
            raise MissingGlyph(refusal.character, refusal.place) from None
        except WorkerError as error:
            raise RenderError(error.why, str(error)) from error

    async def close(self) -> None:
        """End the workers; to be awaited at shutdown. A later document starts them again."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are up."""
        return self._pool.pids if self._pool else ()

    def _workers(self) -> WorkerPool:
        if self._pool is None:
            environment = worker_environment(fonts.prepare(self._data))
            command = (sys.executable, "-m", "reports.drawing.worker")
            self._pool = WorkerPool(command, environment, self._size, self._time_limit)
        return self._pool


def worker_environment(prepared: fonts.Fonts) -> dict[str, str]:
    """The service's environment less its secrets, plus the fonts. Fixed hashing keeps the bytes the same."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAFE_CAMPUS_")}
    root = str(Path(__file__).parents[1])
    paths = [root, *filter(None, [kept.get("PYTHONPATH")])]
    return {
        **kept,
        "FONTCONFIG_FILE": str(prepared.configuration),
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(paths),
    }


class Drawer:
    """Draws in this process. To be made once, in a process whose FONTCONFIG_FILE names our fonts."""

    def __init__(self) -> None:
        # Fontconfig puts the cache that our configuration names beside the process, not beside the configuration.
        os.chdir(Path(os.environ["FONTCONFIG_FILE"]).parent)
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import FatalURLFetchingError, URLFetcher

        from reports.drawing.kept import library
        from reports.drawing.kept.page import Page

        class OwnAssetsOnly(URLFetcher):  # type: ignore[misc]
            """Nothing in a return is fetched: styles are handed over parsed, there are no images."""

            def fetch(self, url: str, headers: object = None) -> object:  # noqa: ARG002
                raise FatalURLFetchingError(f"a return may not load {url}")

        logging.getLogger("weasyprint").addHandler(_WarningsAreErrors(logging.WARNING))
        self._weasyprint = weasyprint
        library.install()
        self._page = Page
        self._fetcher = OwnAssetsOnly()
        self._fonts = FontConfiguration()
        self._threads = ThreadPoolExecutor(1)
        self._texts = Catalogue.load(strict=True, only=TEXTS)
        self._styles = {file.stem: self._style(file) for file in TEMPLATES.glob("*.css")}
        # What is loaded by now stays: the collector need not look at it again for every document.
        gc.collect()
        gc.freeze()
        gc.disable()

    def draw(self, job: RenderJob) -> bytes:
        """The PDF's bytes. Raises MissingGlyph, or whatever WeasyPrint raises or warns of."""
        made = sheet(job, self._text)
        files = [packing(file, made.made_at, self._threads) for file in made.attached]
        html = page_of(made, self._text(job.lang))
        _require_glyphs(html, job.document)
        page = self._page(html, self._fetcher)
        pdf: bytes = page.write_pdf(
            stylesheets=[self._styles[name] for name in made.styles],
            font_config=self._fonts,
            pdf_variant=VARIANT,
            finisher=partial(_finish, files),
        )
        return pdf

    def tidy(self) -> None:
        """Give back what the last document took; to be called between documents, when nobody waits."""
        gc.collect()

    def _text(self, lang: str) -> Text:
        return partial(_text, self._texts, lang)

    def _style(self, file: Path) -> Any:
        text = file.read_text(encoding="utf-8")
        return self._weasyprint.CSS(string=text, font_config=self._fonts, url_fetcher=self._fetcher)


def page_of(made: Sheet, text: Text) -> str:
    """The HTML of a document, in the language of `text`."""
    return _jinja().get_template(f"{made.template}.html").render(view=made.view, t=text, edition=mark())


def _finish(files: list[Packing], _document: object, pdf: Any) -> None:
    finish(files, pdf)


def _text(texts: Catalogue, lang: str, key: str, **values: object) -> str:
    return texts.t(key, lang, **values)


@cache
def _jinja() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )


def _printable(value: object) -> object:
    return fonts.without_format_marks(value) if type(value) is str else value


class _WarningsAreErrors(logging.Handler):
    """WeasyPrint only logs a style it cannot read or a missing glyph; a return is right or is not made."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RenderError("failed", record.getMessage())


def _require_glyphs(html: str, document: msgspec.Struct) -> None:
    character = fonts.first_undrawable(html)
    if character is None:
        return
    for place, value in _strings(msgspec.to_builtins(document), ""):
        if character in value:
            raise MissingGlyph(character, place)
    raise MissingGlyph(character, "template")


def _strings(value: object, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _strings(item, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list | tuple):
        for at, item in enumerate(value):
            yield from _strings(item, f"{place}[{at}]")


def answer(drawer: Drawer, request: bytes) -> tuple[int, bytes]:
    """One request in the worker: never raises, the status says what became of it."""
    try:
        job = msgspec.msgpack.decode(request, type=RenderJob)
        return DONE, drawer.draw(job)
    except MissingGlyph as missing:
        return REFUSED, msgspec.msgpack.encode(Refusal(missing.character, missing.place))
    except Exception as error:  # noqa: BLE001 the worker's last word before it is replaced
        return FAILED, f"{type(error).__name__}: {error}".encode()
