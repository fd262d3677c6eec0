"""`safe-campus peer`: schools and bureaus on other instances that send us what they seal."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from config.invocation import Invocation, json_option
from safety.clock import ZONE


@click.group(help="Schools and bureaus on other instances that send us what they seal.")
def command() -> None:
    pass


@command.command(
    help="Let the school or bureau of that CODE send what it seals with that certificate; prints its token once."
)
@click.argument("code")
@click.option(
    "--certificate",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CERT.pem",
    help="The certificate of the key that it seals with.",
)
@json_option
@click.pass_obj
def add(invocation: Invocation, code: str, certificate: Path) -> None:
    from reports.delivery import peers
    from reports.sealing.keys import in_groups

    text = certificate.read_text(encoding="ascii", errors="replace")
    made = invocation.run(
        lambda: peers.add(None, code, text, invocation.settings.data, invocation.clock.now())
    )
    said = invocation.say("command.peer.added", name=made.name, fingerprint=in_groups(made.fingerprint))
    click.echo(said, err=True)
    invocation.emit(dataclasses.asdict(made), made.token)


@command.command(
    "list", help="The senders: number, code, what they send, to whom, last heard of, certificate."
)
@json_option
@click.pass_obj
def list_(invocation: Invocation) -> None:
    from reports.delivery import peers

    found = invocation.run(lambda: peers.listed(None))
    lines = [
        f"{one.id}  {one.code}  {one.kind}  {one.bureau_code}  "
        f"{one.seen_at.astimezone(ZONE).isoformat(timespec='minutes') if one.seen_at else '-'}  {one.fingerprint}"
        for one in found
    ]
    text = "\n".join(lines) or invocation.say("peers.none")
    invocation.emit({"peers": [dataclasses.asdict(one) for one in found]}, text)


@command.command(help="End the token of the sender of that NUMBER at once; what it has sent stays.")
@click.argument("number", type=click.IntRange(1, 2**31 - 1))
@json_option
@click.pass_obj
def revoke(invocation: Invocation, number: int) -> None:
    from reports.delivery import peers

    code = invocation.run(lambda: peers.revoke(None, number, invocation.clock.now()))
    invocation.emit({"number": number, "code": code}, invocation.say("command.peer.revoked", code=code))
