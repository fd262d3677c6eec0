"""How each language writes dates, moments, shares and names in a printed report (PURE)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from reports.document import Words
from safety.clock import ZONE

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

    def share(self, part: int, whole: int) -> str:
        """A percentage to a tenth, rounded down: 100.0% is printed only where nothing is missing."""
        if not whole:
            return self.text("return.dash")
        tenths = part * 1000 // whole
        return f"{tenths // 10}.{tenths % 10}%"

    def known(self, key: str, otherwise: str) -> str:
        """The catalogue's word for a code; a code that it does not know yet is printed as it came."""
        try:
            return self.text(key)
        except KeyError:
            return otherwise
