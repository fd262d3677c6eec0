"""Decisions about accounts on plain values (PURE)."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from safety.access.scope import BUREAU_ROLES, ROLES, SCHOOL_ROLES

PASSWORD_MIN = 8
PASSWORD_MAX = 200
NAME_MAX = 80
LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=15)
ONE_TIME_FOR = timedelta(days=14)
SESSION_FOR = timedelta(days=14)
SESSION_IDLE = timedelta(hours=24)
SEEN_EVERY = timedelta(minutes=5)

# The passwords that guessing starts with (8 characters and longer: shorter ones are refused anyway).
COMMON = frozenset(
    [
        "12345678",
        "123456789",
        "1234567890",
        "87654321",
        "11111111",
        "00000000",
        "88888888",
        "66666666",
        "11223344",
        "12341234",
        "12344321",
        "password",
        "password1",
        "passw0rd",
        "qwertyui",
        "qwertyuiop",
        "qwerty123",
        "1qaz2wsx",
        "1q2w3e4r",
        "asdfghjk",
        "asdfghjkl",
        "zxcvbnm1",
        "abcd1234",
        "abc12345",
        "a1234567",
        "a12345678",
        "a123456789",
        "aa123456",
        "aa123456789",
        "123456aa",
        "123456abc",
        "admin123",
        "admin888",
        "woaini123",
        "woaini1314",
        "woaini520",
        "5201314520",
        "iloveyou",
        "xiaoyuan",
        "anquan123",
        "school123",
        "safecampus",
        "safe-campus",
        "changeme",
        "welcome1",
        "letmein1",
        "sunshine",
        "football",
        "baseball",
        "princess",
        "superman",
        "trustno1",
        "12121212",
        "123123123",
        "147258369",
        "159357456",
        "789456123",
        "987654321",
        "1234qwer",
        "qwer1234",
        "asdf1234",
        "zaq12wsx",
        "19491001",
        "20082008",
    ]
)
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")

# Without letters and digits that are mistaken for each other on paper.
ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
ONE_TIME_LENGTH = 12


def fold_login(text: str) -> str:
    """A login as it is stored: compatibility forms (full-width letters) folded, lower case, trimmed."""
    return unicodedata.normalize("NFKC", text).strip().lower()[:64]


def fold_password(text: str) -> str:
    """NFKC, so that the same keys give the same password on every keyboard (NIST SP 800-63B 5.1.1.2)."""
    return unicodedata.normalize("NFKC", text)


def login_problem(login: str) -> str | None:
    """The problem's code, or None: letters, digits and . _ @ - , beginning with a letter or digit."""
    return None if LOGIN.fullmatch(login) else "login-form"


def name_problem(name: str) -> str | None:
    """The problem's code, or None. A name is printed on returns and slips."""
    if not name.strip():
        return "required"
    if len(name) > NAME_MAX:
        return "name-long"
    return None if name.isprintable() else "name-control"


def password_problem(password: str, login: str) -> str | None:
    """The problem's code, or None. Length and guessability only: no composition rules (NIST SP 800-63B
    5.1.1.2).
    """
    folded = fold_password(password)
    if len(folded) < PASSWORD_MIN:
        return "password-short"
    if len(folded) > PASSWORD_MAX:
        return "password-long"
    plain = folded.lower()
    if plain == login or (login in plain and len(login) >= PASSWORD_MIN):
        return "password-login"
    if plain in COMMON or len(set(plain)) < 3:
        return "password-common"
    return None


def role_problem(role: str, has_school: bool, has_bureau: bool) -> str | None:
    """The problem's code when a role is unknown or not granted at the one place where it belongs."""
    if role not in ROLES:
        return "role-unknown"
    if role in SCHOOL_ROLES and not (has_school and not has_bureau):
        return "role-needs-school"
    if role in BUREAU_ROLES and not (has_bureau and not has_school):
        return "role-needs-bureau"
    return None


def in_force(from_day: date | None, until_day: date | None, today: date) -> bool:
    """Whether a grant holds today; both ends are included, None is open."""
    return (from_day is None or from_day <= today) and (until_day is None or today <= until_day)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What the throttle knows of one login."""

    failures: int = 0
    locked_until: datetime | None = None


def next_attempt(known: Attempts, now: datetime) -> tuple[Attempts, bool]:
    """Count one more attempt *before* its password is looked at: (what to store, whether it may be looked
    at).

    Counting first is what stops fifty attempts at once from all slipping under the limit. The fifth failure
    locks
    for fifteen minutes; attempts while locked neither count nor prolong it.
    """
    if known.locked_until is not None and now < known.locked_until:
        return known, False
    failures = 1 if known.locked_until is not None else known.failures + 1
    return Attempts(failures, now + LOCK_FOR if failures >= LOCK_AFTER else None), True


def session_ends(created_at: datetime, seen_at: datetime) -> datetime:
    """When a session ends if nothing more is heard: idle for a day, or two weeks old."""
    return min(created_at + SESSION_FOR, seen_at + SESSION_IDLE)
