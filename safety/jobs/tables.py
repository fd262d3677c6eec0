"""What the database knows of jobs: one row for every slot that anybody took up."""

from piccolo.columns import Integer, Serial, Text, Timestamptz, Varchar
from piccolo.table import Table


class JobSlot(Table, tablename="job_slot"):
    """One time at which a job is due: `slot` names it (a quarter, a day), and (name, slot) is unique.

    `state` is `running` (claimed by `claimed_by` until `lease_until`), `failed` (to be taken up again at `next_at`)
    or `done`. A slot that nobody has claimed yet has no row.
    """

    id: Serial
    name = Varchar(length=40)
    slot = Varchar(length=40)
    due_at = Timestamptz(default=None)
    state = Varchar(length=10)
    claimed_by = Varchar(length=120, default="")
    lease_until = Timestamptz(null=True, default=None)
    next_at = Timestamptz(null=True, default=None)
    attempts = Integer(default=0)
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
    handled = Integer(null=True, default=None)
    error = Text(default="")
