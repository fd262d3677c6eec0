"""How each language writes dates, moments, shares and names in a printed report (PURE)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from reports.document import Words
from safety.clock import ZONE

NUMERALS = "一二三四五六七八九十"
Span = tuple[date, date]
"""The first and the last of some days on end, within a month."""

Text = Callable[..., str]
"""`text(key, **values)` in the language of the document; raises KeyError for an unknown key."""


@dataclass(frozen=True, slots=True)
class Writer:
    """How one language writes dates, shares and names."""

    lang: str
    text: Text

    def word(self, words: Words) -> str:
        return (words.en or words.zh) if self.lang == "en" else words.zh

    def day(self, day: date) -> str:
        if self.lang == "en":
            return f"{day.day} {day:%b} {day.year}"
        return f"{day.year}年{day.month}月{day.day}日"

    def short_day(self, day: date) -> str:
        return f"{day.day} {day:%b}" if self.lang == "en" else f"{day.month}月{day.day}日"

    def moment(self, at: datetime) -> str:
        local = at.astimezone(ZONE)
        return (
            f"{self.day(local.date())} {local:%H:%M}"
            if self.lang == "en"
            else f"{self.day(local.date())}{local:%H:%M}"
        )

    def short_moment(self, at: datetime) -> str:
        local = at.astimezone(ZONE)
        return f"{self.short_day(local.date())} {local:%H:%M}"

    def spans(self, spans: Iterable[Span]) -> str:
        """Days in order, each month named once: `7月1—3、9日，9月2日` or `1–3, 9 Jul; 2 Sep`."""
        months = groupby(spans, key=lambda span: (span[0].year, span[0].month))
        named = [(month, [self._days(span) for span in same]) for (_, month), same in months]
        if self.lang == "en":
            return "; ".join(f"{', '.join(days)} {date(2000, month, 1):%b}" for month, days in named)
        return "，".join(f"{month}月{'、'.join(days)}日" for month, days in named)

    def _days(self, span: Span) -> str:
        first, last = span
        dash = "–" if self.lang == "en" else "—"
        return str(first.day) if first == last else f"{first.day}{dash}{last.day}"

    def numeral(self, number: int) -> str:
        """The number of a heading, from 1 to 10."""
        return str(number) if self.lang == "en" else NUMERALS[number - 1]

    def share(self, part: int, whole: int) -> str:
        """A percentage to a tenth, rounded down: 100.0% is printed only where nothing is missing."""
        if not whole:
            return self.text("return.dash")
        tenths = part * 1000 // whole
        return f"{tenths // 10}.{tenths % 10}%"

    def line_name(self, line: str) -> str:
        """A line of the scoring sheet by name; one that the catalogue does not know by its id."""
        return self.known(f"return.line.{line}", line)

    def fact_name(self, line: str) -> str:
        """What was written down, where the line's name would read as if the accident itself had happened."""
        return self.known(f"return.fact.{line}", self.line_name(line))

    def unit_name(self, unit: str) -> str:
        """A meal in the report's language; classes have their names."""
        return self.known(f"return.unit.{unit}", unit)

    def listed(self, parts: Sequence[str]) -> str:
        """Clauses one after another."""
        return ("; " if self.lang == "en" else "；").join(parts)

    def sentence(self, text: str) -> str:
        """The text with its full stop."""
        return text + ("." if self.lang == "en" else "。")

    def cut(self, text: str, most: int) -> str:
        """At most so many characters of somebody's text."""
        return text if len(text) <= most else f"{text[: most - 1]}…"

    def known(self, key: str, otherwise: str) -> str:
        """The catalogue's word for a code; a code that it does not know yet is printed as it came."""
        try:
            return self.text(key)
        except KeyError:
            return otherwise


def spans_of(days: Sequence[date]) -> list[Span]:
    """Sorted days, those on end put together; a month begins a new span."""
    spans: list[Span] = []
    for day in days:
        if spans and (day - spans[-1][1]).days == 1 and day.day > 1:
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans
