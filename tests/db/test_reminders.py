"""Reminders to sign: when they are due, to whom they go, and that none goes out stale or twice."""

from datetime import UTC, datetime, timedelta

import pytest

from config.rules import put_in_use
from reports import queries
from reports.actions import sign
from reports.bureau import reminders
from reports.bureau.reminders import REMINDERS, remind, slots, standing
from safety.audit.queries import verify
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.errors import Conflict, NotAllowed, NotFound
from safety.jobs.actions import walk
from safety.jobs.owner import me
from tests.cast import Cast, make_cast
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
OPENING, MIDPOINT, LAST = (datetime(2026, 9, day, 0, 0, tzinfo=UTC) for day in (20, 25, 29))


@pytest.fixture
async def county(database: CampusEngine) -> Cast:
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await make_county(cast, CLOSE)
    return cast


async def sign_first(cast: Cast, at: datetime) -> None:
    digest = (await queries.draft(cast["principal"], cast.school, Q3, at)).facts_digest
    await sign(cast["principal"], cast.school, Q3, digest, at, key="sign-off-0001")


async def reminded() -> list[tuple[str, str]]:
    return await fetch_tuples(
        None,
        "select s.code, r.slot from reminder r join school s on s.id = r.school order by s.code, r.made_at",
    )


@pytest.mark.parametrize(
    ("until", "keys"),
    [
        (OPENING - timedelta(seconds=1), []),
        (OPENING, ["2026Q3-opening"]),
        (MIDPOINT - timedelta(seconds=1), ["2026Q3-opening"]),
        (MIDPOINT, ["2026Q3-midpoint"]),
        (LAST + timedelta(hours=30), ["2026Q3-last"]),
        (CLOSE, []),
    ],
)
def test_only_the_reminder_due_last_is_sent_and_none_after_the_close(
    until: datetime, keys: list[str]
) -> None:
    assert [slot.key for slot in slots(LONG_AGO, until)] == keys
    assert slots(until, until) == []


async def test_each_reminder_goes_once_and_only_to_who_has_not_signed(county: Cast) -> None:
    clock = FixedClock(OPENING + timedelta(hours=3))
    assert await walk(REMINDERS, clock, me()) == {"2026Q3-opening": "done"}
    assert await walk(REMINDERS, clock, me()) == {}
    await sign_first(county, clock.now())
    clock.set(LAST)
    # Nothing ran at the midpoint: its reminder has been overtaken.
    assert await walk(REMINDERS, clock, me()) == {"2026Q3-last": "done"}
    assert await reminded() == [
        ("S001", "opening"), ("S002", "opening"), ("S002", "last"), ("S003", "opening"), ("S003", "last")
    ]  # fmt: skip
    clock.set(CLOSE + timedelta(hours=1))
    assert await walk(REMINDERS, clock, me()) == {}
    assert await verify() == []


async def test_it_stands_on_the_first_page_until_it_is_signed_or_too_late(county: Cast) -> None:
    assert await standing(county.school, OPENING) is None
    await walk(REMINDERS, FixedClock(OPENING), me())
    found = await standing(county.school, MIDPOINT)
    assert found is not None
    assert found.slot == "opening"
    assert await standing(county.school, CLOSE) is None
    for who, count in (("principal", 1), ("officer", 1), ("teacher", 0), ("clerk", 0)):
        assert len(await reminders.calls(county[who], county.school, "S001", MIDPOINT)) == count, who
    await sign_first(county, MIDPOINT)
    assert await standing(county.school, MIDPOINT) is None


async def test_a_clerk_reminds_once_a_day(county: Cast) -> None:
    schools = [county.school, county.other_school]

    async def press(at: datetime, who: str = "clerk") -> int:
        return await remind(county[who], county.county, schools, at)

    with pytest.raises(Conflict, match="draft-not-open"):
        await press(OPENING - timedelta(days=2))
    for who, refusal in (("inspector", NotAllowed), ("admin", NotAllowed), ("officer", NotFound)):
        with pytest.raises(refusal):
            await press(MIDPOINT, who)
    assert await press(MIDPOINT) == 2
    with pytest.raises(Conflict, match="reminded-today"):
        await press(MIDPOINT + timedelta(hours=2))
    await sign_first(county, MIDPOINT)
    assert await press(MIDPOINT + timedelta(days=1)) == 1
    assert await reminded() == [("S001", "2026-09-25"), ("S002", "2026-09-25"), ("S002", "2026-09-26")]
    found = await standing(county.other_school, MIDPOINT + timedelta(days=1))
    assert found is not None
    assert found.maker == "孙经办"
    # Not even a clerk reaches a school of another county.
    assert (
        await remind(
            county["clerk"], county.county, [county.far_school, *schools], MIDPOINT + timedelta(days=2)
        )
        == 1
    )
