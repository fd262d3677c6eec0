"""What waits at a bureau for one quarter, each figure with the way to its list: for its clerks and for inspectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reports.bureau import boards
from reports.bureau.boards import BureauLine
from reports.life.rules import holding
from reports.life.standing import SEALED
from reports.oversight import queries as oversight
from reports.rollup import queries as rollup_queries
from reports.rollup.pages import CountyLine, State, counties, state_of
from safety.access.scope import Scope
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.web.calls import BureauDesk, Call, Figure

WAITING = (("undecided", "received", "warn"), ("missing", "missing", "bad"), ("returned", "returned", "warn"))
"""A figure's name, the state of the inbox that it counts, and its colour where there are any."""
SCHOOLS = "select code, bureau from school"


@dataclass(frozen=True, slots=True)
class _Reader:
    """For whom a desk is drawn: an inspector's links stay behind the read-only door."""

    scope: Scope
    inspects: bool
    now: datetime
    upward: bool

    def base(self, code: str) -> str:
        return f"/inspect/bureaus/{code}" if self.inspects else f"/bureaus/{code}"


async def first_page(upward: bool, scope: Scope, bureau_id: int, inspects: bool, now: datetime) -> BureauDesk:
    """The desk of the quarter that closed last. `upward`: whether this instance has a way to the level above it."""
    period = Period.of(local_day(now)).previous()
    return await desk_of(scope, bureau_id, period, now, inspects=inspects, upward=upward)


async def desk_of(
    scope: Scope, bureau_id: int, period: Period, now: datetime, *, inspects: bool, upward: bool
) -> BureauDesk:
    """A bureau's desk of a closed quarter, with those of the bureaus right below it. NotFound out of scope."""
    if not scope.may_bureau(bureau_id):
        raise NotFound
    reader = _Reader(scope, inspects, now, upward)
    bureaus = await boards.bureaus_below(scope, bureau_id)
    _, far = await rollup_queries.own_and_remote(bureau_id)
    counts = await _counted(bureaus, period)
    desks = {
        item.id: await _desk(reader, item, period, counts[item.id])
        for item in bureaus
        if item.id == bureau_id or (item.parent == bureau_id and item.code not in far)
    }
    own = desks.pop(bureau_id)
    sent = [_county(reader, own, line) for line in await counties(bureau_id, period)]
    asked = [await _asked(scope)] if inspects else []
    return BureauDesk(
        own.name,
        own.path,
        period,
        (*own.figures, *asked),
        own.notes,
        (*(desk for desk in desks.values() if desk.figures), *sent),
    )


async def _counted(bureaus: Iterable[BureauLine], period: Period) -> dict[int, Counter[str]]:
    """How many schools are in which state of the inbox, by bureau; those of the bureaus below it among them."""
    states = await _states(period)
    parents = {item.id: item.parent for item in bureaus}
    found = {id_: Counter[str]() for id_ in parents}
    for code, bureau in await fetch_tuples(None, SCHOOLS):
        at: int | None = bureau
        while at in found:
            found[at][states.get(code, "missing")] += 1
            at = parents[at]
    return found


async def _states(period: Period) -> dict[str, str]:
    """Where the newest return received of each school stands, by code, as the inbox has it."""
    decisions = await fetch_tuples(None, boards.DECISIONS, [period.id])
    holds = holding(((code, version), outcome) for code, version, outcome in decisions)
    sealed: Mapping[str, int] = dict(await fetch_tuples(None, SEALED, [period.id]))
    return {
        code: "coming" if sealed.get(code, 0) > version else holds.get((code, version), "received")
        for code, version in await fetch_tuples(None, rollup_queries.NEWEST, [period.id])
    }


async def _desk(reader: _Reader, bureau: BureauLine, period: Period, counts: Counter[str]) -> BureauDesk:
    base = reader.base(bureau.code)
    state = await state_of(bureau.id, period, upward=reader.upward)
    rollup = _rollup(reader, bureau, state, f"{base}/rollups?period={period.id}", period)
    if not counts:
        notes = (rollup,) if state.made else (Call("desk.no-schools"),)
        return BureauDesk(bureau.name, base, period, notes=notes)
    figures = tuple(
        Figure(
            f"desk.{name}",
            counts[kept],
            f"{base}/inbox?period={period.id}&state={kept}",
            kind if counts[kept] else "ok",
        )
        for name, kept, kind in WAITING
    )
    clear = (
        () if any(figure.number for figure in figures) else (Call("desk.clear", {"schools": counts.total()}),)
    )
    return BureauDesk(bureau.name, base, period, figures, (*clear, rollup))


def _rollup(reader: _Reader, bureau: BureauLine, state: State, path: str, period: Period) -> Call:
    """Whether the roll-up is sealed, when it will be, or what it does not hold yet."""
    told: dict[str, Any] = {"period": period.id}
    if state.made is None:
        due = "desk.rollup-due" if bureau.parent or reader.upward else "desk.rollup-due-kept"
        key = "desk.rollup-late" if state.is_late(reader.now) else due
        return Call(key, told | {"day": local_day(state.due_at)}, path, "rollup.since-look")
    if state.since:
        key = "rollup.since" if state.way == "delivered" else "rollup.since-kept"
        again = (path, "rollup.since-look") if reader.inspects else (f"{path}#again", "rollup.again")
        return Call(key, {"count": len(state.since)}, *again)
    told |= {"version": state.made.version, "day": local_day(state.made.sealed_at)}
    return Call(f"desk.rollup-{state.way}", told, path, "rollup.since-look")


def _county(reader: _Reader, own: BureauDesk, line: CountyLine) -> BureauDesk:
    """A bureau that keeps an instance of its own: all that is known here is whether its roll-up came."""
    key = "desk.county-came" if line.document else "desk.county-missing"
    path = f"{own.path}/rollups?period={own.period.id}"
    said = Call(key, {"version": line.version}, path, "rollup.since-look")
    return BureauDesk(line.name, reader.base(line.code), own.period, notes=(said,))


async def _asked(scope: Scope) -> Figure:
    """Queries that the viewer began and that are not settled."""
    number = len(await oversight.own_queries(scope))
    return Figure("desk.queries", number, "/inspect/queries", "info" if number else "ok")
