"""Reading and checking the trail."""

from collections.abc import AsyncIterator
from typing import Any

from safety.access.scope import Scope
from safety.audit.rules import INSTANCE, START, BadLine, ChainCheck, Line, missing_chains
from safety.database import fetch_tuples, read_only_door
from safety.errors import NotFound

PAGE = 2000
_COLUMNS = "chain, position, at, actor, actor_login, action, subject, facts, previous, digest"


async def head(school: int | None) -> str:
    """The digest of the last line of a school's chain (None: the instance's); 64 zeros before the first
    line.
    """
    rows = await _fetch("select head from audit_head where chain = $1", [school or INSTANCE])
    return str(rows[0][0]) if rows else START


async def verify() -> list[BadLine]:
    """Walk every chain; the first bad line of each chain that has one, in the order of their chains; then the chains
    that are not there as they began.

    All of it as it stood at one moment: what is written meanwhile is not taken for a line too many.
    """
    async with read_only_door():
        return await _verify_all()


async def _verify_all() -> list[BadLine]:
    heads = {int(chain): (int(length), str(end)) for chain, length, end in await _fetch(_HEADS, [])}
    present = {int(chain) for (chain,) in await _fetch("select distinct chain from audit_line", [])}
    there = heads.keys() | present
    checks = [await _walked(chain, *heads.get(chain, (0, START))) for chain in sorted(there)]
    found = [check.bad for check in checks if check.bad is not None]
    begun = next((check for check in checks if check.chain == INSTANCE), ChainCheck(INSTANCE))
    if begun.bad is None:
        found += missing_chains(begun.begun, there, in_use=bool(await _fetch(_SOMEBODY, [])))
    return found


_HEADS = "select chain, length, head from audit_head"
_SOMEBODY = "select 1 from account limit 1"


async def _walked(chain: int, length: int, end: str) -> ChainCheck:
    check = ChainCheck(chain)
    async for line in lines(chain):
        check.see(line)
        if check.bad is not None:
            break
    check.end(length, end)
    return check


async def lines(chain: int) -> AsyncIterator[Line]:
    """The lines of one chain in the order of writing, some thousands at a time."""
    last = 0
    while True:
        rows = await _fetch(
            f"select {_COLUMNS} from audit_line where chain = $1 and position > $2 order by position limit {PAGE}",  # noqa: S608
            [chain, last],
        )
        for row in rows:
            yield Line(*row)
        if len(rows) < PAGE:
            return
        last = rows[-1][1]


async def page_of(scope: Scope, school: int, number: int, size: int) -> tuple[list[Line], int]:
    """A page of a school's chain, newest line first and pages counted from 1, and how many lines there are.

    Raises NotFound for a school that the viewer's roles do not open.
    """
    if not scope.may(school):
        raise NotFound
    total = (await _fetch("select count(*) from audit_line where chain = $1", [school]))[0][0]
    rows = await _fetch(
        f"select {_COLUMNS} from audit_line where chain = $1 order by position desc limit $2 offset $3",  # noqa: S608
        [school, size, (number - 1) * size],
    )
    return [Line(*row) for row in rows], int(total)


async def _fetch(sql: str, args: list[object]) -> list[tuple[Any, ...]]:
    return await fetch_tuples(None, sql, args)
