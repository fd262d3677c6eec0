"""`safe-campus backup FILE`: one verified file with everything, taken while the service runs."""

from __future__ import annotations

from pathlib import Path

import click

from config.invocation import Invocation, json_option

# Folders inside the data folder whose files belong to the records; the rest can be made again.
KEPT = ("evidence", "trust")


@click.command(help="Write a verified copy of everything to FILE; the service may go on running.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@json_option
@click.pass_obj
def command(invocation: Invocation, file: Path, force: bool) -> None:
    from safety.backup import backup
    from safety.database import current_engine

    settings, now = invocation.settings, invocation.clock.now()
    kept = folders(settings.data)
    manifest = invocation.run(lambda: backup(file, current_engine(), now, kept, replace=force))
    rows, files = sum(manifest.rows.values()), len(manifest.members) - 1
    text = invocation.say("command.backup.done", file=file, rows=rows, files=files)
    invocation.emit({"file": str(file), "rows": manifest.rows, "files": files}, text)


def folders(data: Path) -> dict[str, Path]:
    """What a backup keeps of the data folder: name in the backup → folder."""
    return {name: data / name for name in KEPT}
