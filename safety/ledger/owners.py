"""Whose an entry is: its chain back to the first version, and whether the bureau or the school recorded that."""

from safety.database import fetch_tuples
from safety.ledger.declare import Ledger
from safety.ledger.rows import EntryRow, shape_of


async def versions(ledger: Ledger, last: EntryRow) -> list[EntryRow]:
    """A chain up to one of its versions, the first version first."""
    shape, found = shape_of(ledger), [last]
    while found[-1].supersedes is not None:
        rows = await fetch_tuples(None, shape.by_id, [last.school, found[-1].supersedes])
        found.append(shape.read(rows[0]))
    return found[::-1]


async def of_bureau(ledger: Ledger, entry: EntryRow) -> bool:
    """Whether somebody of the bureau recorded an entry: by the first version, and by roles held then or since."""
    if not ledger.recorders:
        return False
    first = (await versions(ledger, entry))[0]
    sql = "select role, school from role_grant where account = $1"
    grants = await fetch_tuples(None, sql, [first.recorded_by]) if first.recorded_by else []
    at_school = any(school == entry.school or role == "admin" for role, school in grants)
    return not at_school and any(role in ledger.recorders for role, _ in grants)


async def found_upon(ledger: Ledger, entry: EntryRow) -> bool:
    """Whether somebody above the school stated a later fact of an entry, such as a finding on liability: from then on
    the school neither rewords the entry nor takes it back.
    """
    above = [event.kind for event in ledger.events if not event.roles & ledger.writers]
    if not above:
        return False
    places = ", ".join(f"${n}" for n in range(4, 4 + len(above)))
    sql = f"select 1 from entry_event where school = $1 and ledger = $2 and chain = $3 and kind in ({places}) limit 1"  # noqa: S608
    first = (await versions(ledger, entry))[0]
    return bool(await fetch_tuples(None, sql, [entry.school, ledger.name, first.id, *above]))
