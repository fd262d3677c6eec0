"""The score as a return shows it: the table, the sources behind its lines, and what the charts compare (PURE)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reports.document import ReturnDocument, Rule, ScoreGroup, ScoreLine
from reports.layout.charts import Bar, Pair
from reports.layout.wording import Writer

TARGETS = "targets"
NO_LEDGER = "no-ledger"
ZERO_REPORT_LINE = "T2"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the score table. `cells`: a group's two shares, or a line's six counts and two shares. `source`: the
    number of the source that stands below the table.
    """

    kind: Literal["group", "line"]
    name: str
    cells: tuple[str, ...]
    max: str
    points: str
    status: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """Over some lines, in occurrences: what was expected, and what was done of it on time, late and after the close."""

    expected: int
    on_time: int
    late: int
    backfilled: int

    @property
    def done(self) -> int:
        """Late and backfilled work is done work."""
        return self.on_time + self.late + self.backfilled


def all_lines(document: ReturnDocument) -> list[ScoreLine]:
    """Every line, in the order of the scoring sheet."""
    return [line for group in document.score.groups for line in group.lines]


def rates(lines: Iterable[ScoreLine]) -> Rates:
    """The rates of the lines that apply."""
    applying = [line for line in lines if line.applies]
    return Rates(
        sum(line.expected for line in applying),
        sum(line.on_time for line in applying),
        sum(line.late for line in applying),
        sum(line.backfilled for line in applying),
    )


def duties(document: ReturnDocument) -> Rates:
    """The rates of all duties, which targets are not."""
    return rates(line for group in document.score.groups if group.id != TARGETS for line in group.lines)


def zero_reports(document: ReturnDocument) -> Rates:
    """The rates of zero-reports, which answer several targets and are read at one."""
    return rates(line for line in all_lines(document) if line.id == ZERO_REPORT_LINE)


# ---------------------------------------------------------------- the table
def rows(document: ReturnDocument, write: Writer) -> tuple[Row, ...]:
    """Each group and its lines that have a ledger; the others are named in one sentence below the table."""
    numbered = enumerate(_by_source(document, write), 1)
    numbers = {line: _number(at, write) for at, (_, lines) in numbered for line in lines}
    return tuple(row for group in document.score.groups for row in _group_rows(group, numbers, write))


def _group_rows(group: ScoreGroup, numbers: dict[str, str], write: Writer) -> list[Row]:
    lines = [line for line in group.lines if line.status != NO_LEDGER]
    if not lines:
        return []
    shares = _shares(rates(lines), write) if group.id != TARGETS else ("", "")
    head = Row("group", group_name(group, write), shares, group.max, group.points, "")
    return [head, *(_line_row(line, numbers.get(line.id, ""), write) for line in lines)]


def group_name(group: ScoreGroup, write: Writer) -> str:
    """A group by name; one that the catalogue does not know by its id."""
    return write.known(f"return.group.{group.id}", group.id)


def _line_row(line: ScoreLine, source: str, write: Writer) -> Row:
    status, name = write.text(f"return.status.{line.status}"), write.line_name(line.id)
    dash = write.text("return.dash")
    if not line.applies:
        return Row("line", name, (dash,) * 8, dash, dash, status, source)
    counts = (line.expected, line.on_time, line.late, line.backfilled, line.missing, line.open)
    cells = (*map(str, counts), *_shares(rates([line]), write))
    return Row("line", name, cells, line.max, line.points, status, source)


def _shares(found: Rates, write: Writer) -> tuple[str, str]:
    return write.share(found.done, found.expected), write.share(found.on_time, found.expected)


def unscored(document: ReturnDocument, write: Writer) -> str:
    """The lines that no ledger answers yet, in a sentence; empty where there is none."""
    names = [write.line_name(line.id) for line in all_lines(document) if line.status == NO_LEDGER]
    return write.text("return.score.unscored", lines=write.text("return.comma").join(names)) if names else ""


def sums(document: ReturnDocument, write: Writer) -> tuple[tuple[str, str], ...]:
    """The last rows: the total, and where something was taken off, the sum before it."""
    score = document.score
    if score.total is None:
        return ((write.text("return.score.total"), write.text("return.dash")),)
    total = (write.text("return.score.total"), score.total)
    if not score.penalties:
        return (total,)
    off = sum(_hundredths(penalty.points) for penalty in score.penalties)
    earned = sum(_hundredths(group.points) for group in score.groups)
    return (
        (write.text("return.score.sum"), _points(earned)),
        (write.text("return.score.penalties"), f"−{_points(off)}"),
        total,
    )


def _hundredths(points: str) -> int:
    """`"-2.00"` and `"2.00"` are both a deduction of 200."""
    return int(points.lstrip("-").replace(".", ""))


def _points(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


# ---------------------------------------------------------------- what the lines rest on
def sources(document: ReturnDocument, write: Writer) -> str:
    """Every source once, under the number that its lines carry; empty where no rule is given."""
    named = [f"{_number(at, write)}{source}" for at, (source, _) in enumerate(_by_source(document, write), 1)]
    return write.text("return.rules.sources", sources=write.listed(named)) if named else ""


def _number(at: int, write: Writer) -> str:
    return write.text("return.rules.number", number=at)


def _by_source(document: ReturnDocument, write: Writer) -> list[tuple[str, list[str]]]:
    without = {line.id for line in all_lines(document) if line.status == NO_LEDGER}
    found: dict[str, list[str]] = {}
    for rule in document.rules:
        if rule.line not in without:
            found.setdefault(source_of(rule, write), []).append(rule.line)
    return list(found.items())


def source_of(rule: Rule, write: Writer) -> str:
    """Where a rule is written, and how far that was verified. A default of ours must not look as if it were law."""
    mark = write.text(f"return.mark.{rule.mark}")
    if rule.mark == "D":
        return mark
    return write.text("return.rules.marked", source=write.word(rule.source), mark=mark)


# ---------------------------------------------------------------- what the charts compare
def target_bars(document: ReturnDocument, write: Writer) -> tuple[Bar, ...]:
    """Each target's points as a share of its most."""
    targets = [line for group in document.score.groups if group.id == TARGETS for line in group.lines]
    return tuple(_target_bar(line, write) for line in targets if line.status != NO_LEDGER)


def _target_bar(line: ScoreLine, write: Writer) -> Bar:
    name = write.known(f"return.short.{line.id}", write.line_name(line.id))
    most = _hundredths(line.max)
    if not line.applies or not most:
        return Bar(name, None, write.text("return.dash"))
    return Bar(name, _hundredths(line.points) / most, write.share(_hundredths(line.points), most))


def rate_pairs(document: ReturnDocument, write: Writer) -> tuple[Pair, ...]:
    """The two rates of all duties together, then of each group of them."""
    groups = [group for group in document.score.groups if group.id != TARGETS]
    found = [(write.text("return.chart.all"), duties(document))]
    found += [(group_name(group, write), rates(group.lines)) for group in groups]
    return tuple(_pair(name, each, write) for name, each in found if each.expected)


def _pair(name: str, found: Rates, write: Writer) -> Pair:
    done, on_time = _shares(found, write)
    return Pair(
        name, Bar(name, found.done / found.expected, done), Bar(name, found.on_time / found.expected, on_time)
    )
