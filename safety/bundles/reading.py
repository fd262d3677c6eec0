"""From files to rows of text: CSV in UTF-8 or GB18030, Excel workbooks. What cannot be read is named, never guessed."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safety.bundles.files import FileSpec
from safety.bundles.workbook import NoWorkbook, Sprawling, read_workbook
from safety.errors import BadInput, Problem

MOST_BYTES = 400_000_000
EXCEL = (".xlsx", ".xlsm", ".xls", ".ods")
LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})

Rows = list[tuple[int, list[str]]]


class Unreadable(Exception):
    """A file that cannot be read: `problem` says why."""

    def __init__(self, place: str, code: str, **values: Any) -> None:
        super().__init__(code)
        self.problem = Problem(place, code, values)


@dataclass(frozen=True)
class Sheet:
    """One file of a bundle: rows as column → text, each with its number (the header is row 1)."""

    name: str
    file: str
    columns: tuple[str, ...]
    rows: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)

    def place(self, row: int, column: str | None) -> str:
        """How a problem names a cell."""
        return f"{self.file}:{row}:{column or ''}"


def read_folder(folder: Path, specs: Mapping[str, FileSpec]) -> tuple[dict[str, Sheet], list[Problem]]:
    """The sheets of a folder (or of one file) by name, and everything about their form that is wrong.

    Raises BadInput if there is no such folder.
    """
    if not folder.exists():
        raise BadInput.one(str(folder), "bundle-missing")
    files = [folder] if folder.is_file() else sorted(folder.iterdir())
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    for path in files:
        if path.name.startswith((".", "~$")) or path.name.lower() in LITTER:
            continue
        try:
            for sheet in read_file(path.name, path.read_bytes() if path.is_file() else b"", specs, problems):
                if sheet.name in sheets:
                    problems.append(
                        Problem(sheet.place(1, None), "file-twice", {"other": sheets[sheet.name].file})
                    )
                else:
                    sheets[sheet.name] = sheet
        except Unreadable as error:
            problems.append(error.problem)
    return sheets, problems


def read_file(
    name: str, data: bytes, specs: Mapping[str, FileSpec], problems: list[Problem]
) -> Iterator[Sheet]:
    """The sheets of one file. Raises Unreadable; what is wrong with a header or a row is added to `problems`."""
    stem, _, ending = name.rpartition(".")
    ending = f".{ending.lower()}"
    if len(data) > MOST_BYTES:
        raise Unreadable(f"{name}:0:", "file-large", most=MOST_BYTES // 1_000_000)
    if ending == ".csv" and stem in specs:
        yield from _sheet(name, specs[stem], _csv_rows(name, data), problems)
    elif ending in EXCEL:
        yield from _workbook(name, stem, data, specs, problems)
    else:
        raise Unreadable(f"{name}:0:", "file-unknown", known=", ".join(specs))


# ---------------------------------------------------------------- CSV
def _csv_rows(name: str, data: bytes) -> Rows:
    rows: Rows = []
    reader = csv.reader(io.StringIO(decoded(name, data), newline=""), strict=True)
    try:
        for row in reader:
            rows.append((len(rows) + 1, row))
    except csv.Error as error:
        raise Unreadable(f"{name}:{len(rows) + 1}:", "csv-broken", error=str(error)) from error
    return rows


def decoded(name: str, data: bytes) -> str:
    """The text of a file in UTF-8 (with or without mark) or GB18030. Raises Unreadable."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = _decoded_gb(name, data, _row_at(data, error.start))
    if "\0" in text:
        raise Unreadable(f"{name}:{_row_at(data, data.index(0))}:", "encoding")
    return text


def _row_at(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _decoded_gb(name: str, data: bytes, row: int) -> str:
    # GB18030 makes something of nearly any bytes, so a UTF-8 file with one damaged letter must not get that far.
    guess = data.decode("utf-8", "surrogateescape")
    damaged = sum("\udc80" <= letter <= "\udcff" for letter in guess)
    whole = sum("\u2e80" <= letter < "\ud800" for letter in guess)
    if 3 * whole > damaged:
        raise Unreadable(f"{name}:{row}:", "encoding")
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name}:{_row_at(data, error.start)}:", "encoding") from error
    if any(unicodedata.category(letter) in {"Co", "Cn"} for letter in set(text)):
        raise Unreadable(f"{name}:{row}:", "encoding")
    return text


# ---------------------------------------------------------------- Excel
def _workbook(
    name: str, stem: str, data: bytes, specs: Mapping[str, FileSpec], problems: list[Problem]
) -> Iterator[Sheet]:
    try:
        contents = read_workbook(data)
    except NoWorkbook as error:
        raise Unreadable(f"{name}:0:", "excel-unreadable") from error
    except Sprawling as error:
        raise Unreadable(f"{name}:0:", "excel-sprawling") from error
    for title, cells in contents.items():
        if not any(cell for row in cells for cell in row):
            continue
        known = title if title in specs else stem if len(contents) == 1 and stem in specs else None
        if known is None:
            raise Unreadable(f"{name}#{title}:0:", "file-unknown", known=", ".join(specs))
        rows = list(enumerate(cells, 1))
        yield from _sheet(name if known == stem else f"{name}#{title}", specs[known], rows, problems)


# ---------------------------------------------------------------- header and rows
def _sheet(file: str, spec: FileSpec, rows: Rows, problems: list[Problem]) -> Iterable[Sheet]:
    number, header = rows[0] if rows else (1, [])
    names = [spec.named(name) for name in header]
    while names and not names[-1]:
        names.pop()
    sheet = Sheet(spec.name, file, tuple(names))
    wrong = list(_header_problems(sheet, spec, number))
    problems += wrong
    if wrong:
        return
    for row, cells in rows[1:]:
        if not any(cell and not cell.isspace() for cell in cells):
            continue
        found = _row_problem(sheet, row, cells)
        if found:
            problems.append(found)
        else:
            sheet.rows.append((row, dict(zip(names, cells, strict=False))))
    yield sheet


def _header_problems(sheet: Sheet, spec: FileSpec, row: int) -> Iterator[Problem]:
    seen: set[str] = set()
    for name in sheet.columns:
        if name in seen:
            yield Problem(sheet.place(row, name), "column-twice", {"name": name})
        elif name not in spec.columns and name not in spec.optional:
            known = ", ".join((*spec.columns, *spec.optional))
            yield Problem(sheet.place(row, name), "column-unknown", {"name": name, "known": known})
        seen.add(name)
    for name in spec.columns:
        if name not in seen:
            yield Problem(sheet.place(row, name), "column-missing", {"name": name})


def _row_problem(sheet: Sheet, row: int, cells: Sequence[str]) -> Problem | None:
    width = len(sheet.columns)
    if len(cells) < width:
        return Problem(sheet.place(row, None), "row-short", {"cells": len(cells), "columns": width})
    if any(cell.strip() for cell in cells[width:]):
        return Problem(sheet.place(row, None), "row-long", {"cells": len(cells), "columns": width})
    return None
