"""Writing the trail. Every action that changes something calls `append` inside its own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from safety.audit.rules import BEGUN, INSTANCE, START, Line, canonical, next_line
from safety.database import current_engine, fetch_tuples

READ_HEAD = "select length, head from audit_head where chain = $1 for update"
FIRST_HEAD = "insert into audit_head (chain, length, head) values ($1, 0, $2) on conflict (chain) do nothing"
MOVE_HEAD = "update audit_head set length = $2, head = $3 where chain = $1"
_COLUMNS = "(chain, position, at, actor, actor_login, action, subject, facts, previous, digest)"
ADD_LINE = f"insert into audit_line {_COLUMNS} values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"  # noqa: S608
# PostgreSQL moves the head and adds the line in one go; SQLite knows no writing WITH.
ADD_BOTH = (
    "with moved as (update audit_head set length = $2, head = $10 where chain = $1) "  # noqa: S608
    f"insert into audit_line {_COLUMNS} values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
)


class Actor(Protocol):
    """Who did it: a `Scope`, or anything else with an account's id and login."""

    @property
    def account_id(self) -> int: ...

    @property
    def login(self) -> str: ...


async def append(
    chain: int | None,
    actor: Actor | None,
    action: str,
    subject: str,
    facts: Mapping[str, Any],
    now: datetime,
) -> None:
    """Add a line to a school's chain (None: the instance's), inside the transaction of what it tells of.

    `actor` None is the machine itself. The head row is locked, so two writers of one chain go one after the
    other.
    Raises ValueError when a fact's name says that it is a secret.
    """
    number = INSTANCE if chain is None else chain
    length, head = await _locked_head(number, now)
    who = (None, "") if actor is None else (actor.account_id, actor.login)
    line = next_line(number, length, head, now, who, action, subject, canonical(facts))
    await _write(line)


async def _locked_head(chain: int, now: datetime) -> tuple[int, str]:
    rows = await fetch_tuples(None, READ_HEAD, [chain])
    if not rows:
        await _begin(chain, now)
        rows = await fetch_tuples(None, READ_HEAD, [chain])
    return int(rows[0][0]), str(rows[0][1])


async def _begin(chain: int, now: datetime) -> None:
    """A new head; of a school's the instance's chain tells, so that a chain that is gone altogether is missed."""
    if chain != INSTANCE:
        # Whoever begins a chain holds the instance's head: of two at once the second finds it begun.
        await _locked_head(INSTANCE, now)
        if await fetch_tuples(None, READ_HEAD, [chain]):
            return
        await append(None, None, BEGUN, f"chain:{chain}", {"chain": chain}, now)
    await fetch_tuples(None, FIRST_HEAD, [chain, START])


async def _write(line: Line) -> None:
    values = [
        line.chain,
        line.position,
        line.at,
        line.actor,
        line.actor_login,
        line.action,
        line.subject,
        line.facts,
        line.previous,
        line.digest,
    ]
    if current_engine().engine_type == "postgres":
        await fetch_tuples(None, ADD_BOTH, values)
        return
    await fetch_tuples(None, ADD_LINE, values)
    await fetch_tuples(None, MOVE_HEAD, [line.chain, line.position, line.digest])
