"""Incidents and the daily attestation that there was none (T2, T4-T6, M3.4)."""

from piccolo.columns import BigInt, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.access.tables import Account
from safety.ledger.entry import Entry


class Incident(Entry, Table, tablename="incident"):
    """An incident as it was known when recorded; later casualties and the finding on liability are events."""

    happened_at = Timestamptz(default=None)
    discovered_at = Timestamptz(default=None)
    reported_at = Timestamptz(null=True, default=None)
    reported_by = Varchar(length=10, null=True, default=None)
    category = Varchar(length=20)
    liability = Varchar(length=10)
    deaths = Integer(default=0)
    serious_injuries = Integer(default=0)
    minor_injuries = Integer(default=0)
    affected = Integer(default=0)
    loss_yuan = BigInt(default=0)


class ZeroReport(Entry, Table, tablename="zero_report"):
    """An authorised person's word that nothing happened on that day (零报告)."""

    person = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=False)
