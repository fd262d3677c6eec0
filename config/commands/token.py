"""`safe-campus token`: a bearer token for the API, shown once."""

from __future__ import annotations

import click

from config.invocation import Invocation, json_option


@click.command(help="Print a new API token of an account; it is shown only now.")
@click.argument("login")
@click.option("--label", default="", help="What it is for.")
@json_option
@click.pass_obj
def command(invocation: Invocation, login: str, label: str) -> None:
    from safety.access.actions import issue_token

    token = invocation.run(lambda: issue_token(None, login.lower(), label, invocation.clock.now()))
    invocation.emit({"login": login.lower(), "token": token}, token)
