"""The Excel template of a ledger: its columns with drop-downs and notes, for one school or for any."""

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from safety.ledger.declare import Field, Kind, Ledger
from safety.ledger.parse import Context
from safety.text import Text, t

ROWS = 2000
"""How many rows have drop-downs; more may be filled in."""
NOTES, LISTS = "说明", "lists"
HEAD = PatternFill("solid", fgColor="E4F1ED")
SCHOOL = Field("school", Kind.TEXT, Text("学校代码", "School code"))
FORMS = {
    Kind.DAY: "2026-03-01",
    Kind.INSTANT: "2026-03-01T08:05",
    Kind.THOUSANDTHS: "12.5",
    Kind.INTEGER: "30",
}


def template_xlsx(ledger: Ledger, context: Context | None = None, lang: str = "zh") -> bytes:
    """A workbook to fill in: the sheet named as the ledger is read back by `import`, the others are for people.

    With a school's `context` its code, classes and people are there to choose from.
    """
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = ledger.name
    notes, lists = book.create_sheet(NOTES), book.create_sheet(LISTS)
    fields = (SCHOOL, *ledger.fields)
    for place, item in enumerate(fields, 1):
        _column(sheet, place, item, lang)
        choices = _choices(item, context)
        if choices:
            _drop_down(sheet, lists, place, choices)
    sheet.freeze_panes = "A2"
    _write_notes(notes, ledger, fields, lang)
    lists.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _column(sheet: Worksheet, place: int, item: Field, lang: str) -> None:
    cell = sheet.cell(1, place, item.name)
    cell.font, cell.fill = Font(bold=True), HEAD
    cell.comment = Comment("\n".join(_said(item, lang)), "Safe Campus", height=120, width=280)
    letter = get_column_letter(place)
    sheet.column_dimensions[letter].width = 34 if item.long else 18
    # As text: Excel would otherwise turn 2026-03-01 and 三(1) into things of its own.
    sheet.column_dimensions[letter].number_format = "@"
    for row in range(2, 202):
        sheet.cell(row, place).number_format = "@"


def _choices(item: Field, context: Context | None) -> Sequence[str]:
    if item.kind is Kind.CHOICE:
        return [choice.value for choice in item.choices]
    if context is None:
        return ()
    if item is SCHOOL:
        return [context.facts.code]
    if item.kind is Kind.SCHOOL_CLASS:
        return sorted({known.name for known in context.facts.classes_on(context.recorded_on)})
    return sorted(context.people) if item.kind is Kind.PERSON else ()


def _drop_down(sheet: Worksheet, lists: Worksheet, place: int, choices: Sequence[str]) -> None:
    letter = get_column_letter(place)
    for row, choice in enumerate(choices, 1):
        lists.cell(row, place, choice)
    rule = DataValidation(
        type="list", formula1=f"'{LISTS}'!${letter}$1:${letter}${len(choices)}", allow_blank=True
    )
    rule.add(f"{letter}2:{letter}{ROWS + 1}")
    sheet.add_data_validation(rule)


def _write_notes(notes: Worksheet, ledger: Ledger, fields: Sequence[Field], lang: str) -> None:
    notes.append([ledger.title.to(lang)])
    notes.append([ledger.purpose.to(lang)])
    notes.append([t("template.lead", lang)])
    notes.append([])
    notes.append([t(f"template.{name}", lang) for name in ("column", "meaning", "needed", "form", "choices")])
    for item in fields:
        shown = [f"{choice.value} = {choice.label.to(lang)}" for choice in item.choices]
        notes.append([
            item.name, item.label.to(lang), t("template.yes" if item.required else "template.no", lang),
            _form(item, lang), "；".join(shown),
        ])  # fmt: skip
    for cell in notes["A"]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDE", (20, 24, 10, 34, 70), strict=True):
        notes.column_dimensions[letter].width = width
    for row in notes.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")


def _said(item: Field, lang: str) -> list[str]:
    said = [item.label.to(lang), t("template.required" if item.required else "template.optional", lang)]
    if item.help:
        said.append(item.help.to(lang))
    if form := _form(item, lang):
        said.append(form)
    return said


def _form(item: Field, lang: str) -> str:
    if item.kind in FORMS:
        bounds = [
            f"≥ {item.minimum}" if item.minimum is not None else "",
            f"≤ {item.maximum}" if item.maximum is not None else "",
        ]
        return " ".join([t("template.such-as", lang, example=FORMS[item.kind]), *filter(None, bounds)])
    if item.kind is Kind.PERSON:
        return t("template.login", lang)
    if item.kind is Kind.SCHOOL_CLASS:
        return t("template.class", lang)
    return t("template.length", lang, maximum=item.maximum) if item.maximum else ""
