"""Excel files that mean harm are refused, and nothing but a process of their own ends of them."""

import pytest

from safety.bundles.workbook import NoWorkbook, Sprawling, read_workbook
from tests.workbooks import OPPOSITE_CORNERS, cell, swollen, workbook


def test_cells_come_as_they_would_stand_in_a_csv() -> None:
    rows = f'<row r="1">{cell("A1", "三(1)班")}<c r="C1"><v>1.5</v></c><c r="D1" t="b"><v>1</v></c></row>'
    assert read_workbook(workbook(rows)) == {"class_sessions": [["三(1)班", "", "1.5", "true"]]}


@pytest.mark.parametrize("data", [b"", b"PK not really", b"\xd0\xcf\x11\xe0" + b"\0" * 600])
def test_what_is_no_workbook_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NoWorkbook):
        read_workbook(data)


def test_two_cells_in_opposite_corners_are_refused() -> None:
    assert len(OPPOSITE_CORNERS) < 2000
    with pytest.raises(Sprawling):
        read_workbook(OPPOSITE_CORNERS)


def test_a_small_file_that_unfolds_to_a_large_one_is_refused() -> None:
    data = swollen(100)
    assert len(data) < 1_000_000
    with pytest.raises(Sprawling):
        read_workbook(data)
