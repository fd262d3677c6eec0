"""The Excel template of a ledger: names, explanations in both languages, lists to choose from, and an example."""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from safety import in_use
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.errors import BadInput
from safety.ledger.declare import Field, Kind, Ledger
from safety.ledger.parse import COMPUTED
from safety.places.facts import school_facts
from safety.text import t

ROWS = 2000
"""For so many rows there are lists to choose from."""
NOTES, LISTS = "notes", "lists"
HEAD = PatternFill("solid", fgColor="DCE6F1")
FORMS = {
    Kind.DAY: ("yyyy-mm-dd", "2026-09-01"),
    Kind.INSTANT: ("yyyy-mm-dd hh:mm", "2026-09-01T08:00"),
    Kind.INTEGER: ("0", "40"),
    Kind.THOUSANDTHS: ("General", "12.5"),
    Kind.TEXT: ("@", ""),
}


def ledger_named(name: str) -> Ledger:
    """The declared ledger. Raises BadInput `ledger-unknown`."""
    registry = in_use.registry()
    found = registry.get(name)
    if found is None:
        known = ", ".join(ledger.name for ledger in registry)
        raise BadInput.one("LEDGER", "ledger-unknown", name=name, known=known)
    return found


async def template_for(ledger: Ledger, now: datetime, school: int | None = None) -> bytes:
    """The template as an XLSX file; with a school, its classes of today and its people stand in the lists."""
    lists: dict[str, list[str]] = {}
    code = ""
    if school is not None:
        today = local_day(now)
        code = str((await fetch_tuples(None, "select code from school where id = $1", [school]))[0][0])
        sql = "select name from school_class where school = $1 and first_day <= $2 and last_day >= $2 order by id"
        lists["class"] = [name for (name,) in await fetch_tuples(None, sql, [school, today])]
        sql = """select distinct a.login from role_grant g join account a on a.id = g.account
        where g.school = $1 and a.disabled_at is null order by a.login"""
        lists["person"] = [login for (login,) in await fetch_tuples(None, sql, [school])]
        lists["zone"] = [item.label for item in (await school_facts(school)).zones]
    return draw(ledger, lists, code)


def draw(ledger: Ledger, lists: dict[str, list[str]], school: str = "") -> bytes:
    """The workbook: the sheet to fill in, `notes` that explain it, and the hidden `lists`."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = ledger.name
    notes, choices = book.create_sheet(NOTES), book.create_sheet(LISTS)
    choices.sheet_state = "hidden"
    fields = ledger.every_field if lists.get("zone") else ledger.fields
    sheet.append(["school", *(item.name for item in fields)])
    sheet.freeze_panes = "B2"
    _head(sheet, 1, t("bundle.school", "zh") + "\n" + t("bundle.school", "en"))
    if school:
        _choose(sheet, 1, choices, [school])
    for column, item in enumerate(fields, 2):
        _head(sheet, column, _explained(item))
        _shape(sheet, column, item)
        _choose(sheet, column, choices, _choices(item, lists))
    _notes(notes, ledger, fields, school, lists)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def _head(sheet: Worksheet, column: int, text: str) -> None:
    cell = sheet.cell(1, column)
    cell.font, cell.fill = Font(bold=True), HEAD
    cell.comment = Comment(text, "Safe Campus", height=120, width=320)
    sheet.column_dimensions[get_column_letter(column)].width = 18


def _shape(sheet: Worksheet, column: int, item: Field) -> None:
    form = FORMS.get(item.kind)
    if form:
        sheet.column_dimensions[get_column_letter(column)].number_format = form[0]
        for row in range(2, 202):
            sheet.cell(row, column).number_format = form[0]


def _choices(item: Field, lists: dict[str, list[str]]) -> Sequence[str]:
    if item.kind is Kind.CHOICE:
        return [choice.value for choice in item.choices]
    if item.kind is Kind.SCHOOL_CLASS:
        return lists.get("class", [])
    return lists.get(item.kind.value, []) if item.kind in {Kind.PERSON, Kind.ZONE} else []


def _choose(sheet: Worksheet, column: int, lists: Worksheet, values: Sequence[str]) -> None:
    """A drop-down over a range of the hidden sheet: a list written into the rule itself may not be long."""
    if not values:
        return
    letter = get_column_letter(column)
    for row, value in enumerate(values, 1):
        _literally(lists.cell(row, column, value))
    rule = DataValidation("list", formula1=f"={LISTS}!${letter}$1:${letter}${len(values)}", allow_blank=True)
    sheet.add_data_validation(rule)
    rule.add(f"{letter}2:{letter}{ROWS}")


def _explained(item: Field) -> str:
    """What a cell holds, in both languages."""
    return "\n".join(_said(item, lang) for lang in ("zh", "en"))


def _said(item: Field, lang: str) -> str:
    parts = [item.label.to(lang), t("bundle.required" if item.required else "bundle.optional", lang)]
    parts.append(t(f"bundle.kind.{item.kind.value}", lang))
    if item.kind is Kind.CHOICE:
        parts.append(", ".join(f"{choice.value} {choice.label.to(lang)}" for choice in item.choices))
    if item.help is not None:
        parts.append(item.help.to(lang))
    return " · ".join(parts)


def _notes(
    sheet: Worksheet, ledger: Ledger, fields: Sequence[Field], school: str, lists: dict[str, list[str]]
) -> None:
    rows: list[list[Any]] = [
        [ledger.title.zh, ledger.title.en],
        [ledger.purpose.zh, ledger.purpose.en],
        [t("bundle.fill", "zh"), t("bundle.fill", "en")],
        [],
        ["school", t("bundle.school", "zh"), t("bundle.school", "en")],
        *([item.name, _said(item, "zh"), _said(item, "en")] for item in fields),
        [],
        [t("bundle.example", "zh"), t("bundle.example", "en")],
        ["school", *(item.name for item in fields)],
        [school or "S001", *(_example(item, lists) for item in fields)],
    ]
    for row in rows:
        sheet.append(row)
    for letter, width in (("A", 28), ("B", 60), ("C", 60)):
        sheet.column_dimensions[letter].width = width
    for cells in sheet.iter_rows():
        for cell in cells:
            _literally(cell)
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def _literally(cell: Any) -> None:
    """A class may be called =1+1: that is its name, and no formula."""
    if cell.data_type == "f":
        cell.data_type = "s"


def _example(item: Field, lists: dict[str, list[str]]) -> str:
    """A cell of the example row: the initial value where there is one, else something of the right form."""
    choices = _choices(item, lists)
    if item.initial is not None and item.initial not in COMPUTED:
        return item.initial
    if choices:
        return choices[0]
    if not item.required:
        return ""
    return FORMS[item.kind][1] or item.label.zh if item.kind in FORMS else item.name
