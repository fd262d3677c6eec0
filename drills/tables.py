"""Drill records (M4.15)."""

from piccolo.columns import Date, Integer, Varchar
from piccolo.table import Table

from safety.ledger.entry import Entry


class Drill(Entry, Table, tablename="drill"):
    """A drill that took place. `evaluated_on` may be on the record itself or come later as an event."""

    kind = Varchar(length=12)
    participants = Integer()
    evacuation_seconds = Integer(null=True, default=None)
    problems = Varchar(length=1000, default="")
    evaluated_on = Date(null=True, default=None)
