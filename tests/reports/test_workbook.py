"""The workbook beside the data, read back with a library that had no part in writing it."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from reports.document import Cause, ReturnDocument
from reports.layout.return_book import return_book
from reports.layout.workbook import Column, Table, workbook
from safety.bundles.workbook import read_workbook
from safety.text import Catalogue
from tests.sample_return import sample_return

MADE = datetime(2026, 9, 30, 16, 0, 5, tzinfo=UTC)
CATALOGUE = Catalogue.load(strict=True)


def book_of(document: ReturnDocument) -> bytes:
    texts = {lang: partial(CATALOGUE.t, lang=lang) for lang in ("zh", "en")}
    return return_book(document, texts["zh"], texts["en"])


@pytest.fixture(scope="module")
def sheets() -> dict[str, Worksheet]:
    document = sample_return(causes=(Cause(line="duty.gate", text="保安一人离职"),))
    book = openpyxl.load_workbook(io.BytesIO(book_of(document)))
    return {sheet.title: sheet for sheet in book.worksheets}


def rows(sheet: Worksheet) -> list[tuple[object, ...]]:
    return list(sheet.iter_rows(values_only=True))


def test_it_has_every_fact_exception_incident_line_and_rule(sheets: dict[str, Worksheet]) -> None:
    document = sample_return()
    assert list(sheets) == ["得分 Score", "事实 Facts", "例外 Exceptions", "事故 Incidents", "规则 Rules"]
    facts = rows(sheets["事实 Facts"])[1:]
    assert [row[1:4] for row in facts] == [
        (fact.line, fact.occurrence, fact.happened_on.isoformat()) for fact in document.facts
    ]
    exceptions = Counter(row[1] for row in rows(sheets["例外 Exceptions"])[1:])
    assert exceptions == Counter(item.line for item in document.exceptions)
    assert len(rows(sheets["事故 Incidents"])) - 1 == sum(len(item.clocks) for item in document.incidents)
    lines = [line for group in document.score.groups for line in group.lines]
    score = rows(sheets["得分 Score"])
    assert [row[2] for row in score[1:-1]] == [line.id for line in lines]
    assert Decimal(str(score[-1][9])) == Decimal(document.score.total or "0")
    assert len(rows(sheets["规则 Rules"])) - 1 == len(document.rules)


def test_headings_are_in_both_languages(sheets: dict[str, Worksheet]) -> None:
    assert rows(sheets["例外 Exceptions"])[0][:4] == (
        "项目 Line",
        "项目代码 Line id",
        "类别 Kind",
        "日期 Date",
    )


def test_a_cause_stands_beside_its_exceptions(sheets: dict[str, Worksheet]) -> None:
    told = {row[1]: row[7] for row in rows(sheets["例外 Exceptions"])[1:]}
    assert told["duty.gate"] == "保安一人离职"
    assert told["duty.patrol"] is None


def test_the_same_return_gives_the_same_bytes_and_its_own_date() -> None:
    book = book_of(sample_return())
    assert book == book_of(sample_return())
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        assert {item.date_time for item in file.infolist()} == {(2026, 9, 30, 16, 0, 4)}
    created = openpyxl.load_workbook(io.BytesIO(book)).properties.created
    assert created is not None
    assert created.isoformat() == "2026-09-30T16:00:05"


def test_text_stays_text() -> None:
    written = ["=1+1", "<b>&amp;\"'", " 空格 ", "a\x00b", "", "喆堃㛃𬱖"]
    table = Table("表 <1>", (Column("值", 9),), [[text] for text in written])
    book = workbook([table], "标题 & <b>", MADE)
    sheet = openpyxl.load_workbook(io.BytesIO(book)).worksheets[0]
    assert sheet.title == "表 <1>"
    assert [row[0] for row in rows(sheet)] == ["值", "=1+1", "<b>&amp;\"'", " 空格 ", "ab", None, "喆堃㛃𬱖"]
    assert {sheet.cell(2, 1).data_type, sheet.cell(3, 1).data_type} <= {"s", "inlineStr"}
    assert read_workbook(book)["表 <1>"][1] == ["=1+1"]


def test_numbers_are_numbers() -> None:
    table = Table("数", (Column("甲", 9), Column("乙", 9)), [[7, Decimal("9.86")]])
    sheet = openpyxl.load_workbook(io.BytesIO(workbook([table], "", MADE))).worksheets[0]
    assert rows(sheet)[1] == (7, 9.86)
