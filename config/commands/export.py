"""`safe-campus export`: the whole county, or one school, as a bundle."""

from __future__ import annotations

from pathlib import Path

import click

from config.invocation import Invocation, json_option


@click.command(
    help="Write everything, or one school's part, as a bundle that `import` takes in without loss."
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--school", metavar="CODE", help="Only this school.")
@json_option
@click.pass_obj
def command(invocation: Invocation, folder: Path, school: str | None) -> None:
    from config.rules import put_in_use
    from safety.bundles.export import export_bundle
    from safety.database import read_only_door

    async def work() -> dict[str, int]:
        # One snapshot, however long it takes and whoever writes meanwhile.
        async with read_only_door():
            return await export_bundle(folder, school)

    put_in_use()
    written = invocation.run(work)
    text = invocation.say("command.export.done", files=len(written), rows=sum(written.values()))
    invocation.emit({"folder": str(folder), "files": written}, text)
