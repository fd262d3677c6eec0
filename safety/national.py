"""The country's working days and public holidays: pure, and cached a year at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache

import chinese_calendar.constants as published

DAY = timedelta(days=1)

HOLIDAY_NAMES_EN = {
    "元旦": "New Year's Day",
    "春节": "Spring Festival",
    "清明节": "Tomb-sweeping Day",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-autumn Festival",
    "国庆节": "National Day",
    "抗战胜利纪念日": "Victory Day",
}
_NAMES_ZH = {english: chinese for chinese, english in HOLIDAY_NAMES_EN.items()} | {
    "Anti-Fascist 70th Day": "抗战胜利纪念日"
}


@dataclass(frozen=True, slots=True)
class _Year:
    """One year's exceptions from the plain week: days off by name, and weekend days worked."""

    off: Mapping[date, str]
    makeup: frozenset[date]
    provisional: bool


_PUBLISHED = frozenset(day.year for day in published.holidays)


@lru_cache(maxsize=256)
def _year(year: int) -> _Year:
    if year in _PUBLISHED:
        off = {d: _NAMES_ZH.get(name, name) for d, name in published.holidays.items() if d.year == year}
        return _Year(off, frozenset(d for d in published.workdays if d.year == year), provisional=False)
    return _Year(_statutory(year), frozenset(), provisional=True)


def _statutory(year: int) -> dict[date, str]:
    """The thirteen days fixed by 全国年节及纪念日放假办法 as revised on 2024-11-10, art. 2."""
    from lunar_python import Lunar, Solar

    def lunar(month: int, day: int) -> date:
        solar = Lunar.fromYmd(year, month, day).getSolar()
        return date(solar.getYear(), solar.getMonth(), solar.getDay())

    spring, term = lunar(1, 1), "清明"
    tomb = next(d for d in (3, 4, 5, 6) if Solar.fromYmd(year, 4, d).getLunar().getJieQi() == term)
    days = {date(year, 1, 1): "元旦"}
    days |= {spring + DAY * offset: "春节" for offset in (-1, 0, 1, 2)}
    days |= {date(year, 4, tomb): "清明节", date(year, 5, 1): "劳动节", date(year, 5, 2): "劳动节"}
    # 中秋 may fall inside 国庆; the later assignment names the day, which is off either way.
    days |= {lunar(5, 5): "端午节", lunar(8, 15): "中秋节"}
    return days | {date(year, 10, d): "国庆节" for d in (1, 2, 3)}


@dataclass(frozen=True)
class National:
    """Working days and public holidays of the country, with a bureau's dated table laid over them.

    Years whose notice the calendar library knows are taken from it. Any other year is provisional
    (暂定，未发布): weekdays less the statutory days, none exchanged. `overrides` hold (day, working, name);
    `announced` names the years whose whole notice a bureau has entered there: they are not provisional.
    """

    overrides: tuple[tuple[date, bool, str], ...] = ()
    announced: frozenset[int] = frozenset()

    @classmethod
    def with_table(
        cls, table: Mapping[date, tuple[bool, str]], announced: frozenset[int] = frozenset()
    ) -> "National":
        """The calendar overlaid with `{day: (working, name)}`."""
        return cls(tuple((d, *table[d]) for d in sorted(table)), announced)

    @cached_property
    def _table(self) -> dict[date, tuple[bool, str]]:
        return {day: (working, name) for day, working, name in self.overrides}

    def is_working_day(self, day: date) -> bool:
        """Whether people work that day; make-up workdays count."""
        entered = self._table.get(day)
        if entered is not None:
            return entered[0]
        year = _year(day.year)
        return day in year.makeup if day.weekday() >= 5 else day not in year.off

    def holiday_name(self, day: date) -> str | None:
        """The Chinese name of the public holiday that the day off belongs to, or None."""
        entered = self._table.get(day)
        if entered is not None:
            return None if entered[0] else entered[1] or None
        return _year(day.year).off.get(day)

    def is_public_holiday(self, day: date) -> bool:
        """Whether the day is one of a public holiday's days off, weekend days of its notice included."""
        return self.holiday_name(day) is not None

    def is_provisional(self, year: int) -> bool:
        """Whether the year's notice is neither in the library nor entered by the bureau."""
        return _year(year).provisional and year not in self.announced
