"""What one viewer may see and do: the value that every query takes first (PURE)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SCHOOL_ROLES = frozenset({"officer", "principal", "teacher", "leader", "guard", "canteen"})
BUREAU_ROLES = frozenset({"clerk", "inspector"})
ROLES = ("officer", "principal", "teacher", "leader", "guard", "canteen", "clerk", "inspector", "admin")


@dataclass(frozen=True, slots=True)
class Role:
    """One role in force, with the schools and bureaus it reaches. `school_class` narrows a teacher to one
    class.
    """

    name: str
    schools: frozenset[int] = frozenset()
    bureaus: frozenset[int] = frozenset()
    school: int | None = None
    bureau: int | None = None
    school_class: int | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A signed-in person: who they are, and the schools and bureaus (by id) that their roles open.

    `read_only` is true of a person who is nothing but an inspector: their requests run behind the read-only
    door.
    `school_codes` and `bureau_codes` name the same schools and bureaus by code, so that an address resolves
    without a query.
    """

    account_id: int
    login: str
    name: str
    roles: tuple[Role, ...]
    schools: frozenset[int]
    bureaus: frozenset[int]
    read_only: bool = False
    admin: bool = False
    language: str | None = None
    must_change_password: bool = False
    school_codes: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    bureau_codes: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def may(self, school_id: int, *roles: str) -> bool:
        """Whether this person acts at that school in one of these roles (in any role, when none is named)."""
        if self.admin:
            return True
        return any(school_id in role.schools and (not roles or role.name in roles) for role in self.roles)

    def may_bureau(self, bureau_id: int, *roles: str) -> bool:
        """The same for a bureau."""
        if self.admin:
            return True
        return any(bureau_id in role.bureaus and (not roles or role.name in roles) for role in self.roles)

    def has(self, *roles: str) -> bool:
        """Whether this person holds one of these roles anywhere; an administrator holds them all."""
        return self.admin or any(role.name in roles for role in self.roles)

    def classes(self, school_id: int) -> frozenset[int]:
        """The classes this person teaches at that school."""
        return frozenset(
            role.school_class
            for role in self.roles
            if role.name == "teacher" and role.school == school_id and role.school_class is not None
        )

    def roles_at(self, school_id: int) -> frozenset[str]:
        """The names of this person's roles at that school."""
        return frozenset(role.name for role in self.roles if school_id in role.schools)

    def school_id(self, code: str) -> int | None:
        """The id of a school in scope by its code; None for one that does not exist or is not this
        person's.
        """
        return self.school_codes.get(code)


def is_read_only(role_names: frozenset[str]) -> bool:
    """Only inspectors' roles, and at least one: such a person can look and not touch."""
    return role_names == frozenset({"inspector"})
