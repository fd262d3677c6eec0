"""What holds for every school: perfect is 100, shares add up, after the close nothing rises, honesty pays."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import date, datetime, time, timedelta
from itertools import combinations, pairwise, product
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.rules import product_standards as standards
from safety.calendar import Period
from safety.clock import ZONE, local_day
from safety.duties import close_at
from safety.duty.measures import Round, assign, best_rounds, worth
from safety.facts import MEALS, STAGES
from safety.incidents.rules import IncidentBook, State
from safety.rulebook import Rulebook
from safety.scoring import Score
from safety.shares import share_out
from tests.unit.cases import Book, fill_perfectly, run, school

randoms = st.randoms(use_true_random=False)
QUARTERS = ("2026Q1", "2026Q2", "2026Q3", "2026Q4")
CATEGORIES = ("traffic", "food_poisoning", "mental_health", "facility", "other")
# A whole quarter's ledgers are a large example by nature.
CALM = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
many = settings(deadline=None, max_examples=60, suppress_health_check=CALM)


# ---------------------------------------------------------------- made-up schools
def any_school(random: Random, period: Period, days: int = 90) -> Book:
    """A school with a term of its own somewhere around the quarter, a few closures and classes."""
    first = period.start + timedelta(days=random.randint(-20, 80))
    last = first + timedelta(days=random.randint(0, days))
    closed = sorted({first + timedelta(days=random.randint(0, 30)) for _ in range(random.randint(0, 4))})
    canteen = random.random() < 0.5
    return Book(
        school(
            {
                "stage": random.choice(STAGES),
                "has_canteen": canteen,
                "meals": [meal for meal in MEALS if random.random() < 0.7] if canteen else [],
                "terms": [["学期", first, last]],
                "closed": closed,
                "classes": [
                    {"class": f"{n}班", "pupils": random.randint(1, 50)} for n in range(random.randint(1, 3))
                ],
            }
        )
    )


def ordinary(random: Random, period: Period) -> Book:
    """A school that leaves things out, records some late and misses pupils."""
    book = any_school(random, period, days=12)
    fill_perfectly(book, period)
    for ledger, entries in book.entries.items():
        kept = [entry for entry in entries if random.random() < 0.8]
        for n, entry in enumerate(kept):
            entry["id"] = f"{ledger}:{n}"
            if ledger != "duty_slots" and random.random() < 0.2:
                entry["recorded_at"] = noon(day_of(entry)) + timedelta(days=random.randint(1, 30))
        book.entries[ledger] = kept
    for entry in book.entries.get("class_sessions", []):
        entry["present"] = random.randint(0, 50)
    for entry in book.entries.get("awareness_checks", []):
        entry["checked"] = random.randint(1, 50)
        entry["passed"] = random.randint(0, entry["checked"])
    for entry in book.entries.get("drills", []):
        if random.random() < 0.5:
            del entry["evaluated_on"]
    return book


def day_of(entry: Mapping[str, Any]) -> date:
    said = entry.get("happened_on") or entry.get("happened_at") or entry["starts_at"]
    return said if type(said) is date else date.fromisoformat(str(said)[:10])


def noon(day: date) -> datetime:
    return datetime.combine(day, time(23, 30), tzinfo=ZONE)


def total(found: Score) -> int:
    return found.total or 0


# ---------------------------------------------------------------- a perfect school
@many
@given(randoms, st.sampled_from(QUARTERS))
def test_a_perfect_school_scores_100_whatever_does_not_apply(random: Random, quarter: str) -> None:
    period = Period.parse(quarter)
    book = any_school(random, period)
    fill_perfectly(book, period)
    day = period.start + timedelta(days=random.randint(0, 100))
    found = run(book, period, noon(day))
    assert found.total in (10000, None), [
        (line.id, line.status, line.count) for group in found.groups for line in group.lines if line.applies
    ]
    assert run(book, period, close_at(period)).total in (10000, None)


@many
@given(randoms, st.sampled_from(QUARTERS))
def test_what_lines_can_give_adds_up_to_100(random: Random, quarter: str) -> None:
    period = Period.parse(quarter)
    found = run(ordinary(random, period), period, noon(period.start + timedelta(days=random.randint(0, 120))))
    for group in found.groups:
        assert sum(line.max for line in group.lines) == group.max
        assert sum(line.points for line in group.lines) == group.points
        assert all(0 <= line.points <= line.max for line in group.lines)
        assert all(line.max == 0 for line in group.lines if not line.applies)
    assert sum(group.max for group in found.groups) == (10000 if found.total is not None else 0)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 1200), max_size=9))
def test_shares_are_whole_exact_and_within_one_of_their_due(points: int, weights: list[int]) -> None:
    shares, whole = share_out(points, weights), sum(weights)
    assert sum(shares) == (points if whole else 0)
    for share, weight in zip(shares, weights, strict=True):
        assert not whole or abs(share * whole - points * weight) < whole


# ---------------------------------------------------------------- after the close
def afterwards(random: Random, book: Book, period: Period) -> Book:
    """The same school, with entries, corrections, voidings and later facts of after the close."""
    later = deepcopy(book)
    for hours in sorted(random.randint(0, 200) for _ in range(random.randint(1, 6))):
        at = close_at(period) + timedelta(hours=hours)
        random.choice((_add, _correct, _void, _event, _befall))(random, later, at)
    return later


Found = tuple[str, dict[str, Any]]


def _standing(book: Book, at: datetime, *ledgers: str) -> list[Found]:
    """What stands at an instant: nothing can be made of an entry that is voided, corrected or not recorded yet."""
    gone = {entry.get("supersedes") for entries in book.entries.values() for entry in entries}
    return [
        (ledger, entry)
        for ledger, entries in book.entries.items()
        for entry in entries
        if entry["id"] not in gone and "voided_at" not in entry and entry.get("recorded_at", at) <= at
        if not ledgers or ledger in ledgers
    ]


def _any_entry(random: Random, book: Book, at: datetime) -> Found | None:
    standing = _standing(book, at)
    return random.choice(standing) if standing else None


def _new_id(book: Book) -> str:
    # Counted, not drawn: a drawn one may be drawn twice, and an entry that supersedes itself is gone.
    return f"new:{sum(len(entries) for entries in book.entries.values())}"


def _add(random: Random, book: Book, at: datetime) -> None:
    found = _any_entry(random, book, at)
    if found is not None and found[0] != "duty_slots":
        ledger, entry = found
        new = {k: v for k, v in entry.items() if k != "supersedes"}
        book.entries[ledger].append(new | {"id": _new_id(book), "recorded_at": at})


def _correct(random: Random, book: Book, at: datetime) -> None:
    found = _any_entry(random, book, at)
    if found is not None and found[0] != "duty_slots":
        _replace(random, book, *found, at)


def _correct_before(random: Random, book: Book, period: Period) -> None:
    found = _any_entry(random, book, noon(period.end))
    if found is None or found[0] == "duty_slots" or "recorded_at" in found[1]:
        return
    if day_of(found[1]) < period.end and found[0] != "incidents":
        _replace(random, book, *found, noon(period.end) - timedelta(hours=random.randint(0, 20)))


def _replace(random: Random, book: Book, ledger: str, entry: dict[str, Any], at: datetime) -> None:
    changed = dict(entry)
    if changed.get("class") and random.random() < 0.5:
        changed["class"] = random.choice(book.facts.classes).name
    if changed.get("meal"):
        changed["meal"] = random.choice(book.facts.meals)
    if changed.get("kind") in {"weekly", "monthly"}:
        changed["kind"] = random.choice(("weekly", "weekly", "monthly"))
    if changed.get("kind") == "weekly" and not changed["class"]:
        changed["class"] = book.facts.classes[0].name
    for key in ("present", "checked", "deaths", "serious_injuries", "minor_injuries", "grams"):
        if key in changed:
            changed[key] = random.randint(1, 200)
    if "checked" in changed:
        changed["passed"] = random.randint(0, changed["checked"])
    if ledger == "incidents":
        changed["category"] = random.choice(CATEGORIES)
        changed["reported_at"], changed["reported_by"] = changed["happened_at"], "school"
    if ledger == "drills" and random.random() < 0.5:
        changed["evaluated_on"] = day_of(entry)
    new = {"id": _new_id(book), "supersedes": entry["id"], "recorded_at": at}
    book.entries[ledger].append(changed | new)


def _void(random: Random, book: Book, at: datetime) -> None:
    found = _any_entry(random, book, at)
    if found is not None:
        found[1]["voided_at"] = at


LATER_FACTS = {
    "drills": (("evaluated", ""),),
    "incidents": (("reported", "school"), ("deaths", "1"), ("serious_injuries", "0"), ("liability", "yes")),
}


def _event(random: Random, book: Book, at: datetime) -> None:
    for ledger, facts in LATER_FACTS.items():
        standing = _standing(book, at, ledger)
        if not standing:
            continue
        _, entry = random.choice(standing)
        kind, value = random.choice(facts)
        happened = {"happened_at": noon(day_of(entry)) if kind == "evaluated" else entry["happened_at"]}
        book.events.append({"entry": entry["id"], "kind": kind, "value": value, "recorded_at": at} | happened)


def _befall(random: Random, book: Book, at: datetime) -> None:
    """An incident of the quarter that nobody had told of by its close."""
    new = {"id": _new_id(book), "recorded_at": at}
    book.add("incidents", any_incident(random, Period.of(local_day(at)).previous()) | new)


def any_incident(random: Random, period: Period) -> dict[str, Any]:
    day = period.start + timedelta(days=random.randint(0, (period.end - period.start).days))
    return {
        "id": "incident",
        "category": random.choice(CATEGORIES),
        "liability": random.choice(("pending", "yes", "no")),
        "deaths": random.choice((0, 0, 0, 1, 3)),
        "serious_injuries": random.choice((0, 0, 1, 10)),
        "minor_injuries": random.choice((0, 1)),
        "happened_at": datetime.combine(day, time(random.randint(0, 23)), tzinfo=ZONE),
    }


@settings(deadline=None, max_examples=150, suppress_health_check=CALM)
@given(randoms, st.sampled_from(QUARTERS))
def test_nothing_recorded_after_the_close_raises_the_total(random: Random, quarter: str) -> None:
    period = Period.parse(quarter)
    book = ordinary(random, period)
    if random.random() < 0.5:
        book.add("incidents", any_incident(random, period))
    for _ in range(random.randint(0, 8)):
        _correct_before(random, book, period)
    at = close_at(period) + timedelta(days=random.randint(9, 100))
    # The clock of an unreported incident runs on, and reporting it then stops the fall: so the close is the measure.
    closed, after = run(book, period, close_at(period)), run(afterwards(random, book, period), period, at)
    assert total(after) <= total(closed)
    assert closed.veto == () or after.veto != ()


# ---------------------------------------------------------------- honesty pays
def limit(incident: Mapping[str, Any], book: IncidentBook) -> timedelta:
    state = State(
        incident["happened_at"],
        incident["happened_at"],
        incident["happened_at"],
        incident["category"],
        deaths=incident["deaths"],
        serious_injuries=incident["serious_injuries"],
    )
    return book.clock(incident["happened_at"], state, (None, None)).limit


def told(book: Book, incident: Mapping[str, Any], **how: object) -> Book:
    found = deepcopy(book)
    found.add("incidents", {**incident, **how})
    return found


@settings(deadline=None, max_examples=100, suppress_health_check=CALM)
@given(randoms, st.sampled_from(QUARTERS))
def test_concealing_never_scores_above_honest_reporting(random: Random, quarter: str) -> None:
    period = Period.parse(quarter)
    book = ordinary(random, period)
    incident = any_incident(random, period)
    deadline = limit(incident, Rulebook.of(standards(), period).incidents)
    happened = incident["happened_at"]
    told_at = happened + deadline * random.randint(0, 4) / 4
    honest = told(book, incident, reported_at=told_at, reported_by="school", recorded_at=told_at)
    found_at = happened + deadline + timedelta(minutes=random.randint(1, 60 * 24 * 40))
    by = random.choice(({"reported_at": found_at, "reported_by": "superior"}, {}))
    silent = told(book, incident, recorded_at=found_at, **by)
    at = found_at + timedelta(days=random.randint(0, 40))
    kept, hidden = run(honest, period, at), run(silent, period, at)
    assert total(hidden) < total(kept) or total(kept) == 0 or hidden.total is None
    if by:
        assert any(veto.cause == "concealed" for veto in hidden.veto)


# ---------------------------------------------------------------- rosters and rounds
def every_assignment(edges: list[list[tuple[int, int]]]) -> Iterable[int]:
    for chosen in product(*([None, *options] for options in edges)):
        used = [option[0] for option in chosen if option is not None]
        if len(set(used)) == len(used):
            yield sum(worth(option[1]) for option in chosen if option is not None)


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=3, unique_by=lambda option: option[0]
        ),
        max_size=5,
    )
)
def test_check_ins_are_assigned_as_well_as_can_be(edges: list[list[tuple[int, int]]]) -> None:
    chosen = assign(edges)
    assert len({i for i, _, _ in chosen}) == len({slot for _, slot, _ in chosen}) == len(chosen)
    assert all((slot, timing) in edges[i] for i, slot, timing in chosen)
    assert sum(worth(timing) for _, _, timing in chosen) == max(every_assignment(edges))


@given(st.lists(st.tuples(st.integers(0, 240), st.integers(0, 2)), max_size=9))
def test_the_best_rounds_are_the_best(times: list[tuple[int, int]]) -> None:
    start, gap, most = datetime(2026, 9, 7, tzinfo=ZONE), timedelta(minutes=30), 3
    timed: list[Round] = sorted(
        (start + timedelta(minutes=minute), timing, i) for i, (minute, timing) in enumerate(times)
    )
    chosen = best_rounds(timed, gap, most)
    apart = [
        rounds
        for n in range(most + 1)
        for rounds in combinations(timed, n)
        if all(b[0] - a[0] >= gap for a, b in pairwise(rounds))
    ]
    assert chosen in apart
    assert sum(worth(t) for _, t, _ in chosen) == max(sum(worth(t) for _, t, _ in r) for r in apart)
