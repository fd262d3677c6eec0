"""`safe-campus token`: bearer tokens for the API: issued and shown once, listed, revoked."""

from __future__ import annotations

import dataclasses

import click

from config.invocation import Invocation, json_option
from safety.clock import ZONE


class Issuing(click.Group):
    """`token LOGIN` is short for `token issue LOGIN`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["issue", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Issuing, help="API tokens. `token LOGIN` issues one, as `token issue LOGIN` does.")
def command() -> None:
    pass


@command.command(help="Print a new API token of an account; it is shown only now.")
@click.argument("login")
@click.option("--label", default="", help="What it is for.")
@json_option
@click.pass_obj
def issue(invocation: Invocation, login: str, label: str) -> None:
    from safety.access.actions import issue_token

    token = invocation.run(lambda: issue_token(None, login.lower(), label, invocation.clock.now()))
    invocation.emit({"login": login.lower(), "token": token}, token)


@command.command("list", help="The tokens in use: number, login, since when, what for.")
@json_option
@click.pass_obj
def list_(invocation: Invocation) -> None:
    from safety.access.queries import list_tokens

    found = invocation.run(lambda: list_tokens(None))
    lines = [
        f"{one.number}  {one.login}  {one.created_at.astimezone(ZONE).isoformat(timespec='minutes')}  {one.label}"
        for one in found
    ]
    text = "\n".join(lines) or invocation.say("tokens.none")
    invocation.emit({"tokens": [dataclasses.asdict(one) for one in found]}, text)


@command.command(help="End the token of that number at once; its account goes on.")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@json_option
@click.pass_obj
def revoke(invocation: Invocation, number: int) -> None:
    from safety.access.actions import revoke_token

    invocation.run(lambda: revoke_token(None, number, invocation.clock.now()))
    invocation.emit({"number": number}, invocation.say("command.token.revoked", number=number))
