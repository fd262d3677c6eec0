"""Scores, read: from the kept tallies, or from the entries as they stood at an instant."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from safety import in_use
from safety.calendar import Period
from safety.collector import COLLECTOR_PAUSED
from safety.database import fetch_tuples
from safety.facts import SchoolFacts
from safety.incidents import rules
from safety.incidents.feeds import INCIDENT_COLUMNS, incidents_of
from safety.incidents.rules import Consequence, Incident
from safety.ledger.evidence import ENTRY, Reader, stored_row
from safety.ledger.feeds import Rows, Stored, StoredEvent
from safety.ledger.tallies import recompute, tallies_of
from safety.measures import Measured
from safety.places.facts import facts_of, school_facts
from safety.rulebook import Rulebook
from safety.scoring import Evidence, Score, score

_COLUMNS = ", ".join(f"e.{name}" for name in (*ENTRY, *INCIDENT_COLUMNS))
INCIDENTS = f"select e.school, {_COLUMNS} from incident e where e.school between $1 and $2"  # noqa: S608
INCIDENT_EVENTS = """select school, chain, kind, value, happened_at, recorded_at from entry_event
where ledger = 'incidents' and school between $1 and $2 order by recorded_at"""

CHUNK = 20
"""How many schools are recomputed at once: more save little time, and cost memory."""


async def incidents_by_school(school_ids: Sequence[int]) -> Mapping[int, tuple[Incident, ...]]:
    """All incidents of the schools, whenever they happened: one that became known later weighs on that quarter too."""
    if not school_ids:
        return {}
    bounds = [min(school_ids), max(school_ids)]
    stored: dict[int, list[Stored]] = {school: [] for school in school_ids}
    events: dict[int, list[StoredEvent]] = {school: [] for school in school_ids}
    for school, *row in await fetch_tuples(None, INCIDENTS, bounds):
        if school in stored:
            stored[school].append(stored_row(row))
    for school, *row in await fetch_tuples(None, INCIDENT_EVENTS, bounds):
        if school in events:
            events[school].append(StoredEvent(*row))
    return {school: incidents_of(Rows(stored[school], events[school])) for school in school_ids}


def consequences_of(
    incidents: Sequence[Incident], period: Period, at: datetime, book: Rulebook
) -> tuple[Consequence, ...]:
    """What the incidents cost the quarter; those that do not concern it left out."""
    return rules.consequences_of(incidents, period, at, book.incidents)


async def scores(school_ids: Sequence[int], period: Period, now: datetime) -> dict[int, Score]:
    """The scores of many schools from their tallies: what the boards show. Lines do not name their entries."""
    book = Rulebook.of(in_use.standards(), period)
    found = {}
    with COLLECTOR_PAUSED:
        facts, rows = await facts_of(school_ids), await tallies_of(school_ids, period, now)
        incidents = await incidents_by_school(school_ids)
        for school, known in facts.items():
            costs = consequences_of(incidents[school], period, now, book)
            found[school] = score(known, period, book, Evidence(rows[school], costs), now)
    return found


async def recomputed_scores(school_ids: Sequence[int], period: Period, now: datetime) -> dict[int, Score]:
    """The same from every entry, without a look at the tallies. Lines do not name their entries."""
    book = Rulebook.of(in_use.standards(), period)
    found = {}
    for start in range(0, len(school_ids), CHUNK):
        with COLLECTOR_PAUSED:
            facts = await facts_of(school_ids[start : start + CHUNK])
            incidents = await incidents_by_school(list(facts))
            for school, measured in (await recompute(facts.values(), period, now)).items():
                costs = consequences_of(incidents[school], period, now, book)
                found[school] = score(facts[school], period, book, Evidence.of(measured, costs, now), now)
    return found


def evidence_of(measured: Mapping[str, Measured], costs: Sequence[Consequence], at: datetime) -> Evidence:
    """What was measured from entries, as evidence for a score."""
    return Evidence.of(measured, costs, at)


async def measured_score(
    school_id: int,
    period: Period,
    at: datetime,
    *,
    now: bool,
    singly: bool = True,
    book: Rulebook | None = None,
) -> tuple[SchoolFacts, Score, Evidence]:
    """A school's score from its entries as they stood at an instant (`now`: that instant is now), and its evidence; by
    the quarter's own standards, where no `book` is given to compare with.
    """
    book = book or Rulebook.of(in_use.standards(), period)
    facts = await school_facts(school_id)
    incidents = await incidents_by_school([school_id])
    reader = Reader(in_use.registry(), period, book, at, now=now, singly=singly)
    measured = await reader.measure(facts)
    evidence = evidence_of(measured, consequences_of(incidents[school_id], period, at, book), at)
    return facts, score(facts, period, book, evidence, at), evidence


async def tallied_score(school_id: int, period: Period, now: datetime) -> Score:
    """A school's score from its tallies, its lines naming the entries behind them."""
    book = Rulebook.of(in_use.standards(), period)
    facts, _, evidence = await measured_score(school_id, period, now, now=True)
    tallies = await tallies_of([school_id], period, now)
    kept = Evidence(tallies[school_id], evidence.consequences, evidence.fills)
    return score(facts, period, book, kept, now)
