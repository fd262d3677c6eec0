"""`safe-campus recount`: every school's quarter counted anew from its entries, beside what was kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import click

from config.commands.return_ import quarter_of
from config.invocation import Invocation, json_option
from safety.calendar import Period

if TYPE_CHECKING:
    from config.crew import Crew, Document


@click.command(
    help="Count every school's quarter anew from its entries; exit 1 if kept tallies say otherwise."
)
@click.argument("period")
@json_option
@click.pass_obj
def command(invocation: Invocation, period: str) -> None:
    from config.crew import Crew

    quarter, now = quarter_of(period), invocation.clock.now()

    async def work() -> tuple[int, Mapping[str, list[str]]]:
        with Crew(invocation.settings.database_url) as crew:
            return await _compared(crew, quarter, now)

    schools, differ = invocation.run(work)
    lines = [invocation.say("command.recount.done", count=schools)]
    lines += [
        f"{code}  {invocation.say('command.score.differs', lines=', '.join(found))}"
        for code, found in differ.items()
    ]
    invocation.emit({"schools": schools, "differ": differ}, "\n".join(lines))
    if differ:
        raise click.exceptions.Exit(1)


async def _compared(crew: Crew, period: Period, now: datetime) -> tuple[int, Mapping[str, list[str]]]:
    """How many schools there are, and by their codes the lines that differ."""
    from safety.database import fetch_tuples, read_only_door
    from safety.scores import recomputed_scores, scores
    from safety.scoring import as_json

    ids = [int(row[0]) for row in await fetch_tuples(None, "select id from school order by id")]
    kept = await scores(ids, period, now)
    measured = await crew.scores(ids, period, now)
    suspects = [school for school in ids if differing(as_json(kept[school]), measured[school])]
    found = {}
    if suspects:
        # Somebody may have saved between the two readings: what differs is looked at again, at one glance.
        async with read_only_door():
            kept, again = await scores(suspects, period, now), await recomputed_scores(suspects, period, now)
        for school in suspects:
            found[kept[school].school] = differing(as_json(kept[school]), as_json(again[school]))
    return len(ids), {code: lines for code, lines in found.items() if lines}


def differing(kept: Document, measured: Document) -> list[str]:
    """The lines of two scores, and `total`, that differ; which entries they name left aside."""
    lines = [_lines(document) for document in (kept, measured)]
    found = [line for line in lines[0] if lines[0][line] != lines[1][line]]
    return [*found, "total"] if kept["total"] != measured["total"] else found


def _lines(document: Document) -> dict[str, Document]:
    lines = (line for group in document["groups"] for line in group["lines"])
    return {line["id"]: {name: value for name, value in line.items() if name != "entries"} for line in lines}
