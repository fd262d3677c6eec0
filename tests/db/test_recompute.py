"""A return is borne out by its own attachments, whatever a school lived through; and by nothing else."""

import random
from collections import defaultdict
from datetime import timedelta

import pytest
from msgspec import convert
from msgspec.structs import replace

from config.rules import product_standards, put_in_use
from reports import queries
from reports.canonical import canonical
from reports.compile import Found, Making, compile_return
from reports.document import Bureau, ReturnDocument, Score, Words, freeze, parse
from reports.verification.agree import disagreements
from safety.calendar import Period
from safety.database import CampusEngine
from safety.duties import close_at
from safety.scoring import as_json
from tests.cast import Cast, make_cast
from tests.county import make_county
from tests.db.histories import START, History

Q2, Q3 = Period.parse("2026Q2"), Period.parse("2026Q3")
BUREAU = Bureau(code="X", name=Words(zh="某县教育局"))


async def returned(school: int, period: Period, at, *, now: bool) -> ReturnDocument:
    """The return of a school's quarter as of an instant, as a reader of its file has it."""
    return written(await queries.measured(school, period, at, now=now))


def written(found: Found) -> ReturnDocument:
    document = compile_return(found, Making(bureau=BUREAU, made_at=found.at))
    return parse(canonical(document))


def written_before(found: Found) -> ReturnDocument:
    """As versions wrote it that named every entry in the score, too."""
    score = convert(as_json(found.score), Score, strict=False)
    return parse(canonical(freeze(replace(written(found), score=score))))


def entries_of(document: ReturnDocument) -> dict[str, set[str]]:
    """The entries behind each line, as the schema says where they are."""
    named = {"T1": "education.weekly", "T4": "T2", "T5": "T2", "T6": "T2"}
    of: dict[str, set[str]] = defaultdict(set)
    for fact in document.facts:
        of[fact.line].add(fact.id)
    lines = [line for group in document.score.groups for line in group.lines]
    assert not any(set(line.entries) & of[named.get(line.id, line.id)] for line in lines)
    return {line.id: of[named.get(line.id, line.id)] | set(line.entries) for line in lines}


@pytest.fixture
async def cast(database: CampusEngine) -> Cast:
    put_in_use()
    return await make_cast(START)


@pytest.mark.parametrize("seed", range(6))
async def test_every_history_is_borne_out(cast: Cast, seed: int) -> None:
    await is_borne_out(cast, seed, 120)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 140))
async def test_long_histories_are_borne_out(sqlite_database: CampusEngine, seed: int) -> None:
    put_in_use()
    await is_borne_out(await make_cast(START), seed, 300)


async def is_borne_out(cast: Cast, seed: int, steps: int) -> None:
    history = await History.begin(random.Random(seed), cast)
    await history.live(steps)
    for period in (Q2, Q3):
        instants = {close_at(period), close_at(period) - timedelta(days=9), history.now}
        for at in sorted(at for at in instants if at > START):
            found = await queries.measured(history.school, period, at, now=at == history.now)
            document, before = written(found), written_before(found)
            assert disagreements(document, product_standards()) == [], (seed, period.id, at)
            assert disagreements(before, product_standards()) == [], (seed, period.id, at)
            lines = (line for group in before.score.groups for line in group.lines)
            assert entries_of(document) == {line.id: set(line.entries) for line in lines}


async def test_a_whole_county_is_borne_out(cast: Cast) -> None:
    await make_county(cast, close_at(Q3))
    for school in (cast.school,):
        document = await returned(school, Q3, close_at(Q3), now=False)
        assert document.facts
        assert disagreements(document, product_standards()) == []


# ---------------------------------------------------------------- what is not borne out
def replaced(document: ReturnDocument, line: str, /, **values: object) -> ReturnDocument:
    """The document with the first fact of a line altered."""
    at = next(n for n, fact in enumerate(document.facts) if fact.line == line)
    fact = replace(document.facts[at], **values)
    return replace(document, facts=(*document.facts[:at], fact, *document.facts[at + 1 :]))


def codes(document: ReturnDocument) -> set[str]:
    return {item.code for item in disagreements(document, product_standards())}


@pytest.fixture
async def sealed(cast: Cast) -> ReturnDocument:
    await make_county(cast, close_at(Q3))
    return await returned(cast.school, Q3, close_at(Q3), now=False)


async def test_a_fact_that_no_ledger_can_have_given_is_named(sealed: ReturnDocument) -> None:
    first = next(fact for fact in sealed.facts if fact.line == "education.weekly")
    for line, values in (
        ("education.weekly", {"happened_on": first.happened_on - timedelta(days=90)}),
        ("education.weekly", {"occurrence": "2026-W36/九(9)班"}),
        ("education.weekly", {"reached": 9999}),
        ("education.weekly", {"recorded_at": first.recorded_at - timedelta(days=40)}),
        ("education.weekly", {"recorded_at": close_at(Q3) + timedelta(days=1)}),
        ("education.weekly", {"id": "not an id"}),
        ("education.weekly", {"line": "education.dreams"}),
        ("food.samples", {"occurrence": "2026-09-01/midnight feast"}),
    ):
        assert codes(replaced(sealed, line, **values)) == {"fact"}, (line, values)


async def test_a_fact_more_or_less_is_found(sealed: ReturnDocument) -> None:
    assert codes(replace(sealed, facts=sealed.facts[1:])) >= {"line", "part"}
    twice = next(fact for fact in sealed.facts if fact.line == "education.weekly")
    assert codes(replace(sealed, facts=(*sealed.facts, twice))) == {"fact-twice"}


async def test_lateness_follows_from_when_it_was_recorded(sealed: ReturnDocument) -> None:
    fact = next(fact for fact in sealed.facts if fact.line == "education.weekly")
    late = replaced(sealed, "education.weekly", recorded_at=fact.recorded_at + timedelta(days=20))
    assert codes(late) >= {"line", "counts"}
    hidden = replaced(sealed, "education.weekly", timed_on=fact.happened_on + timedelta(days=20))
    assert codes(hidden) >= {"line", "counts"}


async def test_a_figure_of_the_score_is_found(sealed: ReturnDocument) -> None:
    score = replace(sealed.score, total="99.99")
    assert codes(replace(sealed, score=score)) == {"total"}
    group = sealed.score.groups[0]
    for change in ({"points": "9.99"}, {"entries": ("01a20267-619f-77fb-84f3-e0749ac40c44",)}):
        lines = (replace(group.lines[0], **change), *group.lines[1:])
        score = replace(sealed.score, groups=(replace(group, lines=lines), *sealed.score.groups[1:]))
        assert codes(replace(sealed, score=score)) == {"line"}
    score = replace(sealed.score, grade="优秀")
    assert codes(replace(sealed, score=score)) == {"total"}


async def test_the_schools_own_days_and_classes_decide(sealed: ReturnDocument) -> None:
    assert sealed.profile is not None
    closed = sealed.profile.terms[-1].starts
    for values in (
        {"closed": (closed + timedelta(days=14),)},
        {"has_canteen": False},
        {"classes": sealed.profile.classes[1:]},
        {"terms": ()},
        {"meals": ("breakfast",)},
    ):
        profile = replace(sealed.profile, **values)
        assert codes(replace(sealed, profile=profile)), values


async def test_the_countrys_days_are_known_here_too(sealed: ReturnDocument) -> None:
    assert sealed.profile is not None
    profile = replace(sealed.profile, days_off=sealed.profile.days_off[1:])
    assert codes(replace(sealed, profile=profile)) == {"calendar"}


async def test_incidents_weigh_what_their_history_says(sealed: ReturnDocument) -> None:
    assert sealed.incidents
    kept = sealed.incidents[0]
    assert codes(replace(sealed, incidents=())) >= {"part"}
    clocks = tuple(replace(clock, outcome="in-time") for clock in kept.clocks)
    milder = replace(kept, clocks=clocks, liability="no")
    assert codes(replace(sealed, incidents=(milder, *sealed.incidents[1:]))) == {"incident"}
    bare = replace(kept, history=None)
    assert codes(replace(sealed, incidents=(bare, *sealed.incidents[1:]))) == {"no-inputs"}


async def test_other_counts_and_exceptions_are_found(sealed: ReturnDocument) -> None:
    assert codes(replace(sealed, late=sealed.late + 1)) == {"counts"}
    assert codes(replace(sealed, exceptions=sealed.exceptions[1:])) >= {"part"}
    assert codes(replace(sealed, added=())) != set() or not sealed.added
    assert codes(replace(sealed, rules=sealed.rules[1:])) == {"part"}


async def test_without_inputs_nothing_is_borne_out(sealed: ReturnDocument) -> None:
    assert codes(replace(sealed, profile=None)) == {"no-inputs"}


async def test_under_another_version_of_the_standards_the_numbers_decide(sealed: ReturnDocument) -> None:
    score = replace(sealed.score, standards="2031-01+unknown")
    other = replace(sealed, standards="2031-01+unknown", score=score)
    assert codes(other) == set()
    score = replace(score, total="12.34")
    assert codes(replace(other, score=score)) == {"standards-unknown"}
