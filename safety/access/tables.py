"""Who may come in: accounts, their roles, their sessions and tokens, and the counter that slows guessing
down.
"""

from piccolo.columns import ForeignKey, Integer, OnDelete, Serial, Text, Timestamptz, Varchar
from piccolo.columns.column_types import Boolean, Date
from piccolo.table import Table

from safety.places.tables import Bureau, School, SchoolClass


class Account(Table):
    """A person who signs in. `login` is stored folded to lower case; only an argon2id digest of the password
    is kept.
    """

    id: Serial
    login = Varchar(length=64, unique=True, index=True, required=True)
    name = Text(required=True)
    # Empty until a password is set: nobody can sign in with no password.
    password_hash = Text(null=True, default=None)
    must_change_password = Boolean(default=False)
    # When the printed one-time password stops working; None once the person chose their own.
    one_time_until = Timestamptz(null=True, default=None)
    # "zh", "en" or None: what the browser asks for.
    language = Varchar(length=8, null=True, default=None)
    disabled_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class RoleGrant(Table):
    """One role of one account at one bureau or one school, perhaps for one class, from a day until a day
    (inclusive).
    """

    id: Serial
    account = ForeignKey(references=Account, null=False, on_delete=OnDelete.restrict, index=True)
    role = Varchar(length=16, required=True)
    bureau = ForeignKey(references=Bureau, null=True, default=None, on_delete=OnDelete.restrict, index=True)
    school = ForeignKey(references=School, null=True, default=None, on_delete=OnDelete.restrict, index=True)
    school_class = ForeignKey(
        references=SchoolClass, null=True, default=None, on_delete=OnDelete.restrict, index=True
    )
    from_day = Date(null=True, default=None)
    until_day = Date(null=True, default=None)


class WebSession(Table):
    """A browser that is signed in. The cookie holds the token; the row holds only its SHA-256."""

    id: Serial
    token_hash = Varchar(length=64, unique=True, index=True, required=True)
    account = ForeignKey(references=Account, null=False, on_delete=OnDelete.restrict, index=True)
    created_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)


class ApiToken(Table):
    """A bearer token for `/api/v1`, stored as its SHA-256, shown once when it is issued."""

    id: Serial
    token_hash = Varchar(length=64, unique=True, index=True, required=True)
    account = ForeignKey(references=Account, null=False, on_delete=OnDelete.restrict, index=True)
    label = Text(default="")
    created_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)


class LoginThrottle(Table):
    """Failed sign-ins per login, whether or not such a login exists, so that the answer tells nothing."""

    id: Serial
    login = Varchar(length=64, unique=True, index=True, required=True)
    failures = Integer(default=0)
    failed_at = Timestamptz(default=None)
    locked_until = Timestamptz(null=True, default=None)
