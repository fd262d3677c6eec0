"""Returns as they were frozen, what the principal signed, and what a bureau has received: only ever added to."""

from piccolo.columns import UUID, Boolean, ForeignKey, Integer, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.access.tables import Account
from safety.places.tables import Bureau, School

RESTRICT = OnDelete.restrict


class SignOff(Table, tablename="sign_off"):
    """A principal's sign-off of a draft. It binds to the facts it was given on, which are kept with it."""

    id = UUID(primary_key=True, default=None)
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    signed_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    signer = Varchar(length=120)
    signed_at = Timestamptz(default=None)
    facts_digest = Varchar(length=64)
    facts = Text()
    comment = Varchar(length=400, default="")
    submission_key = Varchar(length=80)


class Return(Table, tablename="school_return"):
    """A school's quarter as it was frozen. `document` is its canonical JSON; a correction is a new version.

    From `enrolment` on what boards show of it, so that they need not read the documents (see `reports/figures.py`).
    """

    id = UUID(primary_key=True, default=None)
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    version = Integer(default=1)
    status = Varchar(length=10)
    document = Text()
    document_digest = Varchar(length=64)
    facts_digest = Varchar(length=64)
    previous_digest = Varchar(length=64, null=True, default=None)
    total = Integer(null=True, default=None)
    grade = Varchar(length=20, null=True, default=None)
    sign_off = ForeignKey(SignOff, null=True, default=None, on_delete=RESTRICT, index=False)
    sealed_at = Timestamptz(default=None)
    closed_late = Boolean(default=False)
    made_up = Boolean(default=False)
    test_clock = Boolean(default=False)
    enrolment = Integer(default=0)
    vetoed = Boolean(default=False)
    expected = Integer(default=0)
    on_time = Integer(default=0)
    late = Integer(default=0)
    backfilled = Integer(default=0)
    missing = Integer(default=0)
    incidents = Integer(default=0)
    sensitive = Integer(default=0)


class SealedFile(Table, tablename="sealed_file"):
    """The one file of a sealed return, named by its digest; the fingerprint is of the certificate that signed."""

    id = UUID(primary_key=True, default=None)
    sealed = ForeignKey(Return, null=False, on_delete=RESTRICT, index=False)
    bytes_digest = Varchar(length=64)
    size = Integer()
    signed_at = Timestamptz(default=None)
    fingerprint = Varchar(length=64)


class InboxItem(Table, tablename="inbox_item"):
    """What a bureau received: the digest names the file. The same message is received once."""

    id = UUID(primary_key=True, default=None)
    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=False)
    message = UUID(default=None)
    school_code = Varchar(length=40)
    period = Varchar(length=6)
    version = Integer()
    facts_digest = Varchar(length=64)
    bytes_digest = Varchar(length=64)
    size = Integer()
    received_at = Timestamptz(default=None)


class Decision(Table, tablename="return_decision"):
    """What the bureau said of a return that it received: `outcome` is accepted, returned (for correction), or
    withdrawn (the acceptance was an error).

    `lines` is JSON: reasons of their own for single lines of the score. Only ever added to; the last one holds.
    """

    id = UUID(primary_key=True, default=None)
    item = ForeignKey(InboxItem, null=False, on_delete=RESTRICT, index=False)
    outcome = Varchar(length=10)
    reasons = Varchar(length=1000, default="")
    lines = Text(default="{}")
    decided_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    decider = Varchar(length=120)
    decided_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)


class ToldDecision(Table, tablename="told_decision"):
    """The same, as a bureau on another instance told it: under its own id there, with the signed answer word for word.

    `item` is the number of the receipt that it gave for this version.
    """

    id = UUID(primary_key=True, default=None)
    sealed = ForeignKey(Return, null=False, on_delete=RESTRICT, index=False)
    item = UUID(default=None)
    outcome = Varchar(length=10)
    reasons = Varchar(length=1000, default="")
    lines = Text(default="{}")
    decider = Varchar(length=120)
    decided_at = Timestamptz(default=None)
    told_at = Timestamptz(default=None)
    answer = Text()


class Correction(Table, tablename="return_correction"):
    """That a school corrects a sealed version, and why: it opens the draft of the next one. Only ever added to."""

    id = UUID(primary_key=True, default=None)
    sealed = ForeignKey(Return, null=False, on_delete=RESTRICT, index=False)
    reason = Varchar(length=400)
    opened_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    opener = Varchar(length=120)
    opened_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)


class Remark(Table, tablename="return_remark"):
    """Why a line has exceptions, in the school's words. Only ever added to: a line's last text holds."""

    id = UUID(primary_key=True, default=None)
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    line = Varchar(length=40)
    text = Varchar(length=200, default="")
    written_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    writer = Varchar(length=120)
    written_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)


class Scan(Table, tablename="return_scan"):
    """The scan of a stamped paper copy, attached to a sealed version afterwards; the digest names the file."""

    id = UUID(primary_key=True, default=None)
    sealed = ForeignKey(Return, null=False, on_delete=RESTRICT, index=False)
    bytes_digest = Varchar(length=64)
    size = Integer()
    media_type = Varchar(length=40)
    attached_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    attacher = Varchar(length=120)
    attached_at = Timestamptz(default=None)
