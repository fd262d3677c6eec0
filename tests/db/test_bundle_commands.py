"""import, export, template, score and due as a shell runs them."""

import json
from pathlib import Path

import openpyxl
import pytest

from tests.bundles import SMALL, write
from tests.db.test_commands import Shell


@pytest.fixture
def shell(sqlite_url: str, tmp_path: Path) -> Shell:
    made = Shell(sqlite_url, tmp_path / "data")
    clock = tmp_path / "clock"
    clock.write_text("2026-11-20T12:00+08:00")
    made.environ["SAFE_CAMPUS_TEST_CLOCK"] = str(clock)
    return made


def test_a_bundle_is_imported_scored_and_exported(shell: Shell, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", SMALL)
    dry = shell.json("import", str(folder), "--dry-run")
    assert (dry["written"], dry["problems"]) == (False, [])
    done = shell.json("import", str(folder))
    assert done["written"]
    assert done["files"]["class_sessions"] == {"new": 3, "changed": 0, "unchanged": 0}
    assert shell.json("import", str(folder))["new"] == 0
    score = shell.json("score", "S001", "2026Q3")
    assert score == shell.json("score", "S001", "2026Q3", "--recompute") | {"as_of": score["as_of"]}
    lines = {line["id"]: line for group in score["groups"] for line in group["lines"]}
    assert (lines["T1"]["points"], lines["T3"]["points"]) == ("1.95", "7.20")
    # Before anything was recorded on the 3rd there was no session.
    early = shell.json("score", "S001", "2026Q3", "--as-of", "2026-09-03T09:00")
    weekly = [
        line for group in early["groups"] for line in group["lines"] if line["id"] == "education.weekly"
    ]
    assert weekly[0]["on_time"] == 0
    assert shell.json("export", str(tmp_path / "out"))["files"]["people"] == 5
    assert shell.run("export", str(tmp_path / "out")).returncode == 1
    assert "T1" in shell.run("score", "S001", "2026Q3").stdout
    compared = shell.json("score", "S001", "2026Q3", "--standards-of", "2026-07-01")
    assert compared["comparison_only"] is True
    assert compared["standing"] == compared["other"] == score | {"as_of": compared["standing"]["as_of"]}
    assert {line["difference"] for line in compared["lines"]} == {compared["difference"]} == {"0.00"}
    shown = shell.run("score", "S001", "2026Q3", "--standards-of", "2026-07-01").stdout
    assert "For comparison only" in shown
    assert shell.run("score", "S001", "2026Q3", "--standards-of", "2019-01-01").returncode == 1
    assert shell.run("score", "S001", "2026Q3", "--standards-of", "then").returncode == 2


def test_bad_cells_are_listed_and_the_exit_code_says_so(shell: Shell, tmp_path: Path) -> None:
    bad = SMALL["drills"].replace(",80,", ",many,")
    folder = write(tmp_path / "in", {**SMALL, "drills": bad})
    found = shell.json("import", str(folder), code=1)
    assert found["written"] is False
    assert found["problems"] == [
        {
            "file": "drills.csv",
            "row": 2,
            "column": "participants",
            "code": "integer-form",
            "message": "“many” is not a whole number",
        }
    ]
    outcome = shell.run("import", str(folder))
    assert outcome.returncode == 1
    assert "drills.csv row 2 participants" in outcome.stderr
    assert shell.json("import", str(tmp_path / "nowhere"), code=1)["problems"][0]["code"] == "bundle-missing"


def test_what_is_due_is_said_with_its_source(shell: Shell, tmp_path: Path) -> None:
    shell.json("import", str(write(tmp_path / "in", SMALL)))
    owed = shell.json("due", "S001", "--on", "2026-09-02")
    gate = [item for item in owed["due"] if item["line"] == "duty.gate" and item["due"] == "2026-09-02"]
    assert [(item["name"], item["done"], item["state"]) for item in gate] == [
        ("高守门", 1, "done"),
        ("", 0, "open"),
    ]
    assert all(item["rule"] and item["source"] and item["roles"] for item in owed["due"])
    assert shell.run("due", "S009").returncode == 1
    assert shell.run("due", "S001", "--on", "tomorrow").returncode == 2


def test_a_tally_that_lies_is_found_by_recompute(shell: Shell, tmp_path: Path) -> None:
    import sqlite3

    shell.json("import", str(write(tmp_path / "in", SMALL)))
    with sqlite3.connect(tmp_path / "campus.db") as database:
        database.execute("update tally set on_time = 9 where line = 'food.samples'")
    outcome = shell.run("score", "S001", "2026Q3", "--recompute", "--json")
    assert outcome.returncode == 1
    assert "food.samples" in outcome.stderr
    assert json.loads(outcome.stdout)["school"] == "S001"


def test_a_template_has_lists_to_choose_from_and_can_be_taken_in(shell: Shell, tmp_path: Path) -> None:
    shell.json("import", str(write(tmp_path / "in", SMALL)))
    file = tmp_path / "class_sessions.xlsx"
    shell.json("template", "class_sessions", "-o", str(file), "--school", "S001")
    book = openpyxl.load_workbook(file)
    sheet = book["class_sessions"]
    assert [cell.value for cell in sheet[1]][:4] == ["school", "class", "happened_on", "kind"]
    assert {str(rule.sqref).split(":")[0] for rule in sheet.data_validations.dataValidation} == {
        "A2",
        "B2",
        "D2",
        "F2",
    }
    assert "模块" in (sheet["F1"].comment.text if sheet["F1"].comment else "")
    assert [cell.value for cell in book["lists"]["B"]][:2] == ["一(1)班", "一(2)班"]
    sheet.append([])
    for column, value in enumerate(["S001", "一(1)班", "2026-09-15", "weekly", "防火", "injury", 40, 0], 1):
        sheet.cell(2, column, value)
    book.save(file)
    assert shell.json("import", str(file))["new"] == 1
    assert (
        shell.json("template", "nothing", "-o", str(file), code=1)["problems"][0]["code"] == "ledger-unknown"
    )
