"""Duty rosters and the check-ins that answer them (M4.8, M4.14)."""

from piccolo.columns import ForeignKey, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.access.tables import Account
from safety.ledger.entry import Entry


class DutySlot(Entry, Table, tablename="duty_slot"):
    """A person on a post from one instant to another. It counts as it stood at its day's start."""

    post = Varchar(length=10)
    starts_at = Timestamptz(default=None)
    ends_at = Timestamptz(default=None)
    person = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=False)


class DutyCheckin(Entry, Table, tablename="duty_checkin"):
    """A person at a post. With `substitute_for` it serves only the replaced person's slot."""

    post = Varchar(length=10)
    person = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=False)
    substitute_for = ForeignKey(Account, null=True, default=None, on_delete=OnDelete.restrict, index=False)
    happened_at = Timestamptz(default=None)
