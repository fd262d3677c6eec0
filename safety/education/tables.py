"""Ledgers of safety education: sessions, the class teacher's daily reminder, awareness checks."""

from piccolo.columns import Integer, Varchar
from piccolo.table import Table

from safety.ledger.entry import Entry


class ClassSession(Entry, Table, tablename="class_session"):
    """A safety lesson (M4.1 weekly per class, M4.2 monthly, M4.3 termly legal)."""

    kind = Varchar(length=10)
    topic = Varchar(length=200)
    module = Varchar(length=10)
    present = Integer()
    made_up = Integer(default=0)


class DailyReminder(Entry, Table, tablename="daily_reminder"):
    """The class teacher's reminder at dismissal (M4.4)."""

    text = Varchar(length=400)


class AwarenessCheck(Entry, Table, tablename="awareness_check"):
    """How many pupils of a class were asked about safety and how many knew (T3)."""

    checked = Integer()
    passed = Integer()
