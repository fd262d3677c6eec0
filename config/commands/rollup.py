"""`safe-campus rollup`: a bureau's summary of a quarter as a file."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.commands.return_ import quarter_of
from config.invocation import Invocation, json_option
from safety.calendar import Period
from safety.errors import BadInput, NotFound

if TYPE_CHECKING:
    from reports.press import Press
    from reports.rollup.document import RollupDocument


@click.command(help="Write a bureau's roll-up as a PDF: the sealed file, or before the sealing a draft.")
@click.argument("bureau")
@click.argument("period")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.pdf"
)
@json_option
@click.pass_obj
def command(invocation: Invocation, bureau: str, period: str, output: Path) -> None:
    from config.scheduler import open_press
    from reports.rollup.actions import bureau_id

    quarter = quarter_of(period)

    async def work() -> tuple[RollupDocument, bytes]:
        async with open_press(invocation.settings) as press:
            return await _made(press, await bureau_id(bureau), quarter, invocation)

    try:
        document, content = invocation.run(work)
        output.write_bytes(content)
    except NotFound as error:
        raise BadInput.one("BUREAU", "unknown-code", code=bureau) from error
    except OSError as error:
        raise BadInput.one("-o", "file-not-written", path=str(output), error=str(error)) from error
    facts = {
        "file": str(output),
        "version": document.version,
        "draft": document.draft,
        "facts_digest": document.facts_digest,
        "signing": Counter(school.signing for school in document.schools),
    }
    invocation.emit(facts, str(output))


async def _made(
    press: Press, bureau: int, period: Period, invocation: Invocation
) -> tuple[RollupDocument, bytes]:
    from reports import files
    from reports.kinds import RollupJob
    from reports.rollup import actions as rollup_actions
    from reports.rollup import press as rollup_press
    from reports.rollup import queries as rollup_queries

    now = invocation.clock.now()
    for last in (await rollup_queries.made(bureau, period))[:1]:
        made = await rollup_press.printed(press, last.id, now)
        return made.document, await asyncio.to_thread(files.read, press.data, made.file.bytes_digest)
    document = await rollup_actions.current(bureau, period, press.data, now, test_clock=press.test_clock)
    return document, await press.renderer.render(RollupJob(document))
