"""Versions, voidings and later facts in bundles."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.rules import put_in_use
from safety.database import CampusEngine, fetch_tuples
from tests.bundles import CHAIN, EVENTS, ID, INCIDENT, refused, small, take

put_in_use()


# ---------------------------------------------------------------- versions, voidings, later facts
async def test_versions_may_stand_in_any_order_and_are_timed_by_the_first_alike(
    database: CampusEngine, tmp_path: Path
) -> None:
    await take(tmp_path, small(daily_reminders=CHAIN))
    rows = await fetch_tuples(
        None,
        "select text, timed_on, superseded_by, superseded_at, voided_at, void_why from daily_reminder order by id",
    )
    assert [(row[0], row[1].isoformat()) for row in rows] == [
        ("原", "2026-09-07"),
        ("改二", "2026-09-07"),
        ("改三", "2026-09-20"),
        ("误填", "2026-09-07"),
    ]
    assert [str(row[2])[-1] if row[2] else "" for row in rows] == ["2", "3", "", ""]
    assert rows[0][3] == datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
    assert rows[3][5] == "不是本班"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((f"{ID.format(1)},,,,lin", f"{ID.format(1)},{ID.format(3)},,,lin"), "correction-before"),
        ((f"{ID.format(3)},{ID.format(2)}", f"{ID.format(3)},{ID.format(1)}"), "supersedes-twice"),
        ((f"{ID.format(3)},{ID.format(2)}", f"{ID.format(3)},{ID.format(4)}"), "supersedes-void"),
        ((f"{ID.format(3)},{ID.format(2)}", f"{ID.format(3)},{ID.format(7)}"), "supersedes-unknown"),
        ((f"16:00,{ID.format(4)}", f"16:00,{ID.format(1)}"), "row-twice"),
        ((ID.format(4), "not-an-id"), "id-form"),
        (("2026-09-08T09:00", "2026-09-06T09:00"), "voided-before-recorded"),
        (("错字,an", "错字,nobody"), "account-unknown"),
    ],
)
async def test_versions_that_cannot_be_are_refused(
    sqlite_database: CampusEngine, tmp_path: Path, change: tuple[str, str], expected: str
) -> None:
    text = CHAIN.replace(*change)
    assert text != CHAIN
    found = await refused(tmp_path, small(daily_reminders=text))
    assert expected in [code for _, code in found]
    assert all(re.fullmatch(r"daily_reminders\.csv:[2-5]:[a-z_]*", place) for place, _ in found)


async def test_later_facts_belong_to_the_first_version(database: CampusEngine, tmp_path: Path) -> None:
    await take(tmp_path, small(incidents=INCIDENT, events=EVENTS))
    assert await fetch_tuples(None, "select ledger, kind, value from entry_event") == [
        ("incidents", "liability", "no")
    ]
    again = await take(tmp_path, small(incidents=INCIDENT, events=EVENTS))
    assert (again.new, again.changed) == (0, 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((ID.format(9), ID.format(8)), ("events.csv:2:entry", "entry-unknown")),
        (("liability,no", "colour,no"), ("events.csv:2:kind", "choice-unknown")),
        (("liability,no", "liability,perhaps"), ("events.csv:2:value", "choice-unknown")),
        (("2026-09-20T10:00", "2026-09-20T12:00"), ("events.csv:2:happened_at", "event-in-future")),
        (("2026-09-20T10:00", "2026-09-01T12:00"), ("events.csv:2:happened_at", "event-before-entry")),
        (("2026-09-20T11:00", "2027-09-20T11:00"), ("events.csv:2:recorded_at", "recorded-in-future")),
        # The incident was recorded at noon of that day.
        (
            ("2026-09-20T10:00,2026-09-20T11:00", "2026-09-15T11:00,2026-09-15T11:59"),
            ("events.csv:2:recorded_at", "event-before-recorded"),
        ),
    ],
)
async def test_a_bad_event_is_named(
    sqlite_database: CampusEngine, tmp_path: Path, change: tuple[str, str], expected: tuple[str, str]
) -> None:
    found = await refused(tmp_path, small(incidents=INCIDENT, events=EVENTS.replace(*change, 1)))
    assert found == [expected]
