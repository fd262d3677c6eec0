"""`safe-campus return close|make|verify`: a quarter's returns, made and delivered; one as a file; one checked."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from config.invocation import Invocation, instant_option, json_option
from safety.calendar import Period
from safety.clock import FixedClock
from safety.errors import BadInput, NotFound

if TYPE_CHECKING:
    from reports.delivery.actions import Progress
    from reports.jobs import Closed


@click.group(help="Quarterly returns.")
def command() -> None:
    pass


@command.command(
    help="Make and deliver every school's return of a closed quarter; safe to kill and run again."
)
@click.argument("period")
@instant_option("--at", "As if it were this instant; by default now.")
@json_option
@click.pass_obj
def close(invocation: Invocation, period: str, at: datetime | None) -> None:
    from config.scheduler import open_press
    from reports.jobs import close_quarter

    quarter = quarter_of(period)

    async def work() -> Closed:
        with _bar(invocation) as progress:
            async with open_press(invocation.settings) as press:
                clock = FixedClock(at) if at else invocation.clock
                return await close_quarter(press, quarter, clock, progress)

    closed = invocation.run(work)
    document = {"period": quarter.id, "sealed": closed.sealed, "delivered": closed.delivered}
    said = invocation.say("command.return.closed", **document)
    failed = {str(message): error for message, error in closed.failed.items()}
    invocation.emit(document | {"failed": failed}, said)
    if failed:
        for message, error in failed.items():
            click.echo(f"{message}: {error}", err=True)
        raise click.exceptions.Exit(1)


@command.command(
    help="Write the current version of one school's return as a PDF: the sealed file, or a draft before the close."
)
@click.argument("school")
@click.argument("period")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.pdf"
)
@click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    default="zh",
    show_default=True,
    help="en: a translation, drawn anew; what is sealed is Chinese.",
)
@json_option
@click.pass_obj
def make(invocation: Invocation, school: str, period: str, output: Path, lang: Literal["zh", "en"]) -> None:
    from config.scheduler import open_press
    from reports import files, queries
    from reports.document import ReturnDocument
    from reports.press import Press, sealed_file

    quarter = quarter_of(period)

    async def drawn(press: Press, school_id: int, document: ReturnDocument) -> bytes:
        last = await queries.last_version(school_id, quarter)
        if last is None or lang == "en":
            return await press.renderer.render_return(document, lang)
        file = await sealed_file(press, last.id, invocation.clock.now())
        return files.read(press.data, file.bytes_digest)

    async def work() -> tuple[ReturnDocument, bytes]:
        async with open_press(invocation.settings) as press:
            id_ = await queries.school_id(school)
            document = await queries.current(
                id_, quarter, invocation.clock.now(), test_clock=press.test_clock
            )
            return document, await drawn(press, id_, document)

    try:
        made, content = invocation.run(work)
        output.write_bytes(content)
    except NotFound as error:
        raise BadInput.one("SCHOOL", "unknown-code", code=school) from error
    except OSError as error:
        raise BadInput.one("-o", "file-not-written", path=str(output), error=str(error)) from error
    facts = {
        "file": str(output),
        "version": made.version,
        "draft": made.draft,
        "facts_digest": made.facts_digest,
    }
    invocation.emit(facts, str(output))


@command.command(
    help="Say whether a sealed file is genuine; offline. Exit 1, with the reasons, for anything that is not."
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.pdf")
@click.option(
    "--trust",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="CERT.pem",
    help="Trust this certificate, and not those in the data folder; may be given again.",
)
@json_option
@click.pass_obj
def verify(invocation: Invocation, file: Path, trust: tuple[Path, ...]) -> None:
    from config.verifying import verdict_on
    from reports.verification.verdicts import as_json, rows, sentence

    verdict, say = verdict_on(file, trust), invocation.say
    head = say("command.verify.genuine" if verdict.genuine else "command.verify.not-genuine")
    lines = [f"- {sentence(reason, say)}" for reason in verdict.reasons]
    lines += [f"{label}: {value}" for label, value in rows(verdict, say)]
    invocation.emit(as_json(verdict, say), "\n".join([f"{file}: {head}", *lines]))
    if not verdict.genuine:
        raise click.exceptions.Exit(1)


def quarter_of(text: str) -> Period:
    """The quarter that was named. Raises BadInput naming the argument."""
    try:
        return Period.parse(text)
    except ValueError as error:
        raise BadInput.one("PERIOD", "bad-period", value=text) from error


@contextlib.contextmanager
def _bar(invocation: Invocation) -> Iterator[Progress]:
    """A bar on standard error, one for each stage."""
    with contextlib.ExitStack() as open_bars:
        bars: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int) -> None:
            if stage not in bars:
                label = invocation.say(f"command.return.{stage}")
                made: Any = click.progressbar(length=total, label=label, file=sys.stderr)
                bars[stage] = open_bars.enter_context(made)
            bars[stage].update(done - bars[stage].pos)

        yield progress
