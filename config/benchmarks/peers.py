"""The same pages by others: WeasyPrint as it comes, and Typst. Run as a process of its own, like a drawing worker.

`python -m config.benchmarks.peers weasyprint|typst PAGES FONTS STYLE.css…` draws each page in the folder PAGES once and
prints JSON: seconds of each after the first, which warms up, by the clock and by the processor, and the size of the
last. Neither attaches, tags, or signs anything.
"""

import json
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

VOID = frozenset({"br", "meta", "col", "link", "img", "hr"})
HIDDEN = frozenset({"head", "style", "script"})


class ToTypst(HTMLParser):
    """The text and tables of a page in Typst's markup: headings, paragraphs, tables with spans and repeated heads."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._text: list[str] = []
        self._cells: list[str] = []
        self._head: list[str] | None = None
        self._columns = 0
        self._spans = ""
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN or tag == "svg":
            self._hidden += 1
        given = dict(attrs)
        if tag in {"h1", "h2", "p", "caption", "td", "th"}:
            self._text.clear()
        if tag == "table":
            self._cells, self._head, self._columns = [], None, 0
        if tag == "col":
            self._columns += 1
        if tag in {"td", "th"}:
            spans = [
                f"{name}: {given[name]}" for name in ("colspan", "rowspan") if given.get(name, "1") != "1"
            ]
            self._spans = f"({', '.join(spans)})" if spans else ""

    def handle_endtag(self, tag: str) -> None:
        if tag in HIDDEN or tag == "svg":
            self._hidden -= 1
        said = "".join(self._text)
        if tag in {"td", "th"}:
            content = f"text({json.dumps(said.strip(), ensure_ascii=False)})"
            self._cells.append(f"table.cell{self._spans}[#{content}]" if self._spans else f"[#{content}]")
        elif tag == "thead":
            self._head, self._cells = self._cells, []
        elif tag == "table":
            self._table()
        elif tag in {"h1", "h2"}:
            self.parts.append(
                f"#heading(level: {tag[1]})[#text({json.dumps(said.strip(), ensure_ascii=False)})]"
            )
        elif tag in {"p", "caption"}:
            self.parts.append(f"#par[#text({json.dumps(said.strip(), ensure_ascii=False)})]")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._text.append(data)

    def _table(self) -> None:
        head = f"table.header({', '.join(self._head)})," if self._head else ""
        self.parts.append(
            f"#text(9pt, table(columns: {max(1, self._columns)}, {head} {', '.join(self._cells)}))"
        )


def to_typst(html: str) -> str:
    """A Typst document of the page's text, on the page's paper."""
    reader = ToTypst()
    reader.feed(html)
    setting = (
        '#set page(paper: "a4", margin: (top: 37mm, right: 26mm, bottom: 35mm, left: 28mm))\n'
        '#set text(font: "Noto Serif SC", size: 14pt, lang: "zh")\n'
    )
    return setting + "\n\n".join(reader.parts)


def weasyprint_as_it_comes(page: Path, styles: list[Path]) -> bytes:
    import weasyprint

    drawn: bytes = weasyprint.HTML(filename=page).write_pdf(stylesheets=list(map(str, styles)))
    return drawn


def typst_on_the_same(source: Path, fonts: Path) -> bytes:
    import typst

    drawn = typst.compile(str(source), font_paths=[str(fonts)], ignore_system_fonts=True)
    assert isinstance(drawn, bytes)
    return drawn


def main(which: str, pages: Path, fonts: Path, styles: list[Path]) -> None:
    spent, busy, drawn = [], [], b""
    for page in sorted(pages.glob("*.html")):
        source = page.with_suffix(".typ")
        source.write_text(to_typst(page.read_text(encoding="utf-8")), encoding="utf-8")
        start, worked = time.perf_counter(), time.process_time()
        drawn = (
            weasyprint_as_it_comes(page, styles)
            if which == "weasyprint"
            else typst_on_the_same(source, fonts)
        )
        spent.append(time.perf_counter() - start)
        busy.append(time.process_time() - worked)
    json.dump({"seconds": spent[1:], "cpu": busy[1:], "bytes": len(drawn)}, sys.stdout)


if __name__ == "__main__":
    _, chosen, folder, typefaces, *sheets = sys.argv
    main(chosen, Path(folder), Path(typefaces), [Path(sheet) for sheet in sheets])
