"""Dated records: what is in force when, and a clear word for every kind of bad file."""

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from safety.standards import BadStandards, NoStandard, Record, Standards, parse, parse_all

BAD_FILES = sorted((Path(__file__).parent / "standards").glob("*.toml"))
PRODUCT_FILES = sorted((Path(__file__).parents[2] / "config" / "standards").glob("*.toml"))
D = date


def product() -> Standards:
    return parse_all({path.name: path.read_text(encoding="utf-8") for path in PRODUCT_FILES})


def record(id_: str, value: str, since: str = "2020-01-01", *more: str, unit: str = "days") -> str:
    given = f"value = {value}" if value else "repealed = true"
    lines = [
        f'id = "{id_}"',
        given,
        f'unit = "{unit}"',
        f"from = {since}",
        'source = "某规定"',
        'article = "第二条"',
    ]
    return "\n".join(["[[record]]", *lines, "checked_on = 2026-11-22", 'verified = "V2"', *more, ""])


# ---------------------------------------------------------------- bad files
@pytest.mark.parametrize("path", BAD_FILES, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_in_one_sentence_that_names_the_place(path: Path) -> None:
    """The first line of each file is the sentence (its beginning, where the parser of TOML words the rest)."""
    text = path.read_text(encoding="utf-8")
    with pytest.raises(BadStandards) as caught:
        parse(text, path.name)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(text.splitlines()[0].removeprefix("# "))


def test_every_fault_of_every_file_is_found_at_once() -> None:
    files = {path.name: path.read_text(encoding="utf-8") for path in BAD_FILES}
    with pytest.raises(BadStandards) as caught:
        parse_all(files)
    assert {problem.file for problem in caught.value.problems} == set(files)


def test_the_same_id_and_day_in_two_files_names_both() -> None:
    with pytest.raises(BadStandards, match=r"b\.toml: x from: 2020-01-01 is already given in a\.toml"):
        parse_all({"a.toml": record("x", "1"), "b.toml": record("x", "2")})


# ---------------------------------------------------------------- what is in force
def test_a_value_holds_from_its_day_until_the_next_one() -> None:
    standards = parse(record("x", "7") + record("x", "10", "2026-09-01"), "a.toml")
    assert standards.value_on("x", D(2026, 8, 31)) == 7
    assert standards.value_on("x", D(2026, 9, 1)) == 10
    assert standards.record_on("x", D(2026, 9, 1)).since == D(2026, 9, 1)


def test_before_its_first_day_and_after_its_repeal_there_is_no_value() -> None:
    standards = parse(record("x", "7") + record("x", "", "2026-09-01"), "a.toml")
    assert standards.find("x", D(2026, 9, 1)) is None
    for on in (D(2019, 12, 31), D(2026, 9, 1)):
        with pytest.raises(NoStandard, match=f"'x' is in force on {on}"):
            standards.value_on("x", on)
    with pytest.raises(NoStandard, match="'y'"):
        standards.value_on("y", D(2026, 1, 1))


def test_values_come_in_the_type_of_their_unit() -> None:
    text = (
        record("n", "7")
        + record("p", "4", unit="points")
        + record("q", '"2.5"', unit="points")
        + record("f", '"9/20"', unit="fraction")
        + record("l", '["daily"]', unit="list")
    )
    standards, on = parse(text, "a.toml"), D(2026, 1, 1)
    assert standards.int_on("n", on) == 7
    assert (standards.hundredths_on("p", on), standards.hundredths_on("q", on)) == (400, 250)
    assert standards.fraction_on("f", on) == Fraction(9, 20)
    assert standards.list_on("l", on) == ("daily",)
    for wrong in (standards.fraction_on, standards.hundredths_on, standards.list_on):
        with pytest.raises(TypeError, match="n holds days"):
            wrong("n", on)
    with pytest.raises(TypeError, match="f holds fraction"):
        standards.int_on("f", on)


def test_a_rule_is_shown_with_the_numbers_of_the_day() -> None:
    rule = 'rule_zh = "{x}天，{share%}"'
    share = record("share", '"19/20"', unit="fraction")
    standards = parse(
        record("x", "7", "2020-01-01", rule) + record("x", "9", "2026-09-01", rule) + share, "a.toml"
    )
    assert standards.rule_on("x", D(2026, 1, 1), "zh") == "7天，95%"
    assert standards.rule_on("x", D(2026, 9, 1), "zh") == "9天，95%"


# ---------------------------------------------------------------- versions
def test_the_version_follows_the_content_and_not_the_layout() -> None:
    one = parse('edition = "2026"\n' + record("x", "7") + record("y", "8"), "a.toml")
    other = parse('edition = "2026"\n# why\n' + record("y", "8") + "\n\n" + record("x", "7"), "b.toml")
    changed = parse('edition = "2026"\n' + record("x", "7") + record("y", "9"), "a.toml")
    assert one.version == other.version
    assert one.version.startswith("2026+")
    assert len(one.digest) == 64
    assert changed.version != one.version


# ---------------------------------------------------------------- a bureau's own values
def override(standards: Standards, value: object, since: date, by: str = "临江县教育局") -> Record:
    return standards.override("x", value, since=since, by=by, source="本县通知")


def test_a_bureau_s_value_wins_from_its_own_day_whatever_the_product_says_later() -> None:
    base = parse(record("x", "7") + record("x", "10", "2026-09-01"), "a.toml")
    ours = base.with_overrides([override(base, 5, D(2026, 3, 1))])
    assert [ours.value_on("x", on) for on in (D(2026, 2, 28), D(2026, 3, 1), D(2026, 9, 1))] == [7, 5, 5]
    assert ours.version != base.version
    assert ours.record_on("x", D(2026, 9, 1)).citation("zh") == "临江县教育局：本县通知"
    assert not ours.record_on("x", D(2026, 9, 1)).is_law


def test_a_bureau_laid_on_later_wins_and_a_repeal_gives_back_what_was_below() -> None:
    base = parse(record("x", "7"), "a.toml")
    city = base.with_overrides([override(base, 5, D(2026, 6, 1), "市教育局")])
    mine = override(city, 4, D(2026, 3, 1))
    ended = Record(
        **{f: getattr(mine, f) for f in mine.__slots__}
        | {"value": None, "repealed": True, "since": D(2026, 9, 1)}
    )
    county = city.with_overrides([mine, ended])
    assert county.value_on("x", D(2026, 6, 1)) == 4
    assert county.value_on("x", D(2026, 9, 1)) == 5


def test_an_override_that_does_not_fit_is_refused() -> None:
    base = parse(record("x", "7"), "a.toml")
    with pytest.raises(BadStandards, match="x value: must be a whole number of days"):
        override(base, "soon", D(2026, 1, 1))
    with pytest.raises(BadStandards, match="no such standard"):
        base.override("y", 1, since=D(2026, 1, 1), by="县", source="")
    with pytest.raises(BadStandards, match="must name the bureau"):
        base.with_overrides([override(base, 5, D(2026, 1, 1), by="")])
    with pytest.raises(BadStandards, match="already given"):
        base.with_overrides([override(base, 5, D(2026, 1, 1)), override(base, 6, D(2026, 1, 1))])


# ---------------------------------------------------------------- the product's own files
def test_the_product_s_files_are_sound_and_every_rule_can_be_shown() -> None:
    standards = product()
    for found in standards.in_force(D(2026, 10, 1)):
        for lang in ("zh", "en"):
            assert "{" not in standards.rule_on(found.id, D(2026, 10, 1), lang)
        assert bool(found.rule_zh) == bool(found.rule_en)
        assert bool(found.name_zh) == bool(found.name_en)


def test_nothing_unverified_is_shown_as_law_and_no_default_has_a_citation() -> None:
    for found in product().records:
        if found.verified == "U":
            assert "待核实" in found.citation("zh")
            assert "unverified" in found.citation("en")
        if found.verified == "D":
            assert found.source == found.citation("zh") == "本系统默认值，可由主管部门调整"
            assert not found.article
        assert found.is_law == (found.verified in {"V1", "V2"})


def test_points_penalties_and_thresholds_are_defaults() -> None:
    standards = product()
    assert {r.verified for r in standards.records if r.file == "scoring.toml"} == {"D"}
    assert {
        r.unit for r in standards.records if r.unit in {"points", "fraction"} and r.verified != "D"
    } == set()


def test_the_statutory_days_add_up_to_thirteen() -> None:
    """全国年节及纪念日放假办法, art. 2, as revised on 2024-11-10; the calendar's own rule gives the same."""
    from safety.national import _statutory

    fixed = {
        r.name_zh: r.value
        for r in product().records
        if r.file == "calendar.toml" and r.id.startswith("holiday.")
    }
    assert sum(v for v in fixed.values() if isinstance(v, int)) == 13
    names = list(_statutory(2027).values())
    assert fixed == {name: names.count(name) for name in names}
