from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from safety.clock import FileClock, FixedClock, SystemClock, day_start, local_day, parse_instant

NEW_YEAR_IN_SHANGHAI = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta(0)


def test_a_fixed_clock_stands_still_until_set() -> None:
    clock = FixedClock(NEW_YEAR_IN_SHANGHAI)
    assert clock.now() == clock.now() == NEW_YEAR_IN_SHANGHAI
    clock.set(NEW_YEAR_IN_SHANGHAI + timedelta(days=1))
    assert clock.now() == NEW_YEAR_IN_SHANGHAI + timedelta(days=1)


def test_a_naive_instant_is_refused() -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="needs a zone"):
        FixedClock(naive)
    with pytest.raises(ValueError, match="needs a zone"):
        local_day(naive)


def test_the_day_turns_at_midnight_in_shanghai() -> None:
    assert local_day(NEW_YEAR_IN_SHANGHAI) == date(2026, 1, 1)
    assert local_day(NEW_YEAR_IN_SHANGHAI - timedelta(microseconds=1)) == date(2025, 12, 31)
    assert day_start(date(2026, 1, 1)) == NEW_YEAR_IN_SHANGHAI


@pytest.mark.parametrize(
    "text",
    ["2025-12-31T16:00:00Z", "2026-01-01T00:00:00+08:00\n", "2026-01-01T00:00", " 2026-01-01 00:00:00"],
)
def test_an_instant_without_a_zone_is_shanghai_time(text: str) -> None:
    assert parse_instant(text) == NEW_YEAR_IN_SHANGHAI


@pytest.mark.parametrize("text", ["", "2026-01-01", "2026-01-01T00", "tomorrow at noon"])
def test_half_an_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a date and time|Invalid isoformat"):
        parse_instant(text)


def test_a_file_clock_follows_its_file(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("2026-01-01T00:00:00+08:00")
    clock = FileClock(file)
    assert clock.now() == NEW_YEAR_IN_SHANGHAI
    file.write_text("2026-01-02T00:00:00+08:00")
    assert clock.now() == NEW_YEAR_IN_SHANGHAI + timedelta(days=1)


@pytest.mark.parametrize("damage", ["", "2026-01", None])
def test_a_file_clock_holds_while_its_file_is_replaced(tmp_path: Path, damage: str | None) -> None:
    file = tmp_path / "clock"
    file.write_text("2026-01-01T00:00:00+08:00")
    clock = FileClock(file)
    clock.now()
    if damage is None:
        file.unlink()
    else:
        file.write_text(damage)
    assert clock.now() == NEW_YEAR_IN_SHANGHAI


def test_a_file_clock_that_never_read_an_instant_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no-such-clock"):
        FileClock(tmp_path / "no-such-clock").now()
