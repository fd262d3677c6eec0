"""The columns that every ledger entry carries. A ledger's table is `class X(Entry, Table)` plus its own columns.

Entries are never updated or deleted: a correction is a new entry that supersedes the old one. `superseded_by`,
`superseded_at` and `voided_at`, `voided_by`, `void_why` are all that is ever written on a row again.
"""

from piccolo.columns import UUID, Date, ForeignKey, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.uuid import UUID4

from safety.access.tables import Account
from safety.places.tables import School, SchoolClass, Zone

RESTRICT = OnDelete.restrict

STATE_COLUMNS = ("superseded_by", "superseded_at", "voided_at", "voided_by", "void_why")
"""The only columns of an entry that are written after it was made."""


class Entry:
    """Mixin: who, where, when. Instants are UTC; `happened_on` and `timed_on` are local days.

    `timed_on` is the local day of recording that times this entry: its own, or that of the first version of its
    correction chain that was valid for the same occurrence (a mended typo never makes an entry late).
    """

    id = UUID(primary_key=True, default=UUID4())
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    zone = ForeignKey(Zone, null=True, default=None, on_delete=RESTRICT, index=False)
    school_class = ForeignKey(SchoolClass, null=True, default=None, on_delete=RESTRICT, index=False)
    happened_on = Date(default=None)
    timed_on = Date(default=None)
    recorded_at = Timestamptz(default=None)
    recorded_by = ForeignKey(Account, null=True, default=None, on_delete=RESTRICT, index=False)
    on_behalf_of = ForeignKey(Account, null=True, default=None, on_delete=RESTRICT, index=False)
    submission_key = Varchar(length=80)
    body_digest = Varchar(length=64)
    why = Varchar(length=400, null=True, default=None)
    supersedes = UUID(null=True, default=None)
    superseded_by = UUID(null=True, default=None)
    superseded_at = Timestamptz(null=True, default=None)
    voided_at = Timestamptz(null=True, default=None)
    voided_by = ForeignKey(Account, null=True, default=None, on_delete=RESTRICT, index=False)
    void_why = Varchar(length=400, null=True, default=None)
