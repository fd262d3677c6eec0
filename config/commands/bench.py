"""`safe-campus bench`: the figures in docs/benchmarks.md, each with what it is measured against in the same run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from config.invocation import Invocation, json_option


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked for. `say` tells how far it is, on standard error."""

    schools: int
    returns: int
    times: int
    seconds: float
    say: Callable[[str], None]


async def _score(run: Run) -> dict[str, Any]:
    from config.benchmarks.office import database_url, private_database
    from config.benchmarks.score import bench_score

    with TemporaryDirectory(prefix="safe-campus-bench-") as name:
        folder = Path(name)
        async with private_database(folder):
            return await bench_score(run.schools, database_url(folder), run.times, run.say)


async def _saves(run: Run) -> dict[str, Any]:
    from config.benchmarks.saves import bench_saves

    return await bench_saves(run.seconds, run.say)


async def _memory(run: Run) -> dict[str, Any]:
    from config.benchmarks.saves import bench_saves

    return {"serve": (await bench_saves(run.seconds, run.say, beside=False))["memory"]}


async def _pdf(run: Run) -> dict[str, Any]:
    from config.benchmarks.pdf import bench_pdf

    return await bench_pdf(run.returns, run.times, run.say)


BENCHES: dict[str, Callable[[Run], Awaitable[dict[str, Any]]]] = {
    "saves": _saves,
    "score": _score,
    "pdf": _pdf,
    "memory": _memory,
}


@click.command(help="Measure: forms saved, schools scored, returns drawn, memory; all of them without NAME.")
@click.argument("name", required=False, type=click.Choice([*BENCHES]))
@click.option("--schools", default=500, show_default=True, type=click.IntRange(1), help="Schools to score.")
@click.option("--returns", default=600, show_default=True, type=click.IntRange(1), help="Schools to close.")
@click.option(
    "--times", default=3, show_default=True, type=click.IntRange(1), help="Repetitions; the median counts."
)
@click.option(
    "--seconds", default=20.0, show_default=True, type=click.FloatRange(1), help="How long forms are saved."
)
@json_option
@click.pass_obj
def command(
    invocation: Invocation, name: str | None, schools: int, returns: int, times: int, seconds: float
) -> None:
    run = Run(schools, returns, times, seconds, lambda text: click.echo(text, err=True))
    # Memory is a figure of the save run, so that it is not run twice for it.
    names = [name] if name else [known for known in BENCHES if known != "memory"]
    found = {chosen: asyncio.run(_awaited(BENCHES[chosen], run)) for chosen in names}
    invocation.emit(found, "\n".join(_lines(found)))


async def _awaited(bench: Callable[[Run], Awaitable[dict[str, Any]]], run: Run) -> dict[str, Any]:
    return await bench(run)


def _lines(found: dict[str, Any], before: str = "") -> list[str]:
    """`saves.ours.per_second  312.5`, one figure to a line."""
    lines = []
    for name, value in found.items():
        if isinstance(value, dict):
            lines += _lines(value, f"{before}{name}.")
        else:
            lines.append(f"{before}{name}  {value}")
    return lines
