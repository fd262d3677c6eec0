"""Taking in people: an account, what may be known of it, and its roles. A password comes only from `user reset`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from safety.access import rules
from safety.access.scope import ROLES
from safety.bundles.files import FIELDS
from safety.bundles.reading import Sheet
from safety.bundles.work import Work
from safety.database import fetch_tuples
from safety.errors import Problem

ACCOUNTS = "select id, login, name, language, disabled_at from account"
GRANTS = "select id, account, role, bureau, school, school_class, from_day, until_day from role_grant"
CLASSES = "select id, school, school_year, name from school_class order by school_year"
ADD_ACCOUNT = """insert into account (login, name, must_change_password, language, disabled_at, created_at)
values ($1, $2, $3, $4, $5, $6) returning id"""
ADD_GRANT = """insert into role_grant (account, role, bureau, school, school_class, from_day, until_day)
values ($1, $2, $3, $4, $5, $6, $7)"""

GrantKey = tuple[int, str, int | None, int | None, int | None]
"""Account, role, bureau, school, class."""


@dataclass(frozen=True, slots=True)
class _Person:
    id: int
    name: str
    language: str | None
    disabled_at: datetime | None


class People:
    """The accounts and roles of this installation while a bundle is taken in."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.accounts: dict[str, _Person] = {}
        self.grants: dict[GrantKey, tuple[int, Any, Any]] = {}
        self.classes: dict[tuple[int, str], int] = {}
        self.classes_by_year: dict[tuple[int, str, str], int] = {}

    async def load(self) -> None:
        """What is there. Of classes of one name the latest school year's is meant, unless the year is given."""
        for id_, login, *rest in await fetch_tuples(None, ACCOUNTS):
            self.accounts[login] = _Person(id_, *rest)
        for id_, account, role, bureau, school, class_id, since, until in await fetch_tuples(None, GRANTS):
            self.grants[account, role, bureau, school, class_id] = (id_, since, until)
        for id_, school, year, name in await fetch_tuples(None, CLASSES):
            self.classes[school, name] = id_
            self.classes_by_year[school, year, name] = id_

    # ---- the file
    async def take(self, sheet: Sheet) -> None:
        """Every row is an account with one of its roles; an account with several stands in several rows."""
        for _, raw in sheet.rows:
            self.work.spoiled.add(("login", rules.fold_login(raw.get("login", ""))))
        seen: dict[tuple[Any, ...], int] = {}
        named: dict[str, str] = {}
        for number, raw in sheet.rows:
            values = self.work.read(sheet, number, raw, FIELDS["people"])
            if values is None:
                continue
            values["login"] = rules.fold_login(values["login"])
            key = self._key(values)
            problems = [*self._problems(values), *_named_twice(named, values)]
            if key in seen:
                problems.append(Problem(None, "row-twice", {"first": seen[key]}))
            seen.setdefault(key, number)
            self.work.all_wrong(sheet, number, problems)
            if not problems and not self._cascades(values):
                await self._take_row(sheet, values)

    @staticmethod
    def _key(values: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(values[name] for name in ("login", "role", "school", "bureau", "class", "school_year"))

    def _problems(self, values: dict[str, Any]) -> list[Problem]:
        problem = rules.login_problem(values["login"])
        problems = [Problem("login", problem, {"login": values["login"]})] if problem else []
        role, school, bureau, label = (values[name] for name in ("role", "school", "bureau", "class"))
        if role is None:
            # An account without any role is somebody who left, and is named in what was recorded.
            placed = school or bureau or label
            return [*problems, Problem("role", "required")] if placed else problems
        wrong = rules.role_problem(role, school is not None, bureau is not None)
        if wrong:
            problems.append(Problem("role", wrong, {"allowed": ", ".join(ROLES)}))
        problems += self._unknown("school", school, self.work.schools)
        problems += self._unknown("bureau", bureau, self.work.bureaus)
        unknown = label is not None and school in self.work.schools and self._class(values) is None
        if unknown and ("class", school, label) not in self.work.spoiled:
            problems.append(Problem("class", "class-unknown", {"name": label}))
        return problems

    def _unknown(self, kind: str, code: str | None, known: dict[str, int]) -> list[Problem]:
        if code is None or code in known or (kind, code) in self.work.spoiled:
            return []
        return [Problem(kind, "place-unknown", {"place": code})]

    def _cascades(self, values: dict[str, Any]) -> bool:
        """Whether something that this row names was wrong itself, and so is not there."""
        work = self.work
        return (
            (values["school"] is not None and values["school"] not in work.schools)
            or (values["bureau"] is not None and values["bureau"] not in work.bureaus)
            or (values["class"] is not None and self._class(values) is None)
        )

    def _class(self, values: dict[str, Any]) -> int | None:
        school = self.work.schools.get(values["school"] or "")
        if school is None or values["class"] is None:
            return None
        if values["school_year"]:
            return self.classes_by_year.get((school, values["school_year"], values["class"]))
        return self.classes.get((school, values["class"]))

    async def _take_row(self, sheet: Sheet, values: dict[str, Any]) -> None:
        outcome = await self._account(values, full="disabled_at" in sheet.columns)
        if values["role"] is not None:
            school = self.work.schools.get(values["school"] or "")
            bureau = self.work.bureaus.get(values["bureau"] or "")
            account = self.accounts[values["login"]].id
            key = (account, values["role"], bureau, school, self._class(values))
            outcome = max(outcome, await self.grant(key, values["from"], values["until"]))
        if outcome:
            school = self.work.schools.get(values["school"] or "")
            self.work.tell("people", school, list(values.values()), new=outcome == 2)
        else:
            self.work.same("people")

    async def _account(self, values: dict[str, Any], full: bool) -> int:
        """0 nothing changed, 1 changed, 2 new."""
        login, name = values["login"], values["name"]
        known = self.accounts.get(login)
        if known is None:
            said = (name, values["language"], values["disabled_at"])
            args = [login, name, False, said[1], said[2], self.work.now]
            self.accounts[login] = _Person(int((await fetch_tuples(None, ADD_ACCOUNT, args))[0][0]), *said)
            return 2
        now = _Person(
            known.id,
            name,
            values["language"] if full else known.language,
            values["disabled_at"] if full else known.disabled_at,
        )
        if now == known:
            return 0
        self.accounts[login] = now
        sql = "update account set name = $2, language = $3, disabled_at = $4 where id = $1"
        await fetch_tuples(None, sql, [now.id, now.name, now.language, now.disabled_at])
        return 1

    async def grant(self, key: GrantKey, since: Any = None, until: Any = None) -> int:
        """Give a role, or change its days; 0, 1 or 2 as above."""
        known = self.grants.get(key)
        if known is None:
            await fetch_tuples(None, ADD_GRANT, [*key, since, until])
            self.grants[key] = (0, since, until)
            return 2
        if known[1:] == (since, until):
            return 0
        sql = "update role_grant set from_day = $2, until_day = $3 where id = $1"
        await fetch_tuples(None, sql, [known[0], since, until])
        self.grants[key] = (known[0], since, until)
        return 1

    # ---- class teachers, from the file of classes
    async def take_teachers(self) -> None:
        """A class's teacher holds the role of teacher for that very class."""
        for place, school, class_id, text in self.work.teachers:
            login = rules.fold_login(text)
            known = self.accounts.get(login)
            if known is None:
                if ("login", login) not in self.work.spoiled:
                    self.work.problems.append(Problem(place, "person-unknown", {"text": text}))
                continue
            key = (known.id, "teacher", None, school, class_id)
            if key not in self.grants:
                await self.grant(key)
                self.work.tell("people", school, [login, "teacher", class_id])


def _named_twice(named: dict[str, str], values: dict[str, Any]) -> list[Problem]:
    first = named.setdefault(values["login"], values["name"])
    return [Problem("name", "name-differs", {"first": first})] if first != values["name"] else []
