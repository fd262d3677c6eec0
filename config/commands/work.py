"""`safe-campus work`: the job process, beside any number of `serve --no-jobs`."""

from __future__ import annotations

import asyncio
import signal

import click

from config.invocation import Invocation


@click.command(help="Run jobs until told to stop (SIGTERM, Ctrl-C).")
@click.pass_obj
def command(invocation: Invocation) -> None:
    from config.scheduler import running

    async def work() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with running(invocation.settings, invocation.clock):
            click.echo(invocation.say("command.work.started"), err=True)
            await stop.wait()

    invocation.run(work)
