"""What the engine itself stores: later facts of entries, and the tallies that the scoreboard reads."""

from piccolo.columns import UUID, BigInt, Date, ForeignKey, Integer, Serial, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.access.tables import Account
from safety.places.tables import School


class EntryEvent(Table, tablename="entry_event"):
    """A later fact of an entry (sample discarded, drill evaluated, liability decided, casualties changed).

    It belongs to the entry's whole correction chain (`chain` is the id of the first version) and never moves its time.
    """

    id = UUID(primary_key=True)
    ledger = Varchar(length=40)
    chain = UUID(default=None, index=True)
    school = ForeignKey(School, null=False, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=30)
    value = Varchar(length=60, default="")
    happened_at = Timestamptz(default=None)
    recorded_at = Timestamptz(default=None)
    recorded_by = ForeignKey(Account, null=True, default=None, on_delete=OnDelete.restrict, index=False)
    submission_key = Varchar(length=80)


class Tally(Table, tablename="tally"):
    """What the entries of one line, school and due date come to. Kept in the transaction of every write.

    `extra` is what the entries themselves make due beyond the standard (a third rostered slot, a drill's evaluation);
    `amount` ÷ `whole` is the line's own ratio where it has one (T1: reached ÷ pupils; T3: passed ÷ checked).
    """

    id = Serial(primary_key=True)
    school = ForeignKey(School, null=False, on_delete=OnDelete.restrict, index=False)
    line = Varchar(length=40)
    day = Date(default=None)
    extra = Integer(default=0)
    on_time = Integer(default=0)
    late = Integer(default=0)
    backfilled = Integer(default=0)
    amount = BigInt(default=0)
    whole = BigInt(default=0)
