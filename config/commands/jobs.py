"""`safe-campus jobs list|run`: the slots of jobs and their state."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import click

from config.invocation import Invocation, instant_option, json_option
from safety.clock import FixedClock
from safety.errors import BadInput


@click.group(help="What runs by itself: its slots, and running one by hand.")
def command() -> None:
    pass


@command.command("list", help="Every job with the slots that were taken up, and those that are due.")
@json_option
@click.pass_obj
def list_(invocation: Invocation) -> None:
    from config.scheduler import open_press, table
    from safety.jobs.actions import due_slots
    from safety.jobs.queries import SlotLine, list_slots

    async def work() -> tuple[list[str], list[SlotLine], list[tuple[str, str, datetime]]]:
        known = await list_slots()
        taken = {(line.name, line.slot) for line in known}
        async with open_press(invocation.settings) as press:
            entries = table(press)
        due = [
            (entry.name, slot.key, slot.due_at)
            for entry in entries
            if entry.job is not None
            for slot in await due_slots(entry.job, invocation.clock.now())
            if (entry.name, slot.key) not in taken
        ]
        return [entry.name for entry in entries], known, due

    names, known, due = invocation.run(work)
    slots = [dataclasses.asdict(line) for line in known]
    slots += [{"name": name, "slot": slot, "due_at": at, "state": "due"} for name, slot, at in due]
    lines = [f"{s['name']}  {s['slot']}  {s['state']}  {s['due_at'].isoformat()}" for s in slots]
    idle = [name for name in names if name not in {s["name"] for s in slots}]
    lines += [f"{name}  {invocation.say('command.jobs.idle')}" for name in idle]
    invocation.emit({"jobs": names, "slots": slots}, "\n".join(lines))


@command.command(help="Run what is due of one job now; exit 1 if it failed.")
@click.argument("name")
@instant_option("--at", "As if it were this instant.")
@json_option
@click.pass_obj
def run(invocation: Invocation, name: str, at: datetime | None) -> None:
    from functools import partial

    from config.crew import differing_by_crew
    from config.scheduler import open_press, run_once
    from safety.jobs.actions import Outcome

    async def work() -> dict[str, Outcome] | None:
        async with open_press(invocation.settings) as press:
            try:
                among = partial(differing_by_crew, invocation.settings.database_url)
                return await run_once(press, name, FixedClock(at or invocation.clock.now()), among)
            except KeyError as error:
                raise BadInput.one("NAME", "unknown-job", name=name) from error

    outcomes = invocation.run(work) or {}
    lines = [f"{slot}  {outcome}" for slot, outcome in outcomes.items()]
    text = "\n".join(lines) or invocation.say("command.jobs.nothing-due")
    invocation.emit({"job": name, "slots": outcomes}, text)
    if "failed" in outcomes.values():
        raise click.exceptions.Exit(1)
