"""Who else may send us what they seal: schools and bureaus on other instances, each with a token and a certificate.

A token is shown once and kept as a digest. What a peer may send follows from what it is: a school its returns, a bureau
its roll-ups; and it speaks for nobody but itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from reports.sealing.keys import BadKey, certificates_in, fingerprint, pem, trust
from safety.access import tokens
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, Conflict, NotAllowed, NotFound

CERTIFICATE_LENGTH = 20_000
SCHOOL = "select 'return', s.name, s.bureau from school s where s.code = $1"
BUREAU = "select 'rollup', b.name, b.parent from bureau b where b.code = $1"
ADD = """insert into peer (kind, code, name, bureau, token_digest, certificate, fingerprint, added_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning id"""
ACTIVE = "select id from peer where kind = $1 and code = $2 and revoked_at is null"
LIST = """select p.id, p.kind, p.code, p.name, b.code, b.name, p.fingerprint, p.added_at, p.seen_at
from peer p join bureau b on b.id = p.bureau where p.revoked_at is null order by p.code, p.id"""
REVOKE = "update peer set revoked_at = $2 where id = $1 and revoked_at is null returning code"
SENDER = """select id, kind, code, bureau, certificate from peer
where token_digest = $1 and revoked_at is null"""
SEEN = "update peer set seen_at = $2 where id = $1"


@dataclass(frozen=True, slots=True)
class Peer:
    """A sender that has shown its token. `kind` is what it may send, `bureau` to whom."""

    id: int
    kind: str
    code: str
    bureau: int
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A sender in a list."""

    id: int
    kind: str
    code: str
    name: str
    bureau_code: str
    bureau_name: str
    fingerprint: str
    added_at: datetime
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewPeer:
    """A sender just added; its token is nowhere else."""

    id: int
    kind: str
    code: str
    name: str
    fingerprint: str
    token: str


async def add(actor: Scope | None, code: str, certificate: str, data: Path, now: datetime) -> NewPeer:
    """Let the school or bureau of that code send what it seals with that certificate (PEM), which is from now on among
    those that are trusted where a file is verified.

    `actor` None is the machine's own command line.

    Raises:
        NotAllowed: not an administrator.
        BadInput: `unknown-code`; `peer-top` for a bureau with none above it here; `certificate-unread`.
        Conflict: `peer-there` while it has a token.
    """
    _administrator(actor)
    pinned = _pinned(certificate)
    async with transaction():
        kind, name, bureau = await _known(code)
        if await fetch_tuples(None, ACTIVE, [kind, code]):
            raise Conflict("peer-there", {"code": code})
        token = tokens.new_token()
        values = [
            kind,
            code,
            name,
            bureau,
            tokens.digest(token),
            pem(pinned).decode(),
            fingerprint(pinned),
            now,
        ]
        id_ = int((await fetch_tuples(None, ADD, values))[0][0])
        told = {"kind": kind, "certificate": fingerprint(pinned)}
        await append(None, actor, "peer.added", f"peer:{code}", told, now)
    await asyncio.to_thread(trust, data, pinned)
    return NewPeer(id_, kind, code, name, fingerprint(pinned), token)


def _pinned(text: str) -> x509.Certificate:
    try:
        if len(text) > CERTIFICATE_LENGTH:
            raise BadKey("unreadable")
        (certificate,) = certificates_in(text.encode())
    except (BadKey, ValueError) as error:
        raise BadInput.one("certificate", "certificate-unread") from error
    return certificate


async def _known(code: str) -> tuple[str, str, int]:
    """What the sender of a code sends, what it is called, to which bureau here."""
    rows = await fetch_tuples(None, SCHOOL, [code]) or await fetch_tuples(None, BUREAU, [code])
    if not rows:
        raise BadInput.one("code", "unknown-code", code=code)
    kind, name, bureau = rows[0]
    if bureau is None:
        raise BadInput.one("code", "peer-top", code=code)
    return kind, name, bureau


async def listed(actor: Scope | None) -> list[PeerRow]:
    """Every sender that may send, by code. NotAllowed but for administrators."""
    _administrator(actor)
    return [PeerRow(*row) for row in await fetch_tuples(None, LIST)]


async def revoke(actor: Scope | None, number: int, now: datetime) -> str:
    """End a sender's token at once; what it has sent stays. Returns its code. Raises NotAllowed, NotFound."""
    _administrator(actor)
    async with transaction():
        rows = await fetch_tuples(None, REVOKE, [number, now])
        if not rows:
            raise NotFound
        await append(None, actor, "peer.revoked", f"peer:{rows[0][0]}", {"number": number}, now)
    return str(rows[0][0])


async def by_token(token: str) -> Peer | None:
    """The sender whose token this is."""
    rows = await fetch_tuples(None, SENDER, [tokens.digest(token)])
    if not rows:
        return None
    id_, kind, code, bureau, certificate = rows[0]
    return Peer(id_, kind, code, bureau, x509.load_pem_x509_certificate(certificate.encode()))


async def seen(peer: Peer, now: datetime) -> None:
    """Note that a sender was heard of."""
    await fetch_tuples(None, SEEN, [peer.id, now])


def _administrator(actor: Scope | None) -> None:
    if actor is not None and not actor.admin:
        raise NotAllowed
