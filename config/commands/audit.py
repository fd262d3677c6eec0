"""`safe-campus audit verify`: walk the audit chains and name what was altered."""

from __future__ import annotations

import dataclasses

import click

from config.invocation import Invocation, json_option


@click.group(help="The audit trail.")
def command() -> None:
    pass


@command.command(help="Walk every chain; name the first bad line of each and exit 1 if there is one.")
@json_option
@click.pass_obj
def verify(invocation: Invocation) -> None:
    from safety.audit import queries

    bad = invocation.run(queries.verify)
    document = {"good": not bad, "bad": [dataclasses.asdict(line) for line in bad]}
    lines = [invocation.say("command.audit.bad", line=str(line)) for line in bad]
    invocation.emit(document, "\n".join(lines) or invocation.say("command.audit.good"))
    if bad:
        raise click.exceptions.Exit(1)
