"""What inspectors write: notes, and the samples they drew. Their door leads to these tables and to the trail alone."""

from piccolo.columns import UUID, ForeignKey, Integer, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.access.tables import Account
from safety.places.tables import School

RESTRICT = OnDelete.restrict
DOOR = ("inspection_note", "inspection_sample", "audit_line", "audit_head")
"""All that a form of inspection writes: notes, samples, and the line of the trail that says so."""


class Note(Table, tablename="inspection_note"):
    """A comment or a query on an entry or on a line of the score, and what followed it. Only ever added to.

    `thread` is the first note's id. `kind`: comment, query, answer (the school's), settled.
    """

    id = UUID(primary_key=True, default=None)
    thread = UUID(default=None)
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    kind = Varchar(length=10)
    ledger = Varchar(length=40, default="")
    entry = UUID(null=True, default=None)
    period = Varchar(length=6, default="")
    line = Varchar(length=40, default="")
    text = Varchar(length=1000)
    written_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    writer = Varchar(length=120)
    written_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)


class Sample(Table, tablename="inspection_sample"):
    """Entries drawn at random, so that nobody chose them: `seed` and `population_digest` let anybody draw them again.

    `chosen` is JSON: [ledger, entry id] in the order drawn.
    """

    id = UUID(primary_key=True, default=None)
    school = ForeignKey(School, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    ledger = Varchar(length=40, default="")
    size = Integer()
    seed = Varchar(length=64)
    population = Integer()
    population_digest = Varchar(length=64)
    chosen = Text()
    drawn_by = ForeignKey(Account, null=False, on_delete=RESTRICT, index=False)
    drawer = Varchar(length=120)
    drawn_at = Timestamptz(default=None)
    submission_key = Varchar(length=80)
