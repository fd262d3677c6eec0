"""The made-up people of a school and of the bureau, and the scopes in which they act."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from config.demo.names import Names
from config.demo.places import Plan
from config.demo.profiles import CITY, COUNTY
from safety.access.actions import NewPerson, NewRole, create_accounts, grant
from safety.access.queries import scope_of_login
from safety.access.scope import Scope
from safety.access.tokens import new_one_time_password
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.facts import school_year_of, school_year_span

WITH_PASSWORDS = 3
"""At how many schools everybody may sign in; elsewhere the officer and the principal may."""
BUREAU_PEOPLE = (
    ("clerk", "clerk", COUNTY[0]),
    ("inspector", "inspector", COUNTY[0]),
    ("cityclerk", "clerk", CITY[0]),
)
SCHOOL_ROLES = ("officer", "principal", "leader", "guard", "canteen")
Cohort = tuple[int, int]


@dataclass
class Person:
    """Somebody made up. `password` None: nobody signs in as this one."""

    login: str
    name: str
    roles: list[str]
    school: str | None = None
    bureau: str | None = None
    first: bool = True
    """Of several in the same role, the one whose login is printed."""
    password: str | None = None
    id: int = 0


@dataclass
class Staff:
    """Who does what at a school. The same person stands in several places at a small one."""

    officer: Person
    principal: Person
    leaders: list[Person]
    guards: list[Person]
    cooks: list[Person]
    teachers: dict[Cohort, Person] = field(default_factory=dict)

    def everybody(self) -> list[Person]:
        """Each person once."""
        every = [
            self.officer,
            self.principal,
            *self.leaders,
            *self.guards,
            *self.cooks,
            *self.teachers.values(),
        ]
        return list({person.login: person for person in every}.values())


class Town:
    """Everybody in the county, by login, and their scopes."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.people: dict[str, Person] = {}
        self.staffs: dict[str, Staff] = {}
        self._scopes: dict[tuple[str, str], Scope] = {}

    def engage(self, login: str, roles: Iterable[str], **place: Any) -> Person:
        person = Person(login, self.names.next(), list(roles), **place)
        self.people[login] = person
        return person

    async def scope(self, person: Person, at: datetime) -> Scope:
        """A person's scope at an instant; roles change only with the school year."""
        key = (person.login, school_year_of(local_day(at)))
        if key not in self._scopes:
            found = await scope_of_login(person.login, at)
            if found is None:
                raise NotFound
            self._scopes[key] = found
        return self._scopes[key]

    def logins(self) -> list[dict[str, str]]:
        """Those who may sign in, as they are printed and kept: one line per person and role."""
        return [
            {
                "login": person.login, "password": person.password, "name": person.name, "role": person.roles[0],
                "school": person.school or "", "bureau": person.bureau or "",
            }
            for person in self.people.values()
            if person.password is not None
        ]  # fmt: skip


# ---------------------------------------------------------------- who there is
def engage_bureau(town: Town) -> None:
    """The clerks, the inspector and the administrator."""
    town.engage("admin", ["admin"])
    for login, role, bureau in BUREAU_PEOPLE:
        town.engage(login, [role], bureau=bureau)


def engage_school(town: Town, plan: Plan) -> Staff:
    """A school's people, without class teachers."""
    code, number = plan.code, f"{plan.number + 1:02}"

    def one(role: str, *, second: bool = False) -> Person:
        return town.engage(f"{role}{number}{'-2' if second else ''}", [role], school=code, first=not second)

    if plan.profile.small:
        principal = town.engage(f"principal{number}", ["principal", "officer", "leader"], school=code)
        staff = Staff(principal, principal, [principal], [one("guard")], [])
    else:
        cooks = [one("canteen"), one("canteen", second=True)] if plan.profile.has_canteen else []
        staff = Staff(
            one("officer"),
            one("principal"),
            [one("leader"), one("leader", second=True)],
            [one("guard"), one("guard", second=True)],
            cooks,
        )
    town.staffs[code] = staff
    return staff


def engage_teachers(town: Town, plan: Plan, first_year: int) -> None:
    """A teacher for every class of a school year that has none yet; whose class has left takes a new one."""
    staff = town.staffs[plan.code]
    wanted = [group.cohort for group in plan.groups(first_year)]
    free = [person for cohort, person in staff.teachers.items() if cohort not in wanted]
    kept = {cohort: person for cohort, person in staff.teachers.items() if cohort in wanted}
    count = len(staff.teachers)
    for cohort in wanted:
        if cohort not in kept:
            if free:
                kept[cohort] = free.pop(0)
            else:
                count += 1
                login = f"teacher{plan.number + 1:02}-{count}"
                kept[cohort] = town.engage(login, ["teacher"], school=plan.code, first=count == 1)
    staff.teachers = kept


def hand_out_passwords(town: Town, plans: Sequence[Plan]) -> None:
    """Random ones, made now and never from the seed: everybody at the bureau, some at the schools."""
    numbers = {plan.code: plan.number for plan in plans}
    for person in town.people.values():
        number = numbers.get(person.school or "", -1)
        if (number < WITH_PASSWORDS and person.first) or {"officer", "principal"} & set(person.roles):
            person.password = new_one_time_password()


# ---------------------------------------------------------------- their accounts
async def open_accounts(town: Town, plans: Sequence[Plan], first_year: int, now: datetime) -> None:
    """Accounts for all who have none yet, and this school year's classes for the teachers."""
    places = await _Places.read()
    new = [person for person in town.people.values() if not person.id]
    made = await create_accounts(None, [_new(person, places) for person in new], now)
    for person, account in zip(new, made, strict=True):
        person.id = account.id
    for plan in plans:
        staff, year = town.staffs[plan.code], f"{first_year}-{first_year + 1}"
        span = school_year_span(year)
        for group in plan.groups(first_year):
            class_id = places.classes[plan.code, year, group.label]
            role = _teaching(places.schools[plan.code], class_id, span)
            await grant(None, staff.teachers[group.cohort].login, role, now)


def _teaching(school: int, class_id: int, span: tuple[date, date]) -> NewRole:
    return NewRole("teacher", school=school, school_class=class_id, from_day=span[0], until_day=span[1])


def _new(person: Person, places: "_Places") -> NewPerson:
    school = places.schools.get(person.school or "")
    bureau = places.bureaus.get(person.bureau or "")
    # A class teacher's role comes with the class.
    roles = tuple(NewRole(role, school=school, bureau=bureau) for role in person.roles if role != "teacher")
    return NewPerson(
        person.login, person.name, roles, password=person.password, one_time=False, language="zh"
    )


@dataclass(frozen=True)
class _Places:
    schools: Mapping[str, int]
    bureaus: Mapping[str, int]
    classes: Mapping[tuple[str, str, str], int]

    @classmethod
    async def read(cls) -> "_Places":
        sql = (
            "select s.code, c.school_year, c.name, c.id from school_class c join school s on s.id = c.school"
        )
        return cls(
            dict(await fetch_tuples(None, "select code, id from school")),
            dict(await fetch_tuples(None, "select code, id from bureau")),
            {(code, year, name): id_ for code, year, name, id_ in await fetch_tuples(None, sql)},
        )
