"""One suite for every ledger: what follows from a declaration, on both databases."""

import asyncio
import uuid
from datetime import timedelta

import pytest

from safety.audit.queries import verify
from safety.clock import local_day
from safety.database import CampusEngine, fetch_tuples
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ledger import actions, queries
from safety.ledger.declare import Kind, Ledger
from safety.ledger.parse import format_field
from safety.ledger.queries import Filters
from safety.ledger.values import parse_values
from safety.places import actions as places
from safety.places.facts import school_facts
from tests.cast import NOW, Cast, make_cast
from tests.ledgers import (
    FRIDGE_READINGS,
    LEDGERS,
    NAMES,
    count,
    create_test_table,
    ledgers_in_use,
    other,
    sample,
    typed,
    writer_of,
)

LATER = NOW + timedelta(hours=2)


@pytest.fixture(params=LEDGERS, ids=NAMES)
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return request.param


@pytest.fixture
async def cast(database: CampusEngine) -> Cast:
    with ledgers_in_use():
        await create_test_table()
        return await make_cast()


def key() -> str:
    return str(uuid.uuid4())


async def test_an_entry_is_recorded_read_listed_and_reads_back_as_typed(cast: Cast, ledger: Ledger) -> None:
    raw, scope = sample(ledger), cast[writer_of(ledger)]
    values = await typed(ledger, cast, raw)
    made = await actions.record(ledger, scope, cast.school, values, key(), NOW)
    assert made.created
    found = await queries.detail(scope, ledger, cast.school, made.id, LATER)
    assert dict(found.entry.values) == values
    context = await queries.context_for(ledger, cast.school, NOW)
    assert {f.name: format_field(f, found.entry.values[f.name], context) for f in ledger.fields} == raw
    assert found.entry.recorded_at == NOW
    assert found.people[scope.account_id].name == scope.name
    assert [line.action for line in found.trail] == ["entry.record"]
    page = await queries.list_entries(cast["clerk"], ledger, cast.school, Filters(), LATER)
    assert [row.id for row in page.rows] == [made.id]
    assert page.total == 1
    assert await verify() == []


async def test_the_same_submission_is_the_same_entry(cast: Cast, ledger: Ledger) -> None:
    scope, one = cast[writer_of(ledger)], key()
    values = await typed(ledger, cast, sample(ledger))
    first = await actions.record(ledger, scope, cast.school, values, one, NOW)
    again = await actions.record(ledger, scope, cast.school, values, one, LATER)
    assert (again.id, again.created) == (first.id, False)
    changed = await typed(ledger, cast, other(ledger, sample(ledger)))
    with pytest.raises(Conflict, match="same-key-other-body"):
        await actions.record(ledger, scope, cast.school, changed, one, LATER)
    assert await count(ledger) == 1


async def test_fifty_posts_at_once_with_one_key_make_one_entry(cast: Cast, ledger: Ledger) -> None:
    scope, one = cast[writer_of(ledger)], key()
    values = await typed(ledger, cast, sample(ledger))
    made = await asyncio.gather(
        *(actions.record(ledger, scope, cast.school, values, one, NOW) for _ in range(50))
    )
    assert len({item.id for item in made}) == 1
    assert [item.created for item in made].count(True) == 1
    assert await count(ledger) == 1
    assert await fetch_tuples(
        None, "select count(*) from audit_line where action = 'entry.record' and chain = $1", [cast.school]
    ) == [(1,)]


async def test_a_correction_supersedes_keeps_the_day_that_times_it_and_says_why(
    cast: Cast, ledger: Ledger
) -> None:
    scope, raw = cast[writer_of(ledger)], sample(ledger)
    values, mended = await typed(ledger, cast, raw), await typed(ledger, cast, other(ledger, raw))
    old = await actions.record(ledger, scope, cast.school, values, key(), NOW)
    days_later, one = NOW + timedelta(days=3), key()
    new = await actions.correct(ledger, scope, cast.school, old.id, mended, "写错了", one, days_later)
    repeat = await actions.correct(ledger, scope, cast.school, old.id, mended, "写错了", one, days_later)
    assert (repeat.id, repeat.created) == (new.id, False)
    found = await queries.detail(scope, ledger, cast.school, old.id, LATER)
    assert [version.id for version in found.versions] == [old.id, new.id]
    assert found.latest.why == "写错了"
    same = ledger.natural(values) == ledger.natural(mended)
    assert found.latest.timed_on == local_day(NOW if same else days_later)
    assert found.versions[0].superseded_at == days_later
    page = await queries.list_entries(scope, ledger, cast.school, Filters(), LATER)
    assert [row.id for row in page.rows] == [new.id]
    gone = await queries.list_entries(scope, ledger, cast.school, Filters(state="superseded"), LATER)
    assert [row.id for row in gone.rows] == [old.id]
    with pytest.raises(Conflict, match="entry-superseded"):
        await actions.correct(ledger, scope, cast.school, old.id, values, "再改", key(), days_later)
    with pytest.raises(Conflict, match="entry-superseded"):
        await actions.void(ledger, scope, cast.school, old.id, "作废", days_later)


async def test_of_two_corrections_at_once_one_wins(cast: Cast, ledger: Ledger) -> None:
    scope, raw = cast[writer_of(ledger)], sample(ledger)
    values, mended = await typed(ledger, cast, raw), await typed(ledger, cast, other(ledger, raw))
    old = await actions.record(ledger, scope, cast.school, values, key(), NOW)
    results = await asyncio.gather(
        *(
            actions.correct(ledger, scope, cast.school, old.id, mended, "写错了", key(), LATER)
            for _ in range(6)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, actions.Recorded) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 5
    assert await count(ledger) == 2


async def test_a_void_entry_stays_readable_and_unchangeable(cast: Cast, ledger: Ledger) -> None:
    scope, raw = cast[writer_of(ledger)], sample(ledger)
    values = await typed(ledger, cast, raw)
    made = await actions.record(ledger, scope, cast.school, values, key(), NOW)
    with pytest.raises(BadInput, match="why-missing"):
        await actions.void(ledger, scope, cast.school, made.id, "  ", LATER)
    await actions.void(ledger, scope, cast.school, made.id, "重复填报", LATER)
    found = await queries.detail(scope, ledger, cast.school, made.id, LATER)
    assert (found.entry.void_why, found.entry.voided_by) == ("重复填报", scope.account_id)
    assert (await queries.list_entries(scope, ledger, cast.school, Filters(), LATER)).total == 0
    assert (await queries.list_entries(scope, ledger, cast.school, Filters(state="voided"), LATER)).total == 1
    changed = await typed(ledger, cast, other(ledger, raw))
    with pytest.raises(Conflict, match="entry-voided"):
        await actions.correct(ledger, scope, cast.school, made.id, changed, "改", key(), LATER)
    with pytest.raises(Conflict, match="entry-voided"):
        await actions.void(ledger, scope, cast.school, made.id, "再次", LATER)


async def test_a_later_fact_is_added_once_and_belongs_to_the_chain(cast: Cast, ledger: Ledger) -> None:
    if not ledger.events:
        with pytest.raises(NotFound):
            await actions.add_event(
                ledger, cast["officer"], cast.school, uuid.uuid4(), "x", "", NOW, key(), NOW
            )
        return
    scope, raw = cast[writer_of(ledger)], sample(ledger)
    made = await actions.record(ledger, scope, cast.school, await typed(ledger, cast, raw), key(), NOW)
    mended = await typed(ledger, cast, other(ledger, raw))
    new = await actions.correct(ledger, scope, cast.school, made.id, mended, "写错了", key(), LATER)
    for event in ledger.events:
        who = cast["clerk"] if event.roles == {"clerk"} else scope
        value = ""
        if event.value:
            value = event.value.choices[0].value if event.value.kind is Kind.CHOICE else "3"
        one = key()
        args = (ledger, who, cast.school, new.id, event.kind, value, LATER, one, LATER)
        first, again = await actions.add_event(*args), await actions.add_event(*args)
        assert (again.id, again.created) == (first.id, False)
        with pytest.raises(BadInput, match="event-in-future"):
            await actions.add_event(
                ledger, who, cast.school, new.id, event.kind, value, LATER + timedelta(days=9), key(), LATER
            )
        with pytest.raises(NotAllowed):
            await actions.add_event(
                ledger, cast["guard"], cast.school, new.id, event.kind, value, LATER, key(), LATER
            )
    found = await queries.detail(cast["officer"], ledger, cast.school, made.id, LATER)
    assert [item.kind for item in found.events] == [event.kind for event in ledger.events]


async def test_only_those_may_write_whom_the_ledger_names(cast: Cast, ledger: Ledger) -> None:
    values = await typed(ledger, cast, sample(ledger))
    made = await actions.record(ledger, cast[writer_of(ledger)], cast.school, values, key(), NOW)
    for name, scope in cast.scopes.items():
        if name == "outsider":
            continue
        allowed = name == "admin" or name in ledger.writers | ledger.recorders
        said = values | (dict(ledger.recorded_as) if name in ledger.recorders else {})
        try:
            await actions.record(ledger, scope, cast.school, said, key(), NOW)
        except NotAllowed:
            assert not allowed, name
        else:
            assert allowed, name
    outsider = cast["outsider"]
    for attempt in (
        actions.record(ledger, outsider, cast.school, values, key(), NOW),
        actions.void(ledger, outsider, cast.school, made.id, "x", NOW),
        queries.detail(outsider, ledger, cast.school, made.id, LATER),
        queries.list_entries(outsider, ledger, cast.school, Filters(), LATER),
        # Their own school, another school's entry.
        queries.detail(outsider, ledger, cast.other_school, made.id, LATER),
    ):
        with pytest.raises(NotFound):
            await attempt
    if "officer" in ledger.writers:
        with pytest.raises(NotFound):
            await actions.void(ledger, outsider, cast.other_school, made.id, "x", NOW)


async def test_an_entry_may_be_made_for_somebody_of_the_school(cast: Cast, ledger: Ledger) -> None:
    scope, values = cast[writer_of(ledger)], await typed(ledger, cast, sample(ledger))
    made = await actions.record(
        ledger, scope, cast.school, values, key(), NOW, on_behalf_of=cast["guard"].account_id
    )
    found = await queries.detail(scope, ledger, cast.school, made.id, LATER)
    assert (found.entry.recorded_by, found.entry.on_behalf_of) == (
        scope.account_id,
        cast["guard"].account_id,
    )
    assert found.people[cast["guard"].account_id].name == cast["guard"].name
    with pytest.raises(BadInput, match="person-unknown"):
        await actions.record(
            ledger, scope, cast.school, values, key(), NOW, on_behalf_of=cast["outsider"].account_id
        )


async def test_only_an_administrator_states_when_it_was_recorded(cast: Cast, ledger: Ledger) -> None:
    values, long_ago = await typed(ledger, cast, sample(ledger)), NOW - timedelta(minutes=5)
    with pytest.raises(NotAllowed):
        await actions.record(
            ledger, cast[writer_of(ledger)], cast.school, values, key(), NOW, recorded_at=long_ago
        )
    made = await actions.record(ledger, cast["admin"], cast.school, values, key(), NOW, recorded_at=long_ago)
    assert (await queries.entry(cast["admin"], ledger, cast.school, made.id)).recorded_at == long_ago
    with pytest.raises(BadInput, match="recorded-in-future"):
        await actions.record(ledger, cast["admin"], cast.school, values, key(), NOW, recorded_at=LATER)
    if not ledger.future:
        with pytest.raises(BadInput, match="after-recording"):
            await actions.record(
                ledger, cast["admin"], cast.school, values, key(), NOW, recorded_at=NOW - timedelta(days=2)
            )


async def test_every_filter_narrows_the_list(cast: Cast, ledger: Ledger) -> None:
    scope, values = cast[writer_of(ledger)], await typed(ledger, cast, sample(ledger))
    await actions.record(ledger, scope, cast.school, values, key(), NOW)
    day = values["happened_on"]
    shown = [
        Filters(since=day, until=day),
        Filters(person=scope.account_id),
        Filters(order="oldest"),
        Filters(order="recorded"),
    ]
    hidden = [
        Filters(since=day + timedelta(days=1)),
        Filters(until=day - timedelta(days=1)),
        Filters(person=cast["guard"].account_id),
        Filters(text="没有这样的内容"),
        Filters(text="%"),
        Filters(state="voided"),
        Filters(timing="backfilled"),
    ]
    if any(item.kind is Kind.TEXT for item in ledger.fields):
        shown.append(Filters(text="防火"))
    if any(item.kind is Kind.SCHOOL_CLASS for item in ledger.fields):
        shown.append(Filters(classes=(cast.school_class,)))
        hidden.append(Filters(classes=(cast.school_class + 999, cast.school_class + 998)))
    for filters, expected in [(f, 1) for f in shown] + [(f, 0) for f in hidden]:
        page = await queries.list_entries(scope, ledger, cast.school, filters, LATER)
        assert (page.total, len(page.rows)) == (expected, expected), filters


async def test_lists_are_cut_into_pages(cast: Cast) -> None:
    scope = cast["officer"]
    for number in range(7):
        values = await typed(FRIDGE_READINGS, cast, sample(FRIDGE_READINGS, number))
        await actions.record(FRIDGE_READINGS, scope, cast.school, values, key(), NOW)
    seen = set()
    for number in (1, 2, 3):
        page = await queries.list_entries(
            scope, FRIDGE_READINGS, cast.school, Filters(), LATER, page=number, size=3
        )
        assert (page.total, page.last) == (7, 3)
        seen |= {row.id for row in page.rows}
    assert len(seen) == 7


async def test_a_class_teacher_writes_for_their_own_class_only(cast: Cast) -> None:
    ledger = next(item for item in LEDGERS if item.name == "class_sessions")
    teacher = cast["teacher"]
    own = await typed(ledger, cast, sample(ledger))
    assert (await actions.record(ledger, teacher, cast.school, own, key(), NOW)).created
    whole_school = await typed(ledger, cast, {**sample(ledger), "class": "", "kind": "monthly"})
    with pytest.raises(BadInput, match="class-not-yours"):
        await actions.record(ledger, teacher, cast.school, whole_school, key(), NOW)
    assert (await actions.record(ledger, cast["officer"], cast.school, whole_school, key(), NOW)).created


async def test_liability_is_not_for_the_school_to_state(cast: Cast) -> None:
    ledger = next(item for item in LEDGERS if item.name == "incidents")
    innocent = await typed(ledger, cast, {**sample(ledger), "liability": "no"})
    with pytest.raises(BadInput, match="field-reserved"):
        await actions.record(ledger, cast["officer"], cast.school, innocent, key(), NOW)
    assert (await actions.record(ledger, cast["admin"], cast.school, innocent, key(), NOW)).created


async def test_another_school_s_class_is_refused(cast: Cast, ledger: Ledger) -> None:
    if not any(item.kind is Kind.SCHOOL_CLASS for item in ledger.fields):
        return
    values = {**await typed(ledger, cast, sample(ledger)), "class": cast.school_class + 500}
    with pytest.raises(BadInput, match="class-unknown"):
        await actions.record(ledger, cast[writer_of(ledger)], cast.school, values, key(), NOW)


async def test_an_entry_may_name_a_grid_zone_of_its_own_school(cast: Cast, ledger: Ledger) -> None:
    scope = cast[writer_of(ledger)]
    for school in (cast.school, cast.other_school):
        campus = await places.create_campus(None, school, "本部", NOW)
        await places.create_zone(None, school, campus, "食堂片区", NOW)
    (own,), (foreign,) = [(await school_facts(school)).zones for school in (cast.school, cast.other_school)]
    values = await typed(ledger, cast, {**sample(ledger), "zone": "食堂片区"})
    assert values["zone"] == own.id
    made = await actions.record(ledger, scope, cast.school, values, key(), NOW)
    assert dict((await queries.entry(scope, ledger, cast.school, made.id)).values) == values
    for zone, total in ((own.id, 1), (foreign.id, 0)):
        assert (
            await queries.list_entries(scope, ledger, cast.school, Filters(zone=zone), LATER)
        ).total == total
    with pytest.raises(BadInput, match="zone-unknown"):
        await actions.record(ledger, scope, cast.school, {**values, "zone": foreign.id}, key(), NOW)
    moved = await actions.correct(
        ledger, scope, cast.school, made.id, {**values, "zone": None}, "不在网格", key(), LATER
    )
    assert (await queries.entry(scope, ledger, cast.school, moved.id)).values["zone"] is None


async def test_every_required_field_is_missed_by_name(cast: Cast, ledger: Ledger) -> None:
    context = await queries.context_for(ledger, cast.school, NOW)
    raw = {item.name: "" for item in ledger.fields}
    _, problems = parse_values(ledger, raw, context)
    wanted = {item.name for item in ledger.fields if item.required and item.by is None}
    assert {p.field for p in problems if p.code == "required"} == wanted
    assert await count(ledger) == 0


async def test_a_bad_submission_key_is_refused(cast: Cast, ledger: Ledger) -> None:
    values = await typed(ledger, cast, sample(ledger))
    for bad in ("", "short", "x" * 81, "with space in it", "汉字汉字汉字汉字"):
        with pytest.raises(BadInput, match="key-form"):
            await actions.record(ledger, cast[writer_of(ledger)], cast.school, values, bad, NOW)
    assert await count(ledger) == 0
