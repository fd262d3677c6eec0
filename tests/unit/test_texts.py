"""Every sentence exists in both languages, is used, and stands in the catalogue rather than in a page."""

import re
from datetime import date
from pathlib import Path

import pytest

from safety.sheet import ScoringSheet
from safety.text import Catalogue, CatalogueError, Text, pick_language
from tests.unit.test_standards import product

ROOT = Path(__file__).parents[2]
SLICES = ("safety", "checklists", "drills", "reports", "config")
CJK = re.compile(r"[\u3400-\u9fff]")
TEMPLATES = sorted(path for name in SLICES for path in (ROOT / name).rglob("*.html"))
SOURCES = sorted(path for name in SLICES for path in (ROOT / name).rglob("*.py"))
# Keys that code puts together: everything below these heads counts as used.
PUT_TOGETHER = re.compile(r"""["']((?:[a-z0-9-]+[.-])+)(?:["'] ?~|\{)""")


def texts() -> Catalogue:
    return Catalogue.load(strict=True)


def written() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in [*TEMPLATES, *SOURCES])


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_key_in_a_template_exists(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.S)
    keys = re.findall(r"""\bt\(\s*["']([^"']+)["']\s*[,)]""", source)
    assert [key for key in keys if key not in texts()] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_sentence_stands_in_a_template(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    source = re.sub(r"\{% block \w+_class %\}.*?\{% endblock %\}", "", source)
    bare = re.sub(
        r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!doctype html>|<(style|script)\b.*?</\1>", " ", source, flags=re.S
    )
    visible = re.sub(r"<[^>]*>", " ", bare)
    assert not CJK.search(re.sub(r"\{#.*?#\}", "", source, flags=re.S))
    assert re.findall(r"[A-Za-z]{3,}\s+[A-Za-z]{2,}", visible) == []


def test_every_problem_that_code_names_has_its_sentence() -> None:
    named = set(
        re.findall(r"""(?:BadInput\.one|Problem)\(\s*(?:f?"[^"]*"|None|\w+),\s*"([a-z0-9-]+)\"""", written())
    )
    named |= set(re.findall(r"""(?:NotAllowed|NotFound|Conflict)\(\s*"([a-z0-9-]+)\"""", written()))
    assert sorted(code for code in named if f"problem.{code}" not in texts()) == []


def test_no_sentence_is_left_over() -> None:
    source = written()
    heads = set(PUT_TOGETHER.findall(source)) - {"problem.", "notice."}
    quoted = set(re.findall(r"""["']([a-z0-9][\w.-]*)["']""", source))
    bare = {f"{head}{name}" for head in ("problem.", "notice.") for name in quoted}
    unused = [
        key
        for key in texts()
        if key not in quoted and key not in bare and not any(key.startswith(head) for head in heads)
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ('"a.b" = { zh = "甲" }', "needs exactly zh and en"),
        ('"a.b" = { zh = "甲", en = "a", fr = "a" }', "needs exactly zh and en"),
        ('"a.b" = "甲"', "needs exactly zh and en"),
        ('"a.b" = { zh = "甲", en = " " }', "a language is empty"),
        ('"a.b" = { zh = "甲{x}", en = "a{y}" }', "different placeholders"),
        ('"a.b" = {', "one.toml"),
    ],
)
def test_a_bad_record_is_refused_naming_file_and_key(tmp_path: Path, record: str, said: str) -> None:
    (tmp_path / "one.toml").write_text(record, encoding="utf-8")
    with pytest.raises(CatalogueError, match=said) as caught:
        Catalogue.load(tmp_path)
    assert "one.toml" in str(caught.value)


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text('"a.b" = { zh = "甲", en = "a" }', encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"two.toml: a\.b: given twice"):
        Catalogue.load(tmp_path)


def test_a_missing_key_shows_itself_in_service_and_fails_in_tests() -> None:
    assert Catalogue({}).t("no.such", "zh") == "no.such"
    with pytest.raises(KeyError):
        Catalogue({}, strict=True).t("no.such", "zh")


def test_placeholders_are_filled_and_never_read_attributes() -> None:
    found = Catalogue({"a": Text("{x}个", "{x} of them")})
    assert found.t("a", "en", x=3) == "3 of them"
    assert found.t("a", "zh") == "{x}个"


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh-CN;q=0.8", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("fr,en;q=0.5", "en"),
        ("en;q=0", "zh"),
        ("en;q=nonsense", "zh"),
        ("de", "zh"),
    ],
)
def test_the_browsers_language_is_the_heavier_of_ours(header: str, lang: str) -> None:
    assert pick_language(header) == lang


def test_a_line_is_called_the_same_on_the_score_and_in_the_return() -> None:
    sheet = ScoringSheet.from_standards(product(), date(2026, 9, 30))
    names = {
        **{line.id: line for line in sheet.lines},
        **{f"group.{group.id}": group for group in sheet.groups},
    }
    printed = [key for key in texts() if key.startswith(("return.line.", "return.group."))]
    assert len(printed) > 30
    for key in printed:
        line = key.removeprefix("return.").removeprefix("line.")
        if line == "incidents":  # what is written down, not what is scored
            continue
        found = texts().text(key)
        assert (found.zh, found.en) == (names[line].name("zh"), names[line].name("en"))
