"""The first set-up of an empty instance: one bureau, one administrator."""

from dataclasses import dataclass
from datetime import datetime

from safety.access import rules, tokens
from safety.access.actions import NewPerson, NewRole, insert, open_session
from safety.audit.actions import append
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, Conflict, Problem
from safety.places.rules import code_problem
from safety.places.tables import Bureau


@dataclass(frozen=True, slots=True)
class FirstSetup:
    """What the first set-up page asks for."""

    bureau_code: str
    bureau_name: str
    login: str
    name: str
    password: str


async def first_setup(asked: FirstSetup, now: datetime) -> str:
    """The first bureau and the first administrator; the token of the administrator's session.

    Raises Conflict as soon as there is any account, BadInput for what cannot be used.
    """
    login = rules.fold_login(asked.login)
    problems = _setup_problems(asked, login)
    if problems:
        raise BadInput(problems)
    digest = await tokens.hash_password(asked.password)
    async with transaction():
        # The one head row of the instance's chain is locked by the first line: two set-ups at once make one.
        await append(
            None, None, "instance.setup", f"bureau:{asked.bureau_code}", {"name": asked.bureau_name}, now
        )
        if await fetch_tuples(None, "select 1 from account limit 1"):
            raise Conflict("already-set-up")
        known = await Bureau.objects().where(Bureau.code == asked.bureau_code).first()
        if known is None:
            await Bureau(code=asked.bureau_code, name=asked.bureau_name).save()
        person = NewPerson(login, asked.name, (NewRole("admin"),))
        account = await insert(None, person, digest, None, now)
        return await open_session(account.id, now)


def _setup_problems(asked: FirstSetup, login: str) -> list[Problem]:
    found = code_problem("bureau_code", asked.bureau_code)
    codes = [
        ("bureau_name", rules.name_problem(asked.bureau_name)),
        ("name", rules.name_problem(asked.name)),
        ("login", rules.login_problem(login)),
        ("password", rules.password_problem(asked.password, login)),
    ]
    return found + [
        Problem(field, code, {"least": rules.PASSWORD_MIN, "most": rules.NAME_MAX, "login": login})
        for field, code in codes
        if code
    ]
