"""`safe-campus migrate`: bring the schema forward. Running it again changes nothing."""

from __future__ import annotations

import contextlib
import sys

import click

from config.invocation import Invocation, json_option


@click.command(help="Bring the database schema forward.")
@json_option
@click.pass_obj
def command(invocation: Invocation) -> None:
    ran, accounts = invocation.run(_migrate)
    # `accounts` lets a script see that the database is empty, so that it may load the demo.
    invocation.emit({"ran": ran, "accounts": accounts}, invocation.say("command.migrate.done", count=ran))


async def _migrate() -> tuple[int, int]:
    """How many migrations were run now, and how many accounts there are."""
    from piccolo.apps.migrations.commands.forwards import run_forwards
    from piccolo.apps.migrations.tables import Migration

    from safety.access.tables import Account

    # Piccolo narrates on standard output, which belongs to the answer.
    with contextlib.redirect_stdout(sys.stderr):
        before = await Migration.count() if await Migration.table_exists() else 0
        result = await run_forwards("all")
    if not result.success:
        raise click.ClickException(result.message or "migration failed")
    return await Migration.count() - before, await Account.count()
