"""Writing notes and drawing samples: by those who inspect, and answers by the school that is asked."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reports.oversight import queries
from reports.oversight.rules import MOST, Drawn, draw, is_open, population_digest
from safety import in_use
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.rulebook import Rulebook
from safety.submission import checked_key

TEXT_LENGTH = 1000
INSPECTING = ("inspector", "clerk")
ANSWERING = ("officer", "principal")
FOLLOWING = {"comment": INSPECTING, "answer": ANSWERING, "settled": INSPECTING}
"""Who may add what to a thread."""

SAVE_NOTE = """insert into inspection_note
(id, thread, school, kind, ledger, entry, period, line, text, written_by, writer, written_at, submission_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (school, submission_key) do nothing returning id"""
SENT_BEFORE = "select id, text from inspection_note where school = $1 and submission_key = $2"
SAVE_SAMPLE = """insert into inspection_sample (id, school, period, ledger, size, seed, population, population_digest,
chosen, drawn_by, drawer, drawn_at, submission_key) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (school, submission_key) do nothing returning id"""
DRAWN_BEFORE = "select id from inspection_sample where school = $1 and submission_key = $2"


@dataclass(frozen=True, slots=True)
class About:
    """What a note is on: an entry of a ledger, or a line of a quarter's score."""

    ledger: str = ""
    entry: UUID | None = None
    period: str = ""
    line: str = ""


async def begin(
    scope: Scope, school_id: int, about: About, kind: str, text: str, key: str, now: datetime
) -> UUID:
    """A comment or a query on something of a school's.

    Raises:
        NotFound: a school out of scope, or no such entry or line.
        NotAllowed: not somebody who inspects this school.
        BadInput: `text`, `kind` or `submission_key`.
        Conflict: `same-key-other-body`.
    """
    _check(scope, school_id, INSPECTING)
    if kind not in {"comment", "query"}:
        raise BadInput.one("kind", "choice-unknown", text=kind, allowed="comment, query")
    text, key = _text(text), checked_key(key)
    await check_about(scope, school_id, about)
    id_ = new_id()
    return await _save(scope, school_id, id_, id_, kind, about, text, key, now)


async def follow(
    scope: Scope, school_id: int, thread: UUID, kind: str, text: str, key: str, now: datetime
) -> UUID:
    """Something more on a thread: a comment, the school's answer, or that a query is settled.

    Raises as `begin`; Conflict (`query-settled`) for a thread that nobody waits on any more, comments excepted.
    """
    if kind not in FOLLOWING:
        raise BadInput.one("kind", "choice-unknown", text=kind, allowed=", ".join(FOLLOWING))
    _check(scope, school_id, FOLLOWING[kind])
    key = checked_key(key)
    text = _text(text) if kind != "settled" or text.strip() else ""
    async with transaction():
        found = await queries.thread(scope, school_id, thread)
        repeated = await _sent_before(school_id, key, text)
        if repeated is not None:
            return repeated
        if kind != "comment" and not is_open([note.kind for note in found]):
            raise Conflict("query-settled")
        first = found[0]
        about = About(first.ledger, first.entry, first.period, first.line)
        return await _save(scope, school_id, new_id(), thread, kind, about, text, key, now)


async def draw_sample(
    scope: Scope, school_id: int, period: Period, ledger: str, size: int, key: str, now: datetime
) -> UUID:
    """Draw entries of a quarter at random, of one ledger or of all, and keep what was drawn and how.

    Raises BadInput for a size out of 1 to 200, an unknown ledger, or nothing to draw from; else as `begin`.
    """
    _check(scope, school_id, INSPECTING)
    key = checked_key(key)
    if size < 1:
        raise BadInput.one("size", "too-small", minimum=1)
    if size > MOST:
        raise BadInput.one("size", "too-large", maximum=MOST)
    names = [item.name for item in in_use.registry()]
    if ledger and ledger not in names:
        raise BadInput.one("ledger", "choice-unknown", text=ledger, allowed=", ".join(names))
    async with transaction():
        before = await fetch_tuples(None, DRAWN_BEFORE, [school_id, key])
        if before:
            return before[0][0]  # type: ignore[no-any-return]
        population = await queries.population(school_id, period, ledger)
        if not population:
            raise BadInput.one("period", "nothing-to-draw")
        return await _keep_sample(scope, school_id, period, ledger, size, population, key, now)


async def _keep_sample(
    scope: Scope, school_id: int, period: Period, ledger: str, size: int,
    population: Sequence[Drawn], key: str, now: datetime,
) -> UUID:  # fmt: skip
    # Nobody can know the seed before it is drawn, and everybody can after.
    seed, id_ = secrets.token_hex(16), new_id()
    chosen = [[name, str(entry)] for name, entry in draw(population, size, seed)]
    digest = population_digest(population)
    values = [id_, school_id, period.id, ledger, size, seed, len(population), digest, json.dumps(chosen)]
    await fetch_tuples(None, SAVE_SAMPLE, [*values, scope.account_id, scope.name, now, key])
    told = {"period": period.id, "ledger": ledger, "size": size, "seed": seed, "population": digest}
    await append(school_id, scope, "inspection.sample", f"samples/{id_}", told, now)
    return id_


# ---------------------------------------------------------------- checks
def _check(scope: Scope, school_id: int, roles: Sequence[str]) -> None:
    if not scope.may(school_id):
        raise NotFound
    if not scope.may(school_id, *roles):
        raise NotAllowed


def _text(text: str) -> str:
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if not text:
        raise BadInput.one("text", "required")
    if len(text) > TEXT_LENGTH:
        raise BadInput.one("text", "text-long", maximum=TEXT_LENGTH, length=len(text))
    return text


async def check_about(scope: Scope, school_id: int, about: About) -> None:
    """Raises NotFound where there is no such entry of the school, or no such line of the sheet."""
    if about.entry is not None:
        await queries.entry_of(scope, school_id, about.ledger, about.entry)
        return
    try:
        period = Period.parse(about.period)
    except ValueError as error:
        raise NotFound from error
    if about.line not in {line.id for line in Rulebook.of(in_use.standards(), period).sheet.lines}:
        raise NotFound


# ---------------------------------------------------------------- the row
async def _save(
    scope: Scope, school_id: int, id_: UUID, thread: UUID, kind: str, about: About, text: str, key: str, now: datetime
) -> UUID:  # fmt: skip
    values = [id_, thread, school_id, kind, about.ledger, about.entry, about.period, about.line, text]
    async with transaction():
        if not await fetch_tuples(None, SAVE_NOTE, [*values, scope.account_id, scope.name, now, key]):
            before = await _sent_before(school_id, key, text)
            assert before is not None
            return before
        on = f"{about.ledger}/{about.entry}" if about.entry else f"{about.period}/{about.line}"
        await append(
            school_id, scope, f"inspection.{kind}", f"notes/{id_}", {"on": on, "thread": thread}, now
        )
    return id_


async def _sent_before(school_id: int, key: str, text: str) -> UUID | None:
    rows = await fetch_tuples(None, SENT_BEFORE, [school_id, key])
    if not rows:
        return None
    if rows[0][1] != text:
        raise Conflict("same-key-other-body")
    return rows[0][0]  # type: ignore[no-any-return]
