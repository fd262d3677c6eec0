"""What a return prints, before it is drawn: dates put together, caps, causes, and what changed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest

from reports.document import Cause, Change, Exceptional, LineChange, ReturnDocument
from reports.layout.exception_view import ExceptionRow
from reports.layout.view import View, view
from reports.layout.wording import Writer, spans_of
from safety.text import Catalogue
from tests.sample_return import sample_return, worst_return

CATALOGUE = Catalogue.load(strict=True)


def shown(document: ReturnDocument, lang: str = "zh", verify_url: str = "") -> View:
    return view(document, lang, partial(CATALOGUE.t, lang=lang), verify_url)


def missed(line: str, days: list[date], unit: str = "") -> tuple[Exceptional, ...]:
    return tuple(
        Exceptional(line=line, kind="missed", occurrence=f"{day}/{unit}", due_on=day, unit=unit)
        for day in days
    )


def rows(*exceptions: Exceptional, **changes: object) -> tuple[ExceptionRow, ...]:
    return shown(sample_return(exceptions=exceptions, **changes)).exceptions


def days(*numbers: int) -> list[date]:
    return [date(2026, 9, number) for number in numbers]


@pytest.mark.parametrize(
    ("lang", "said"),
    [("zh", "7月30—31日，8月1—2、4日，9月9日"), ("en", "30–31 Jul; 1–2, 4 Aug; 9 Sep")],
)
def test_days_on_end_are_put_together_and_a_month_is_named_once(lang: str, said: str) -> None:
    text = partial(CATALOGUE.t, lang=lang)
    listed = [date(2026, 7, 30), date(2026, 7, 31), date(2026, 8, 1), date(2026, 8, 2)]
    listed += [date(2026, 8, 4), date(2026, 9, 9)]
    assert Writer(lang, text).spans(spans_of(listed)) == said


def test_few_classes_are_named_with_their_days() -> None:
    (row,) = rows(
        *missed("education.daily", days(2, 3), "一(1)班"), *missed("education.daily", days(3), "二(1)班")
    )
    assert (row.count, row.dates) == (3, "一(1)班：9月2日；一(1)班、二(1)班：9月3日")


def test_many_classes_are_counted() -> None:
    exceptions = [
        item for n in range(1, 12) for item in missed("education.daily", days(n, n + 1), f"一({n:02})班")
    ]
    (row,) = rows(*exceptions)
    assert row.count == 22
    assert row.dates.startswith("一(01)班2次、一(02)班2次")
    assert row.dates.endswith("另3个班级或岗位共6次（9月1日至9月12日）")


def test_what_is_not_printed_is_counted() -> None:
    apart = [date(2026, 7, 1) + timedelta(days=2 * n) for n in range(20)]
    (row,) = rows(*missed("duty.patrol", apart), *missed("duty.patrol", apart[-1:]))
    assert row.count == 21
    assert row.dates.endswith("；另有5次见所附工作簿")


def test_a_cause_is_told_once_for_its_line() -> None:
    late = Exceptional(line="duty.gate", kind="late", occurrence="x", due_on=date(2026, 9, 4))
    told = rows(
        *missed("duty.gate", days(1)),
        late,
        *missed("duty.patrol", days(1)),
        causes=(Cause(line="duty.gate", text="保安一人离职" * 30),),
    )
    assert [bool(row.cause) for row in told] == [True, False, False]
    assert told[0].cause.startswith("原因：保安一人离职")
    assert told[0].cause.endswith("…")
    assert len(told[0].cause) < 100


def test_a_new_version_says_what_changed() -> None:
    changes = (
        LineChange(line="food.samples", before="6.10", after="6.20", reason="补录晚餐留样"),
        LineChange(line="duty.gate", before=None, after="2.07"),
    )
    said = shown(sample_return(version=2, previous_digest="a7" * 32, changes_since=changes))
    assert said.changes == (
        "与第1版相比，下列各项得分有变化：",
        "门卫值守由—分变为2.07分；食品留样由6.10分变为6.20分（补录晚餐留样）。",
    )
    assert said.headings["changes"] == "四、与上一版的不同"
    assert said.headings["sign_off"] == "五、校长签批"
    assert shown(worst_return()).changes == ("与第1版相比，各项得分没有变化。",)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("zh", "自第1版以来没有任何变化。学校说明：数据核对无误"),
        (
            "en",
            "Nothing has changed since version 1. The school says why it sends this version: 数据核对无误",
        ),
    ],
)
def test_a_version_without_any_change_says_so_and_why(lang: str, said: str) -> None:
    made = sample_return(version=2, previous_digest="a7" * 32, unchanged=True, reason="数据核对无误")
    assert shown(made, lang).changes == (said,)
    assert not any("数据核对无误" in note for note in shown(made, lang).notes)


def test_a_first_version_has_no_such_part() -> None:
    said = shown(sample_return())
    assert said.changes == ()
    assert list(said.headings) == ["score", "exceptions", "incidents", "sign_off"]


def test_alike_changes_after_the_sign_off_are_told_together() -> None:
    sign_off = sample_return().sign_off
    assert sign_off is not None
    changes = [
        Change(id=str(n), line="duty.gate", happened_on=day, kind="added")
        for n, day in enumerate(days(28, 29, 29))
    ]
    changed = type(sign_off)(
        signer="甲", signed_at=sign_off.signed_at, facts_digest="5f" * 32, changes=tuple(changes)
    )
    assert "门卫值守（9月28—29日）新增3条。" in shown(sample_return(sign_off=changed)).sign_off[0]


def test_every_scored_line_names_its_source_by_number() -> None:
    said = shown(sample_return())
    numbers = {row.source for row in said.rows if row.kind == "line"}
    assert "" not in numbers
    assert all(number in said.sources for number in numbers)


def test_a_translation_says_so_and_the_chinese_does_not() -> None:
    assert "TRANSLATION" in shown(sample_return(), "en").flags
    assert any("translation" in note for note in shown(sample_return(), "en").notes)
    assert not any("译" in said for said in (*shown(sample_return()).flags, *shown(sample_return()).notes))


def test_without_an_address_there_is_no_code() -> None:
    assert not shown(sample_return()).qr
    assert "<path" in shown(sample_return(), verify_url="https://x.example/verify?d=1").qr
