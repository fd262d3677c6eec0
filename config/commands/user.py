"""`safe-campus user add|reset|disable`: accounts from the shell, the first administrator among them."""

from __future__ import annotations

import click

from config.invocation import Invocation, json_option
from safety.access.scope import ROLES
from safety.errors import BadInput, Problem


@click.group(help="Make, reset or disable an account.")
def command() -> None:
    pass


@command.command(help="Make an account and print its one-time password.")
@click.argument("login")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="Their first role.")
@click.option("--school", metavar="CODE", help="The school of a school's role.")
@click.option("--bureau", metavar="CODE", help="The bureau of a bureau's role.")
@json_option
@click.pass_obj
def add(
    invocation: Invocation, login: str, name: str, role: str, school: str | None, bureau: str | None
) -> None:
    from safety.access.actions import NewAccount, NewPerson, NewRole, create_account

    async def work() -> NewAccount:
        first = NewRole(role, school=await _id_of("school", school), bureau=await _id_of("bureau", bureau))
        person = NewPerson(login=login, name=name, roles=(first,))
        return await create_account(None, person, invocation.clock.now())

    try:
        made = invocation.run(work)
    except BadInput as error:
        # There is one person on a command line: the number that a list would need says nothing here.
        raise BadInput([_unnumbered(found) for found in error.problems]) from error
    _show_password(invocation, made.login, made.one_time_password)


@command.command(help="Print a new one-time password; what was signed in ends.")
@click.argument("login")
@json_option
@click.pass_obj
def reset(invocation: Invocation, login: str) -> None:
    from safety.access.actions import reset_password

    made = invocation.run(lambda: reset_password(None, login.lower(), invocation.clock.now()))
    _show_password(invocation, made.login, made.one_time_password)


@command.command(help="Close an account; its sessions and tokens end at once.")
@click.argument("login")
@json_option
@click.pass_obj
def disable(invocation: Invocation, login: str) -> None:
    from safety.access import actions

    invocation.run(lambda: actions.disable(None, login.lower(), invocation.clock.now()))
    invocation.emit({"login": login.lower()}, invocation.say("command.user.disabled", login=login.lower()))


async def _id_of(table: str, code: str | None) -> int | None:
    """The id of a school or bureau by its code. Raises BadInput naming the option."""
    from safety.database import fetch_tuples

    if code is None:
        return None
    rows = await fetch_tuples(None, f"select id from {table} where code = $1", [code])  # noqa: S608
    if not rows:
        raise BadInput.one(f"--{table}", "unknown-code", code=code)
    return int(rows[0][0])


def _unnumbered(found: Problem) -> Problem:
    return Problem(found.field.removeprefix("0.") if found.field else None, found.code, found.values)


def _show_password(invocation: Invocation, login: str, password: str | None) -> None:
    text = invocation.say("command.user.password", login=login, password=password)
    invocation.emit({"login": login, "password": password}, text)
