"""How a line of the trail is made and how a chain is checked, on plain values (PURE)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

START = "0" * 64
INSTANCE = 0
BEGUN = "chain.begun"
"""The action of the instance's line that tells of a school's chain that it begins. A chain begins once."""
# Facts are read by people for years; a secret among them could not be taken back.
SECRET_WORDS = ("password", "token", "secret", "session", "cookie")


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is stored. `chain` is a school's id or 0; `position` counts from 1; `facts` is
    canonical JSON.
    """

    chain: int
    position: int
    at: datetime
    actor: int | None
    actor_login: str
    action: str
    subject: str
    facts: str
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """The first line of a chain that is not as it was written. `chain` None is the instance's.

    `reason` is `edited` (its digest does not fit it), `missing` (a line between was deleted), `reordered`
    (its place
    does not fit), `broken` (it does not continue the line before), `truncated` (lines at the end are gone),
    `surplus` (more lines than the head knows of), `removed` (the whole chain is gone, its head too), `restarted`
    (it was removed and began again) or `unannounced` (the instance's chain, begun anew, does not know of it).
    """

    chain: int | None
    position: int
    reason: str


def canonical(facts: Mapping[str, Any]) -> str:
    """Facts as canonical JSON: sorted keys, no spaces, times in UTC. Raises ValueError for a secret's
    name.
    """
    for key in facts:
        if any(word in key.lower() for word in SECRET_WORDS):
            raise ValueError(f"{key!r} does not belong in the audit trail")
    return _json(facts)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: object) -> str | list[Any]:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"no plain form for {type(value).__name__}")


def digest_of(line: Line) -> str:
    """SHA-256, in hexadecimal, over the canonical JSON of everything in a line but the digest itself."""
    parts = {
        "action": line.action,
        "actor": line.actor,
        "actor_login": line.actor_login,
        "at": line.at,
        "chain": line.chain,
        "facts": line.facts,
        "position": line.position,
        "previous": line.previous,
        "subject": line.subject,
    }
    return hashlib.sha256(_json(parts).encode()).hexdigest()


def next_line(
    chain: int,
    length: int,
    head: str,
    at: datetime,
    actor: tuple[int | None, str],
    action: str,
    subject: str,
    facts: str,
) -> Line:
    """The line that follows a chain of `length` lines ending in `head`."""
    bare = Line(chain, length + 1, at, actor[0], actor[1], action, subject, facts, head, "")
    return Line(chain, length + 1, at, actor[0], actor[1], action, subject, facts, head, digest_of(bare))


class ChainCheck:
    """Walks one chain line by line, in the order in which they were written, and keeps the first thing
    wrong.
    """

    def __init__(self, chain: int) -> None:
        self.chain = chain
        self.position = 0
        self.previous = START
        self.bad: BadLine | None = None
        self.begun: Counter[int] = Counter()
        """How often lines of this chain say that another began, by chain."""

    def see(self, line: Line) -> None:
        """Take the next line; nothing more is looked at after the first bad one."""
        if self.bad is None:
            reason = self._wrong(line)
            if reason is not None:
                self._mark(self.position + 1 if reason == "missing" else line.position, reason)
            self.position, self.previous = line.position, line.digest
            if line.action == BEGUN:
                self.begun[int(json.loads(line.facts)["chain"])] += 1

    def end(self, length: int, head: str) -> BadLine | None:
        """Compare with what the head says; the first thing wrong with the chain, or None."""
        if self.bad is None and self.position < length:
            self._mark(self.position + 1, "truncated")
        elif self.bad is None and self.position > length:
            self._mark(length + 1, "surplus")
        elif self.bad is None and self.previous != head:
            self._mark(self.position, "edited")
        return self.bad

    def _wrong(self, line: Line) -> str | None:
        if digest_of(line) != line.digest:
            return "edited"
        if line.position <= self.position:
            return "reordered"
        if line.position > self.position + 1:
            return "missing"
        return "broken" if line.previous != self.previous else None

    def _mark(self, position: int, reason: str) -> None:
        self.bad = BadLine(self.chain or None, position, reason)


def missing_chains(begun: Mapping[int, int], there: Set[int], *, in_use: bool) -> list[BadLine]:
    """Compare the chains that are there with those that the instance's chain says began, each as often as `begun`.

    `in_use`: there is somebody whose coming the instance's chain must tell of.
    """
    schools = there - {INSTANCE}
    found = [BadLine(None, 1, "removed")] if INSTANCE not in there and (schools or in_use) else []
    for chain in sorted(begun.keys() | schools):
        times = begun.get(chain, 0)
        if chain not in there:
            found.append(BadLine(chain, 1, "removed"))
        elif times != 1:
            found.append(BadLine(chain, 1, "restarted" if times else "unannounced"))
    return found
