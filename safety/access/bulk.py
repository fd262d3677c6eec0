"""People pasted as lines: `login,name,role,school or bureau,class`, a line each, commas or tabs."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from safety.access import queries
from safety.access.actions import NewPerson, NewRole
from safety.access.scope import BUREAU_ROLES, ROLES, Scope
from safety.clock import local_day
from safety.errors import BadInput, Problem
from safety.text import catalogue

SEPARATOR = re.compile(r"[,，\t]")
MOST = 500


async def read_people(scope: Scope, text: str, now: datetime) -> list[NewPerson]:
    """The people in pasted lines. Raises BadInput naming every bad one by its number (field `0.role` is line
    1).
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise BadInput.one("people", "required")
    if len(lines) > MOST:
        raise BadInput.one("people", "too-many-lines", most=MOST)
    people: list[NewPerson] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines):
        try:
            people.append(await _person(scope, number, line, now))
        except BadInput as error:
            problems += error.problems
    if problems:
        raise BadInput(problems)
    return people


async def _person(scope: Scope, number: int, line: str, now: datetime) -> NewPerson:
    cells = [cell.strip() for cell in SEPARATOR.split(line)]
    if not 3 <= len(cells) <= 5:
        raise BadInput.one(f"{number}.login", "line-columns")
    login, name, role, place, class_name = [*cells, "", ""][:5]
    role = _role_code(role)
    if role not in ROLES:
        raise BadInput.one(f"{number}.role", "role-unknown", allowed=", ".join(ROLES))
    return NewPerson(login, name, (await _role(scope, number, role, place, class_name, now),))


def _role_code(written: str) -> str:
    """`班主任` and `Class teacher` are `teacher`; what is no role's name stays as it came."""
    names = {name: role for role in ROLES for name in _names_of(role)}
    return names.get(written.casefold(), written)


def _names_of(role: str) -> tuple[str, str]:
    named = catalogue().text(f"role.{role}")
    return named.zh, named.en.casefold()


async def _role(scope: Scope, number: int, role: str, place: str, class_name: str, now: datetime) -> NewRole:
    if role == "admin":
        return NewRole(role)
    codes = scope.bureau_codes if role in BUREAU_ROLES else scope.school_codes
    if place not in codes:
        raise BadInput.one(f"{number}.place", "place-unknown", place=place)
    if role in BUREAU_ROLES:
        return NewRole(role, bureau=codes[place])
    return NewRole(
        role, school=codes[place], school_class=await _class(codes[place], number, class_name, now)
    )


async def _class(school: int, number: int, class_name: str, now: datetime) -> int | None:
    if not class_name:
        return None
    known = await queries.class_ids(school, local_day(now))
    if class_name not in known:
        raise BadInput.one(f"{number}.class", "class-unknown", name=class_name)
    return known[class_name]


def with_line_numbers(problems: Iterable[Problem]) -> Sequence[Problem]:
    """`0.role` → `1`: people count lines from one."""
    return [
        Problem(str(int(problem.field.split(".")[0]) + 1), problem.code, problem.values)
        if problem.field and problem.field.split(".")[0].isdecimal()
        else problem
        for problem in problems
    ]
