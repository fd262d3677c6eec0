"""What is due, put together for one person's first page: a task per line and urgency, with links that fill forms in
(PURE).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from safety.calendar import Period
from safety.clock import ZONE, day_start, local_day
from safety.due import RULED_BY, TIMINGS, Due
from safety.facts import SchoolFacts
from safety.ledger.declare import Registry
from safety.rulebook import Rulebook
from safety.sheet import SheetLine
from safety.standards import Standards
from safety.text import Text

URGENCIES = ("overdue", "now", "later", "done")
POSTS = {"duty.gate": "gate", "duty.marshal": "marshal", "duty.leader": "leader", "duty.patrol": "patrol"}
KINDS = {
    "education.weekly": "weekly",
    "education.monthly": "monthly",
    "education.legal": "legal",
    "drills.fire": "fire",
}
MORNING = timedelta(hours=8)
"""What the form of a past day's check-in begins with, where no roster says when it was."""
SHOWN = 6
"""How many single items a task lists before the rest folds away."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `path` opens the form filled in; `name` is a class, meal or person, empty for the school's own.

    `ready` is false for a slot to which nobody can check in yet. Steps that one form serves alike are one step of
    several `days`.
    """

    due: Due
    path: str
    name: str
    ready: bool = True
    days: tuple[date, ...] = ()

    @property
    def left(self) -> int:
        return max(0, self.due.expected - self.due.done)


@dataclass(frozen=True, slots=True)
class Task:
    """The steps of one line that are equally urgent, earliest limit first."""

    line: str
    title: Text
    rule: SheetLine
    urgency: str
    steps: tuple[Step, ...]
    number: int

    @property
    def until(self) -> date:
        """The earliest of the limits."""
        return min(step.due.until for step in self.steps)

    @property
    def timing(self) -> str | None:
        """The worst timing of what was done of it: on-time, late or backfilled."""
        return max(
            (step.due.timing for step in self.steps if step.due.timing), key=TIMINGS.index, default=None
        )

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(sorted({step.due.due for step in self.steps}))

    @property
    def first(self) -> tuple[Step, ...]:
        return self.steps[:SHOWN]

    @property
    def rest(self) -> tuple[Step, ...]:
        return self.steps[SHOWN:]


@dataclass(frozen=True)
class Desk:
    """What is needed to put tasks together for a school."""

    facts: SchoolFacts
    registry: Registry
    standards: Standards
    names: Mapping[int, str]
    logins: Mapping[int, str]
    now: datetime

    @property
    def today(self) -> date:
        return local_day(self.now)

    def tasks(self, dues: Iterable[Due]) -> dict[str, list[Task]]:
        """Tasks by urgency, each list in order of its limits."""
        gathered: dict[tuple[str, str, str], list[Due]] = {}
        for item in dues:
            # What is owed by a rule of before a change stands apart from what is owed by the new one.
            key = self._urgency(item), item.line, self._rule(item).rule("zh")
            gathered.setdefault(key, []).append(item)
        found: dict[str, list[Task]] = {urgency: [] for urgency in URGENCIES}
        for (urgency, line, _), items in gathered.items():
            found[urgency].append(self._task(urgency, line, items))
        return {urgency: sorted(tasks, key=lambda task: task.until) for urgency, tasks in found.items()}

    def _urgency(self, item: Due) -> str:
        if item.filled:
            return "done"
        if item.overdue:
            return "overdue"
        return "now" if item.due <= self.today else "later"

    def _rule(self, item: Due) -> SheetLine:
        return self._book(item).line_on(RULED_BY.get(item.line, item.line), item.due)

    def _book(self, item: Due) -> Rulebook:
        return Rulebook.of(self.standards, Period.parse(item.period))

    def _task(self, urgency: str, line: str, items: list[Due]) -> Task:
        ruled = self._rule(items[0])
        ledger = self.registry[items[0].ledger].title
        title = ledger if line in RULED_BY else Text(ruled.name("zh"), ruled.name("en"))
        newest_first = urgency == "overdue"
        steps = sorted(
            _merged(map(self._step, items), self.today),
            key=lambda s: (s.due.until, s.due.starts_at is None, s.name),
            reverse=newest_first,
        )
        return Task(line, title, ruled, urgency, tuple(steps), len(items))

    def _step(self, item: Due) -> Step:
        name = item.unit_name if item.unit in {"class", "meal"} else self.names.get(item.person or 0, "")
        path = f"/schools/{self.facts.code}/{self._address(item)}"
        return Step(item, path, name, self._ready(item), (item.due,))

    def _ready(self, item: Due) -> bool:
        return (
            item.starts_at is None
            or self.now >= item.starts_at - self._book(item).duties.on(item.due).checkin_lead
        )

    def _address(self, item: Due) -> str:
        if item.unit == "slot" and item.person is None:
            # A roster counts as it stood when the day began: what can be mended are the days to come.
            return "roster"
        if item.unit == "drill" and item.entry is not None:
            return f"ledgers/{item.ledger}/{item.entry}/events/evaluated"
        if item.unit == "drill":
            return "ledgers/drills?" + urlencode({"since": item.unit_name, "until": item.unit_name})
        return f"ledgers/{item.ledger}/new?" + urlencode(self._filled_in(item))

    def _filled_in(self, item: Due) -> dict[str, str]:
        """What the form can know already."""
        values = {"happened_on": self._day_for(item).isoformat()}
        if item.line in POSTS:
            return {"post": POSTS[item.line], **self._missed_slot(item)}
        if item.unit == "class":
            values["class"] = item.unit_name
        if item.unit == "meal":
            values["meal"] = item.unit_name
        if item.line in KINDS:
            values["kind"] = KINDS[item.line]
        return values

    def _missed_slot(self, item: Due) -> dict[str, str]:
        """Check-ins are of this moment, and the form itself puts in who and when; but not for a slot that is over, nor
        for the leader's duty and the rounds of a day that is.
        """
        if item.starts_at is None:
            return {"happened_at": _local(self._planned(item))} if item.due < self.today else {}
        if item.ends_at is None or self.now <= item.ends_at:
            return {}
        login = self.logins.get(item.person or 0)
        return {"happened_at": _local(item.starts_at)} | ({"person": login} if login else {})

    def _planned(self, item: Due) -> datetime:
        """When the roster had it, or else in the morning; later rounds far enough apart to count."""
        return (
            item.rostered_at
            or day_start(item.due) + MORNING + item.done * self._book(item).duties.on(item.due).patrol_gap
        )

    def _day_for(self, item: Due) -> date:
        """Today where it answers the occurrence, else the last day that does."""
        return min(self.today, item.through)


def _local(at: datetime) -> str:
    return at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")


def _merged(steps: Iterable[Step], today: date) -> list[Step]:
    """Steps that lead to the same form for the same unit, as one; what is for today stands apart."""
    found: dict[tuple[str, str, bool, str | None], Step] = {}
    for step in steps:
        key = step.path, step.name, step.due.due == today, step.due.timing
        known = found.get(key)
        found[key] = step if known is None else replace(known, days=tuple(sorted({*known.days, *step.days})))
    return list(found.values())


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())
