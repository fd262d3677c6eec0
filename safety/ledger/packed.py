"""Rows that the database packed, a day to a row, unpacked again (PURE).

Many rows of a day come as one: each column as a text of its values, one behind the other, parted by commas, all in the
same order. Fetching a row costs more than fetching a value, so a day of thirteen check-ins comes for the price of two.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import lru_cache


def packed(column: str, where: str = "") -> str:
    """The SQL of a column's values in a row; with `where`, only of the rows for which it holds. NULLs are left out."""
    chosen = f" filter (where {where})" if where else ""
    return f"string_agg(cast({column} as text), ','){chosen}"


def texts(value: str | None) -> list[str]:
    """The values as they were written; none where there was no row."""
    return value.split(",") if value else []


def ints(value: str | None) -> Iterator[int]:
    """Whole numbers."""
    return map(int, texts(value))


def days(value: str | None) -> Iterator[date]:
    """Days."""
    return map(_day, texts(value))


def instants(value: str | None) -> Iterator[datetime]:
    """Instants, in UTC."""
    return map(_instant, texts(value))


def instants_or_none(value: str | None) -> Iterator[datetime | None]:
    """Instants of a column that was packed as `coalesce(cast(column as text), '')`."""
    return (_instant(text) if text else None for text in (value or "").split(","))


# A quarter has few days and rosters few instants: what was read once is not parsed again.
@lru_cache(maxsize=4096)
def _day(text: str) -> date:
    return date.fromisoformat(text)


@lru_cache(maxsize=16384)
def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
