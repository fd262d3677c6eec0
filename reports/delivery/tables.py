"""What is on its way, and what came of it.

The rows of `Outbox` and `Inquiry` move; the others are only ever added to.
"""

from piccolo.columns import UUID, ForeignKey, Integer, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from safety.places.tables import Bureau

RESTRICT = OnDelete.restrict


class Outbox(Table, tablename="outbox"):
    """A message on its way, made in the transaction that seals what it carries.

    `kind` and `subject` say what it carries: a row of the kind's own table. `bureau` is whom it is for; None is the
    level above this instance, which has no row here. `state` is waiting, delivered (its receipt is stored) or dead
    (refused for good: somebody has to look).
    """

    message = UUID(primary_key=True, default=None)
    kind = Varchar(length=10)
    subject = UUID(default=None)
    bureau = ForeignKey(Bureau, null=True, default=None, on_delete=RESTRICT, index=False)
    posted_at = Timestamptz(default=None)
    state = Varchar(length=10, default="waiting")
    attempts = Integer(default=0)
    tried_at = Timestamptz(null=True, default=None)
    next_at = Timestamptz(default=None)
    claimed_by = Varchar(length=120, default="")
    lease_until = Timestamptz(null=True, default=None)
    error = Text(default="")
    alerted_at = Timestamptz(null=True, default=None)


class Receipt(Table, tablename="receipt"):
    """The receiver's answer, as the sender keeps it: which message, which bytes, when, under which number.

    `way` is the transport that brought it; `answer` what the receiver said, word for word: a signed receipt, a mail
    server's last line, the name under which the file lies there.
    """

    message = UUID(primary_key=True, default=None)
    number = UUID(default=None)
    bytes_digest = Varchar(length=64)
    received_at = Timestamptz(default=None)
    stored_at = Timestamptz(default=None)
    way = Varchar(length=10, default="inbox")
    answer = Text(default="")


class FailedAttempt(Table, tablename="failed_attempt"):
    """An attempt that did not bring a receipt, and why."""

    id = UUID(primary_key=True, default=None)
    message = UUID(default=None)
    at = Timestamptz(default=None)
    error = Text(default="")


class Inquiry(Table, tablename="inquiry"):
    """How it stands with asking another instance what was decided on a message that it received.

    `next_at` is null when nobody asks any more; `error` is why the last answer was none.
    """

    message = UUID(primary_key=True, default=None)
    asked = Integer(default=0)
    asked_at = Timestamptz(default=None)
    next_at = Timestamptz(null=True, default=None)
    error = Text(default="")


class Peer(Table, tablename="peer"):
    """A school or bureau whose records are kept on another instance and that sends us what it seals.

    `kind` is what it sends: return (a school's) or rollup (a bureau's); `bureau` is whom it sends to. `certificate` is
    the PEM that its seals must bear. Of the token only the digest is kept.
    """

    kind = Varchar(length=10)
    code = Varchar(length=40)
    name = Varchar(length=120)
    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=False)
    token_digest = Varchar(length=64)
    certificate = Text()
    fingerprint = Varchar(length=64)
    added_at = Timestamptz(default=None)
    seen_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)


class ReceivedDelivery(Table, tablename="received_delivery"):
    """A message that was received here, once, and the receipt that was given for it and is given again.

    `number` is the receipt's; `peer` is null for what was sent within this instance; `bytes_digest` names the file.
    """

    number = UUID(primary_key=True, default=None)
    message = UUID(default=None)
    kind = Varchar(length=10)
    sender = Varchar(length=40)
    peer = ForeignKey(Peer, null=True, default=None, on_delete=RESTRICT, index=False)
    bureau = ForeignKey(Bureau, null=False, on_delete=RESTRICT, index=False)
    period = Varchar(length=6)
    version = Integer()
    facts_digest = Varchar(length=64)
    bytes_digest = Varchar(length=64)
    size = Integer()
    received_at = Timestamptz(default=None)
    receipt = Text()
