"""`safe-campus import`: take a bundle in, all of it or nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from config.invocation import Invocation, json_option
from safety.errors import BadInput, Problem

MOST_SHOWN = 200


@click.command(help="Take in a folder of CSV or XLSX tables, all or nothing; exit 1 with every bad cell.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@json_option
@click.pass_obj
def command(invocation: Invocation, bundle: Path, dry_run: bool) -> None:
    from config.rules import put_in_use
    from safety.bundles.actions import import_bundle

    put_in_use()
    now = invocation.clock.now()
    try:
        done = invocation.run(lambda: import_bundle(None, bundle, now, dry_run=dry_run, progress=_progress))
    except BadInput as error:
        if not all(found.field and found.field.count(":") >= 2 for found in error.problems):
            raise
        _show_problems(invocation, error.problems, dry_run)
        raise click.exceptions.Exit(1) from error
    document = {
        "written": not dry_run,
        "dry_run": dry_run,
        "new": done.new,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "files": {
            name: {"new": count.new, "changed": count.changed, "unchanged": count.unchanged}
            for name, count in done.files.items()
        },
        "problems": [],
    }
    key = "command.import.dry" if dry_run else "command.import.done"
    text = invocation.say(key, new=done.new, changed=done.changed, unchanged=done.unchanged)
    invocation.emit(document, text)


def _progress(file: str, done: int, of: int) -> None:
    if done % 5000 == 0 and of > 5000:
        click.echo(f"{file} {done}/{of}", file=sys.stderr)


def _show_problems(invocation: Invocation, problems: list[Problem], dry_run: bool) -> None:
    cells = [_cell(invocation, found) for found in problems]
    if invocation.json:
        document = {"written": False, "dry_run": dry_run, "new": 0, "changed": 0, "unchanged": 0}
        invocation.emit({**document, "files": {}, "problems": cells}, "")
        return
    for cell in cells[:MOST_SHOWN]:
        click.echo(invocation.say("command.import.cell", **cell), file=sys.stderr)
    click.echo(invocation.say("command.import.bad", count=len(cells)), file=sys.stderr)


def _cell(invocation: Invocation, found: Problem) -> dict[str, Any]:
    """A problem's place `file:row:column` taken apart, with its sentence."""
    file, _, rest = (found.field or "").partition(":")
    row, _, column = rest.partition(":")
    return {
        "file": file,
        "row": int(row) if row.isdecimal() else 0,
        "column": column,
        "code": found.code,
        "message": invocation.say(f"problem.{found.code}", **found.values),
    }
