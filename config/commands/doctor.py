"""`safe-campus doctor`: looks at everything the service stands on, and says what is wrong."""

from __future__ import annotations

import asyncio

import click

from config.checks import CHECKS, Finding, look
from config.invocation import Invocation, json_option


@click.command(help="Check settings, libraries, fonts, disk, clock and database; exit 1 with a list.")
@json_option
@click.pass_obj
def command(invocation: Invocation) -> None:
    settings, now = invocation.settings, invocation.clock.now()
    findings = [asyncio.run(look(name, check, settings, now)) for name, check in CHECKS.items()]
    bad = sum(not found.good for found in findings)
    verdict = invocation.say("command.doctor.bad" if bad else "command.doctor.good", count=bad)
    lines = [*(_line(invocation, found) for found in findings), verdict]
    invocation.emit({"good": not bad, "checks": [_document(found) for found in findings]}, "\n".join(lines))
    if bad:
        raise click.exceptions.Exit(1)


def _line(invocation: Invocation, found: Finding) -> str:
    mark = "✓" if found.good else "✗"
    return f"{mark} {invocation.say(f'command.check.{found.check}')}  {found.detail}"


def _document(found: Finding) -> dict[str, object]:
    return {"check": found.check, "good": found.good, "detail": found.detail}
