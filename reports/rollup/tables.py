"""What a bureau adds to its schools' returns: adjustments and appeals, reminders, roll-ups of its own and of others.

All but the setting are only ever added to.
"""

from piccolo.columns import UUID, Boolean, ForeignKey, Integer, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.access.tables import Account
from safety.places.tables import Bureau, School

RESTRICT = OnDelete.restrict


class Adjustment(Table, tablename="score_adjustment"):
    """A bureau's score of a school's quarter, in hundredths, beside the school's own; `total` null takes it back.

    The last row of a school and quarter holds. `own` is the school's own score at the time.
    """

    id = UUID(primary_key=True, default=None)
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    total = Integer(null=True, default=None)
    own = Integer(null=True, default=None)
    reason = Varchar(length=400)
    made_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    maker = Varchar(length=120)
    made_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)


class Appeal(Table, tablename="adjustment_appeal"):
    """What the school says against an adjustment, once for each."""

    id = UUID(primary_key=True, default=None)
    adjustment = ForeignKey(Adjustment, null=False, on_delete=RESTRICT, index=False)
    text = Varchar(length=1000)
    made_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    maker = Varchar(length=120)
    made_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)


class AppealAnswer(Table, tablename="appeal_answer"):
    """The bureau's answer to an appeal: `outcome` is upheld (the adjustment is taken back) or rejected."""

    id = UUID(primary_key=True, default=None)
    appeal = ForeignKey(Appeal, null=False, on_delete=RESTRICT, index=False)
    outcome = Varchar(length=10)
    reason = Varchar(length=1000)
    made_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    maker = Varchar(length=120)
    made_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)


class Reminder(Table, tablename="reminder"):
    """That a school was reminded to sign its draft.

    `slot` is opening, midpoint or last; or the day on which a clerk did it, in ISO form.
    """

    id = UUID(primary_key=True, default=None)
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    slot = Varchar(length=10)
    made_at = Timestamptz(default=None)
    made_by = ForeignKey(Account, null=True, default=None, on_delete=RESTRICT, index=False)
    maker = Varchar(length=120, default="")


class RollupSetting(Table, tablename="rollup_setting"):
    """On which day after a quarter its roll-up is sealed, and whether a day off moves it to the next working day."""

    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=False)
    day = Integer(default=3)
    next_working_day = Boolean(default=False)


class Rollup(Table, tablename="rollup"):
    """A bureau's quarter as it was sealed. `document` is its canonical JSON; `mean` in hundredths, missing as zero."""

    id = UUID(primary_key=True, default=None)
    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    version = Integer(default=1)
    document = Text()
    document_digest = Varchar(length=64)
    facts_digest = Varchar(length=64)
    previous_digest = Varchar(length=64, null=True, default=None)
    sealed_at = Timestamptz(default=None)
    made_by = ForeignKey(Account, null=True, default=None, on_delete=RESTRICT, index=False)
    reason = Varchar(length=400, default="")
    submission_key = Varchar(length=80, null=True, default=None)


class ReceivedRollup(Table, tablename="received_rollup"):
    """A roll-up that came from another instance: the document that was attached to it, and the digest of the file."""

    message = UUID(primary_key=True, default=None)
    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=False)
    sender = Varchar(length=40)
    period = Varchar(length=6)
    version = Integer()
    document = Text()
    document_digest = Varchar(length=64)
    facts_digest = Varchar(length=64)
    bytes_digest = Varchar(length=64)
    received_at = Timestamptz(default=None)


class RollupFile(Table, tablename="rollup_file"):
    """The one file of a sealed roll-up, named by its digest; the fingerprint is of the certificate that signed."""

    rollup = ForeignKey(Rollup, null=False, on_delete=RESTRICT, index=False)
    bytes_digest = Varchar(length=64)
    size = Integer()
    signed_at = Timestamptz(default=None)
    fingerprint = Varchar(length=64)
