"""An Excel workbook from tables: the same tables and the same time give the same bytes.

Written here and not by a library: a library stamps its own time into the file, and takes longer over a large school's
facts than it takes to draw the report. The parts stand in the ZIP uncompressed, because the PDF around them is
compressed anyway. Text is written as text, so nothing in it is ever taken for a formula.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from html import escape

Cell = str | int | Decimal
"""Text or a number; an empty text leaves the cell empty."""

_SPECIAL = re.compile("[&<>\"'\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="SimSun"/></font>'
    '<font><b/><sz val="11"/><name val="SimSun"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf xfId="0"><alignment vertical="top" wrapText="1"/></xf>'
    '<xf xfId="0" fontId="1" applyFont="1"><alignment vertical="center" wrapText="1"/></xf></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and how wide its column is, in characters."""

    heading: str
    width: int


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet: its name (31 characters at most), its columns, and rows as long as the columns."""

    name: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]


def workbook(tables: Sequence[Table], title: str, made_at: datetime) -> bytes:
    """The bytes of an .xlsx file that says it was made at `made_at`."""
    moment = made_at.astimezone(UTC)
    parts = {
        "[Content_Types].xml": _content_types(len(tables)),
        "_rels/.rels": _relations(
            [
                (f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
                (f"{_PACKAGE}/relationships/metadata/core-properties", "docProps/core.xml"),
            ]
        ),
        "docProps/core.xml": _properties(title, moment),
        "xl/workbook.xml": _book(tables),
        "xl/_rels/workbook.xml.rels": _relations(
            [(f"{_OFFICE}/worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(tables) + 1)]
            + [(f"{_OFFICE}/styles", "styles.xml")]
        ),
        "xl/styles.xml": _STYLES,
        **{f"xl/worksheets/sheet{at}.xml": _sheet(table) for at, table in enumerate(tables, 1)},
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name, text in parts.items():
            stamp = zipfile.ZipInfo(name, moment.timetuple()[:6])
            stamp.create_system = 0
            file.writestr(stamp, (_HEAD + text).encode())
    return out.getvalue()


def _content_types(sheets: int) -> str:
    overrides = [("/xl/workbook.xml", f"{_TYPE}.sheet.main+xml"), ("/xl/styles.xml", f"{_TYPE}.styles+xml")]
    overrides += [(f"/xl/worksheets/sheet{at}.xml", f"{_TYPE}.worksheet+xml") for at in range(1, sheets + 1)]
    overrides.append(("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"))
    named = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in overrides)
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{named}</Types>'
    )


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    named = "".join(
        f'<Relationship Id="rId{at}" Type="{kind}" Target="{target}"/>'
        for at, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{named}</Relationships>'


def _properties(title: str, moment: datetime) -> str:
    written = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    dates = "".join(
        f'<dcterms:{name} xsi:type="dcterms:W3CDTF">{written}</dcterms:{name}>'
        for name in ("created", "modified")
    )
    return (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties"'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{_escaped(title)}</dc:title><dc:creator>Safe Campus</dc:creator>{dates}</cp:coreProperties>"
    )


def _book(tables: Sequence[Table]) -> str:
    sheets = "".join(
        f'<sheet name="{_escaped(table.name)}" sheetId="{at}" r:id="rId{at}"/>'
        for at, table in enumerate(tables, 1)
    )
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>'


def _sheet(table: Table) -> str:
    widths = "".join(
        f'<col min="{at}" max="{at}" width="{column.width}" customWidth="1"/>'
        for at, column in enumerate(table.columns, 1)
    )
    head = "".join(_text(column.heading, ' s="1"') for column in table.columns)
    texts = _Texts()
    body = "".join(
        [
            f"<row>{''.join([texts[v] if type(v) is str else _number(v) for v in row])}</row>"
            for row in table.rows
        ]
    )
    return (
        f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f"<cols>{widths}</cols><sheetData><row>{head}</row>{body}</sheetData></worksheet>"
    )


class _Texts(dict[str, str]):
    """Cells by what they say: most of a long sheet's say what others say."""

    def __missing__(self, text: str) -> str:
        made = self[text] = _text(text) if text else "<c/>"
        return made


def _text(text: str, style: str = "") -> str:
    kept = ' xml:space="preserve"' if text != text.strip() else ""
    return f'<c t="inlineStr"{style}><is><t{kept}>{_escaped(text)}</t></is></c>'


def _number(value: Cell) -> str:
    return f"<c><v>{value}</v></c>"


def _escaped(text: str) -> str:
    return escape(_UNWRITABLE.sub("", text)) if _SPECIAL.search(text) else text
