"""`safe-campus restore FILE`: put everything back as a backup has it, or change nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from config.commands.backup import folders
from config.invocation import Invocation, json_option


@click.command(help="Put everything back as it is in FILE, with the service stopped; or change nothing.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
@click.pass_obj
def command(invocation: Invocation, file: Path) -> None:
    from config import piccolo_conf  # noqa: F401 - chooses the engine
    from safety.backup import restore
    from safety.database import current_engine
    from safety.migrations import migrate

    kept = folders(invocation.settings.data)
    # Not through `invocation.run`: the database must be closed while it is exchanged.
    manifest = asyncio.run(restore(file, current_engine(), kept))
    invocation.run(migrate)
    rows, files = sum(manifest.rows.values()), len(manifest.members) - 1
    taken_at = manifest.taken_at.isoformat()
    text = invocation.say("command.restore.done", taken_at=taken_at, rows=rows, files=files)
    invocation.emit({"taken_at": taken_at, "rows": manifest.rows, "files": files}, text)
