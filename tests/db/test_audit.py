"""The trail names the first line that is not as it was written."""

import asyncio
import contextvars
from collections.abc import AsyncIterator

import pytest

from safety.access.tables import Account
from safety.audit import queries
from safety.audit.actions import append
from safety.audit.queries import head, verify
from safety.audit.rules import INSTANCE, START, BadLine, Line
from safety.audit.tables import AuditHead, AuditLine
from safety.database import CampusEngine, fetch_tuples, transaction
from safety.migrations import migrate
from tests.cast import NOW

SCHOOL = 7
TOLD = "2026-11-22T06:10:00:000001"


@pytest.fixture
async def chain(database: CampusEngine) -> None:
    for number in range(1, 7):
        await note(number)
    await note(1, chain=None)


async def note(number: int, chain: int | None = SCHOOL) -> None:
    async with transaction():
        await append(
            chain, None, "entry.added", f"entry:{number}", {"present": number, "topic": "防溺水"}, NOW
        )


async def test_an_untouched_trail_is_whole_and_its_head_moves(chain: None) -> None:
    assert await verify() == []
    before = await head(SCHOOL)
    await note(7)
    assert await head(SCHOOL) != before
    assert await head(99) == START
    assert len(await head(None)) == 64


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("update audit_line set facts = '{}' where chain = 7 and position = 3", BadLine(7, 3, "edited")),
        ("update audit_line set actor = 5 where chain = 7 and position = 2", BadLine(7, 2, "edited")),
        (
            "update audit_line set at = '2020-01-01 00:00:00.000000+00:00' where position = 4",
            BadLine(7, 4, "edited"),
        ),
        ("delete from audit_line where chain = 7 and position = 3", BadLine(7, 3, "missing")),
        ("delete from audit_line where chain = 7 and position = 1", BadLine(7, 1, "missing")),
        ("delete from audit_line where chain = 7 and position = 6", BadLine(7, 6, "truncated")),
        ("delete from audit_line where chain = 7 and position > 4", BadLine(7, 5, "truncated")),
        ("delete from audit_line where chain = 7", BadLine(7, 1, "truncated")),
        ("delete from audit_head where chain = 7", BadLine(7, 1, "surplus")),
        ("update audit_head set length = 5 where chain = 7", BadLine(7, 6, "surplus")),
        (
            "update audit_head set head = previous from audit_line l where l.position = 1",
            BadLine(7, 6, "edited"),
        ),
        ("delete from audit_line where chain = 0", BadLine(None, 1, "truncated")),
    ],
)
async def test_what_was_done_to_it_is_named(chain: None, sql: str, expected: BadLine) -> None:
    await fetch_tuples(None, sql)
    assert expected in await verify()


async def test_two_lines_that_changed_places_are_named(chain: None) -> None:
    for before, after in [(3, 103), (4, 3), (103, 4)]:
        await fetch_tuples(
            None, "update audit_line set position = $2 where chain = 7 and position = $1", [before, after]
        )
    assert await verify() == [BadLine(7, 3, "edited")]


async def test_only_the_chain_that_was_touched_is_bad(chain: None) -> None:
    await AuditLine.update({AuditLine.subject: "entry:9"}).where(AuditLine.chain == 0)
    assert await verify() == [BadLine(None, 1, "edited")]


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        (["chain = 7"], [BadLine(7, 1, "removed")]),
        # Everything there was: nobody can say of which schools, but there are people.
        (["chain = 7", "chain = 0"], [BadLine(None, 1, "removed")]),
        (["chain = 0"], [BadLine(None, 1, "removed"), BadLine(7, 1, "unannounced")]),
    ],
)
async def test_a_chain_that_is_gone_together_with_its_head_is_missed(
    chain: None, gone: list[str], expected: list[BadLine]
) -> None:
    await Account(login="somebody", name="某人", created_at=NOW).save()
    for which in gone:
        for table in ("audit_line", "audit_head"):
            await fetch_tuples(None, f"delete from {table} where {which}")
    assert await verify() == expected


async def test_a_chain_that_began_again_is_not_taken_for_the_old_one(chain: None) -> None:
    for table in ("audit_line", "audit_head"):
        await fetch_tuples(None, f"delete from {table} where chain = 7")
    await note(1)
    assert await verify() == [BadLine(7, 1, "restarted")]


async def test_chains_from_before_their_beginning_was_told_are_told_of_by_the_migration(
    database: CampusEngine, chain: None
) -> None:
    await fetch_tuples(None, "delete from audit_line where chain = 0")
    await fetch_tuples(None, "delete from audit_head where chain = 0")
    await note(1, chain=None)
    assert await verify() == [BadLine(7, 1, "unannounced")]
    await fetch_tuples(None, "delete from migration where app_name = 'audit' and name = $1", [TOLD])
    assert [step.id for step in await migrate(database)] == [TOLD]
    assert await verify() == []


async def test_fifty_writers_of_one_chain_make_one_chain(database: CampusEngine) -> None:
    await asyncio.gather(*(note(number) for number in range(50)))
    assert await verify() == []
    lengths = {row["chain"]: row["length"] for row in await AuditHead.select()}
    assert lengths == {INSTANCE: 1, SCHOOL: 50}


async def test_a_trail_that_grows_while_it_is_walked_is_whole(
    chain: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = queries.lines

    async def growing(number: int) -> AsyncIterator[Line]:
        # A task of its own, as another request is: it does not stand in the walk's own snapshot.
        await asyncio.create_task(note(99), context=contextvars.Context())
        async for line in walk(number):
            yield line

    monkeypatch.setattr(queries, "lines", growing)
    assert await queries.verify() == []


async def test_a_line_whose_action_failed_is_not_there(chain: None) -> None:
    async def fail() -> None:
        async with transaction():
            await append(SCHOOL, None, "entry.added", "entry:0", {}, NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await verify() == []
    assert await AuditLine.count().where(AuditLine.chain == SCHOOL) == 6


@pytest.mark.parametrize("name", ["password", "new_password", "session_token", "Secret"])
async def test_a_secret_is_refused(database: CampusEngine, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        await append(None, None, "x", "x", {name: "hunter2"}, NOW)
