"""The audit trail: one hash chain per school, and one for the instance itself."""

from piccolo.columns import Integer, Serial, Text, Timestamptz, Varchar
from piccolo.table import Table


class AuditHead(Table):
    """How long each chain is and where it ends, so that lines cut off at the end are missed too.

    `chain` is a school's id, or 0 for the instance. There is no foreign key: the trail outlives what it
    speaks of.
    """

    id: Serial
    chain = Integer(unique=True, index=True, required=True)
    length = Integer(default=0)
    head = Varchar(length=64, required=True)


class AuditLine(Table):
    """One thing somebody did. `digest` is SHA-256 over the canonical JSON of the rest, the previous digest
    included.
    """

    id: Serial
    chain = Integer(required=True)
    position = Integer(required=True)
    at = Timestamptz(default=None)
    # The account's id, or None when the machine itself acted; the login as it was then, so that the line
    # reads alone.
    actor = Integer(null=True, default=None)
    actor_login = Text(default="")
    action = Varchar(length=64, required=True)
    subject = Text(default="")
    facts = Text(default="{}")
    previous = Varchar(length=64, required=True)
    digest = Varchar(length=64, required=True)
