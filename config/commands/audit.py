"""`safe-campus audit verify`: walk the audit chains and name what was altered."""

from __future__ import annotations

import dataclasses

import click

from config.invocation import Invocation, json_option


@click.group(help="The audit trail.")
def command() -> None:
    pass


@command.command(
    help="Walk every chain, and hold what is kept against the returns that were sealed; exit 1 if anything is wrong."
)
@json_option
@click.pass_obj
def verify(invocation: Invocation) -> None:
    from reports.verification.contradictions import Contradiction, contradictions
    from safety.audit import queries
    from safety.audit.rules import BadLine

    async def work() -> tuple[list[BadLine], list[Contradiction]]:
        return await queries.verify(), await contradictions(invocation.settings.data)

    bad, against = invocation.run(work)
    document = {
        "good": not (bad or against),
        "bad": [dataclasses.asdict(line) for line in bad],
        "contradictions": [dataclasses.asdict(one) for one in against],
    }
    lines = [invocation.say("command.audit.bad", line=str(line)) for line in bad]
    lines += [
        invocation.say(f"command.audit.against.{one.reason}", **dataclasses.asdict(one)) for one in against
    ]
    invocation.emit(document, "\n".join(lines) or invocation.say("command.audit.good"))
    if bad or against:
        raise click.exceptions.Exit(1)
