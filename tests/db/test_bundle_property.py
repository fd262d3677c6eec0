"""Whatever a bundle holds, it comes out as it went in, and scores the same where it goes."""

import csv
import io
import itertools
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.rules import put_in_use
from safety.bundles.actions import import_bundle
from safety.bundles.export import as_csv, export_bundle
from safety.calendar import Period
from safety.clock import ZONE
from safety.database import fetch_tuples
from safety.scores import measured_score, tallied_score
from safety.scoring import as_json
from tests.bundles import NOW, SMALL, write
from tests.conftest import opened

put_in_use()

FIRST = date(2026, 9, 1)
TEXTS = st.text(st.sampled_from("安全提示ab \"，,;'\n=é😀　“”"), min_size=1, max_size=12).filter(
    lambda text: text.strip() and text == text.strip().strip("\ufeff").strip()
)
LINES = TEXTS.filter(lambda text: "\n" not in text and "\u3000" not in text)
CLASSES = st.sampled_from(["一(1)班", "一(2)班"])


@st.composite
def reminders(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Chains of versions in any order, some voided."""
    numbers = itertools.count(1)
    rows: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 5))):
        at = datetime(2026, 9, draw(st.integers(1, 28)), 8, tzinfo=ZONE)
        before = None
        for version in range(draw(st.integers(1, 3))):
            at += timedelta(
                hours=draw(st.integers(0, 300)), microseconds=draw(st.sampled_from([0, 1, 500_000]))
            )
            id_ = UUID(int=next(numbers))
            day = at.date() - timedelta(days=draw(st.integers(0, 2)))
            rows.append({
                "school": "S001", "class": draw(CLASSES), "happened_on": max(day, FIRST).isoformat(),
                "text": draw(TEXTS), "recorded_at": at, "id": id_, "supersedes": before,
                "why": draw(LINES) if version else None, "recorded_by": draw(st.sampled_from([None, "an", "sun"])),
            })  # fmt: skip
            before = id_
        if draw(st.booleans()):
            rows[-1] |= {"voided_at": at + timedelta(hours=1), "void_why": draw(LINES), "voided_by": "an"}
    return draw(st.permutations(rows))


@st.composite
def incidents(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    rows, events = [], []
    for number in range(draw(st.integers(0, 2))):
        at = datetime(2026, 9, draw(st.integers(1, 29)), 10, tzinfo=ZONE)
        reported = draw(st.none() | st.integers(0, 40))
        id_ = UUID(int=900 + number)
        rows.append({
            "school": "S001", "happened_at": at, "discovered_at": at, "liability": "pending",
            "reported_at": None if reported is None else at + timedelta(hours=reported),
            "reported_by": None if reported is None else draw(st.sampled_from(["school", "superior"])),
            "category": draw(st.sampled_from(["traffic", "other"])), "deaths": draw(st.integers(0, 3)),
            "serious_injuries": 0, "minor_injuries": 1, "affected": 1, "loss_yuan": 0,
            "recorded_at": at + timedelta(hours=48), "id": id_,
        })  # fmt: skip
        for hours in draw(st.lists(st.integers(50, 900), max_size=2, unique=True)):
            when = at + timedelta(hours=hours)
            kind, value = draw(st.sampled_from([("liability", "yes"), ("liability", "no"), ("deaths", "1")]))
            events.append(
                {"entry": id_, "kind": kind, "value": value, "happened_at": when, "recorded_at": when}
            )
    return rows, events


REMINDER = ("school", "class", "happened_on", "text", "recorded_at", "id", "supersedes", "voided_at", "why",
            "recorded_by", "void_why", "voided_by")  # fmt: skip
INCIDENT = (*SMALL["incidents"].split("\n")[0].split(","), "id")
EVENT = ("entry", "kind", "value", "happened_at", "recorded_at")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


async def score_of(code: str) -> Any:
    school = (await fetch_tuples(None, "select id from school where code = $1", [code]))[0][0]
    kept = as_json(await tallied_score(school, Period.parse("2026Q3"), NOW))
    measured = as_json((await measured_score(school, Period.parse("2026Q3"), NOW, now=True))[1])
    assert kept == measured
    return kept


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=reminders(), second=incidents())
async def test_a_random_history_comes_out_as_it_went_in(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, first: Any, second: Any
) -> None:
    folder = tmp_path_factory.mktemp("bundle")
    files = {name: SMALL[name] for name in SMALL if name not in {"daily_reminders", "incidents"}}
    files["daily_reminders"] = as_csv(REMINDER, first)
    files["incidents"] = as_csv(INCIDENT, second[0])
    files["events"] = as_csv(EVENT, second[1])
    write(folder / "in", files)
    scores = []
    for number, source in enumerate(("in", "out0")):
        shutil.copyfile(sqlite_template, folder / f"{number}.db")
        async with opened(f"sqlite:///{folder}/{number}.db"):
            await import_bundle(None, folder / source, NOW)
            scores.append(await score_of("S001"))
            await export_bundle(folder / f"out{number}")
            again = await import_bundle(None, folder / source, NOW)
            assert (again.new, again.changed) == (0, 0)
    assert contents(folder / "out0") == contents(folder / "out1")
    assert scores[0] == scores[1]
    # What was given with an id comes back cell by cell.
    back = contents(folder / "out1").get("daily_reminders.csv", b"").decode()
    found = {row["id"]: row for row in csv.DictReader(io.StringIO(back, newline=""))}
    said = csv.DictReader(io.StringIO(files["daily_reminders"], newline=""))
    assert all(found[row["id"]].get(name, "") == cell for row in said for name, cell in row.items())
