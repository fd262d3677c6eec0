"""Every worked case comes to what it says, and every sentence of the scoring rules has a case."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from safety.scoring import Score, as_json
from tests.unit.cases import Book, Case, book_of, read_cases, read_rules, run

CASES = read_cases()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_case_comes_to_what_it_says(case: Case) -> None:
    book = book_of(case)
    found = run(book, case.period, case.at, case.standards)
    said = shown(found, book)
    assert part(said, case.expected) == case.expected, case.why


def shown(found: Score, book: Book) -> dict[str, Any]:
    """A score as cases speak of it: its JSON, with lines and groups by id and entries by the case's own names."""
    document = as_json(found)
    groups = {group["id"]: group for group in document["groups"]}
    lines = {line["id"]: line for group in document["groups"] for line in group["lines"]}
    for id_, line in lines.items():
        line["entries"] = sorted(book.name_of(entry) for entry in found.line(id_).entries)
        line["attainment"] = str(found.line(id_).attainment)
    for printed in (*document["penalties"], *document["veto"]):
        printed["incident"] = book.name_of(UUID(printed["incident"]))
    # TOML has no word for nothing.
    words = {key: document[key] or "none" for key in ("total", "grade")}
    return document | {"groups": groups, "lines": lines} | words


def part(found: Any, expected: Any) -> Any:
    """As much of what was found as is expected."""
    if isinstance(expected, Mapping):
        return {key: part(found[key], value) for key, value in expected.items()}
    return found


def test_every_sentence_of_the_rules_has_a_case() -> None:
    worked = {rule for case in CASES for rule in case.rules}
    rules = read_rules()
    assert sorted(rules.keys() - worked) == []
    assert sorted(worked - rules.keys()) == []


def test_cases_are_named_once_in_both_languages_and_explained() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    assert [c.id for c in CASES if not (c.zh and c.en and c.why.strip() and c.rules and c.expected)] == []


def test_all_cases_run_in_seconds() -> None:
    start = time.monotonic()
    for case in CASES:
        run(book_of(case), case.period, case.at, case.standards)
    assert time.monotonic() - start < 20
