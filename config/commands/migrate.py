"""`safe-campus migrate`: bring the schema forward. Running it again changes nothing."""

from __future__ import annotations

import click

from config.invocation import Invocation, json_option


@click.command(help="Bring the database schema forward.")
@json_option
@click.pass_obj
def command(invocation: Invocation) -> None:
    ran, empty = invocation.run(_migrate)
    text = invocation.say("command.migrate.done", count=len(ran))
    # `empty` lets a script see that nobody has an account yet, so that it may load the demo.
    invocation.emit({"ran": ran, "empty": empty}, text)


async def _migrate() -> tuple[list[str], bool]:
    """The migrations that ran now, and whether there is no account yet."""
    from safety.access.queries import account_exists
    from safety.migrations import migrate

    ran = await migrate()
    return [f"{step.app}.{step.id}" for step in ran], not await account_exists()
