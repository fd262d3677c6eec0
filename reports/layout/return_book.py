"""The tables of a return's workbook: the score's lines, the facts, exceptions, incidents and rules (PURE).

Every heading is in Chinese and in English, so that the workbook is the same with either edition of the return.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from reports.document import Clock, Exceptional, Fact, Incident, ReturnDocument, Rule, ScoreLine
from reports.layout.wording import Text, Writer
from reports.layout.workbook import Cell, Column, Table, workbook
from safety.clock import ZONE

COUNTS = ("expected", "on_time", "late", "backfilled", "missing", "open")


class _Book:
    def __init__(self, document: ReturnDocument, zh: Text, en: Text) -> None:
        self.document = document
        self.write = Writer("zh", zh)
        self.zh, self.en = zh, en

    def table(self, name: str, columns: Iterable[tuple[str, int]], rows: list[list[Cell]]) -> Table:
        headings = tuple(Column(self._both(f"return.book.{key}"), width) for key, width in columns)
        return Table(self._both(f"return.book.{name}"), headings, rows)

    def _both(self, key: str) -> str:
        return f"{self.zh(key)} {self.en(key)}"

    # ------------------------------------------------------------ the sheets
    def score(self) -> Table:
        columns = [("group", 14), ("line", 26), ("id", 20), *((name, 9) for name in COUNTS)]
        columns += [("points", 9), ("max", 9), ("status", 10)]
        rows = [self._line(group.id, line) for group in self.document.score.groups for line in group.lines]
        total = self.document.score.total
        last: list[Cell] = [self.zh("return.score.total"), "", "", *([""] * len(COUNTS))]
        return self.table("score", columns, [*rows, [*last, Decimal(total) if total else "", "", ""]])

    def _line(self, group: str, line: ScoreLine) -> list[Cell]:
        counts: list[Cell] = [getattr(line, name) for name in COUNTS] if line.applies else [""] * len(COUNTS)
        points: list[Cell] = [Decimal(line.points), Decimal(line.max)] if line.applies else ["", ""]
        status = self.zh(f"return.status.{line.status}")
        named = self.write.known(f"return.group.{group}", group)
        return [named, self.write.line_name(line.id), line.id, *counts, *points, status]

    def facts(self) -> Table:
        columns = [
            ("line", 26),
            ("id", 20),
            ("occurrence", 34),
            ("date", 12),
            ("recorded", 18),
        ]
        # Entry ids are in return.json: random as they are, they alone would be most of the workbook's size.
        facts, named = self.document.facts, {}
        for line in {fact.line for fact in facts}:
            named[line] = self.write.fact_name(line)
        return self.table("facts", columns, [_fact(fact, named[fact.line]) for fact in facts])

    def exceptions(self) -> Table:
        columns = [("line", 26), ("id", 20), ("kind", 10), ("date", 12), ("unit", 16), ("recorded", 18)]
        columns += [("occurrence", 34), ("cause", 60)]
        causes = {cause.line: cause.text for cause in self.document.causes}
        rows = [self._exception(item, causes) for item in self.document.exceptions]
        return self.table("exceptions", columns, rows)

    def _exception(self, item: Exceptional, causes: dict[str, str]) -> list[Cell]:
        kind, name = self.zh(f"return.kind.{item.kind}"), self.write.fact_name(item.line)
        day, recorded = item.due_on.isoformat(), _moment(item.recorded_at)
        return [name, item.line, kind, day, item.unit, recorded, item.occurrence, causes.get(item.line, "")]

    def incidents(self) -> Table:
        columns = [("date", 12), ("category", 12), ("grade", 10), ("deaths", 8), ("serious", 8), ("minor", 8)]
        columns += [("affected", 8), ("loss", 12), ("liability", 8), ("discovered", 18), ("due", 18)]
        columns += [("reported", 18), ("reported_by", 10), ("outcome", 10), ("entry", 38)]
        rows = [
            [*self._incident(incident), *self._clock(clock), incident.id]
            for incident in self.document.incidents
            for clock in incident.clocks or (None,)
        ]
        return self.table("incidents", columns, rows)

    def _incident(self, item: Incident) -> list[Cell]:
        counts = (item.deaths, item.serious_injuries, item.minor_injuries, item.affected, item.loss_yuan)
        return [
            item.happened_on.isoformat(),
            self.zh(f"return.category.{item.category}"),
            self.zh(f"return.severity.{item.grade or 'none'}"),
            *counts,
            self.zh(f"return.liability.{item.liability}"),
            _moment(item.discovered_at),
        ]

    def _clock(self, clock: Clock | None) -> list[Cell]:
        if clock is None:
            return [""] * 4
        by = self.zh(f"return.reported_by.{clock.reported_by}") if clock.reported_by else ""
        outcome = self.zh(f"return.outcome.{clock.outcome}")
        return [_moment(clock.due_at), _moment(clock.reported_at), by, outcome]

    def rules(self) -> Table:
        columns = [("line", 26), ("id", 20), ("rule", 60), ("source", 50), ("verified", 20)]
        return self.table("rules", columns, [self._rule(rule) for rule in self.document.rules])

    def _rule(self, rule: Rule) -> list[Cell]:
        mark = self.zh(f"return.mark.{rule.mark}")
        return [self.write.line_name(rule.line), rule.line, rule.text.zh, rule.source.zh, mark]


def return_book(document: ReturnDocument, zh: Text, en: Text) -> bytes:
    """The workbook of a return as .xlsx: the same document gives the same bytes."""
    book = _Book(document, zh, en)
    tables = (book.score(), book.facts(), book.exceptions(), book.incidents(), book.rules())
    title = f"{document.school.name.zh} {document.period.id} v{document.version}"
    return workbook(tables, title, document.made_at)


def _fact(fact: Fact, name: str) -> list[Cell]:
    return [name, fact.line, fact.occurrence, fact.happened_on.isoformat(), _moment(fact.recorded_at)]


def _moment(at: datetime | None) -> str:
    """Beijing time, to the minute."""
    return at.astimezone(ZONE).isoformat(" ", "minutes")[:16] if at else ""
