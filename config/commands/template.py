"""`safe-campus template`: an Excel file to fill in for one ledger."""

from __future__ import annotations

from pathlib import Path

import click

from config.invocation import Invocation, json_option
from safety.errors import BadInput


@click.command(help="Write the Excel template of a ledger, with drop-downs and notes.")
@click.argument("ledger")
@click.option(
    "-o", "output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to."
)
@click.option("--school", metavar="CODE", help="With this school's classes and people to choose from.")
@json_option
@click.pass_obj
def command(invocation: Invocation, ledger: str, output: Path, school: str | None) -> None:
    from config.rules import put_in_use
    from safety.bundles.template import draw, ledger_named, template_for
    from safety.database import fetch_tuples

    async def work() -> bytes:
        rows = await fetch_tuples(None, "select id from school where code = $1", [school])
        if not rows:
            raise BadInput.one("--school", "unknown-code", code=school)
        return await template_for(known, invocation.clock.now(), rows[0][0])

    put_in_use()
    known = ledger_named(ledger)
    output.write_bytes(invocation.run(work) if school else draw(known, {}))
    text = invocation.say("command.template.done", file=output)
    invocation.emit({"ledger": known.name, "file": str(output)}, text)
