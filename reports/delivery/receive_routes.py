"""The door for other instances, for senders with a token of ours: `POST /api/v1/deliveries` brings what they sealed,
`GET /api/v1/deliveries/{message}` asks what was decided on it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from cryptography import x509
from litestar import Response, Router, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from reports import files
from reports.delivery import peers
from reports.delivery.receive import Answer, Parcel, answered, decided_on, receive
from reports.delivery.signed import issue
from reports.sealing.check import Claim, NotGenuine, check_seal
from reports.sealing.keys import SigningKey
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import transaction
from safety.errors import BadInput, NotAllowed, Problem
from safety.web.guards import Rule, SignInNeeded
from safety.web.visit import Connection, Visit, WebRequest, visit_of

FILE_LIMIT = 20 * 1024 * 1024
DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
VERSION = re.compile(r"[1-9][0-9]{0,3}")


SealCheck = Callable[[bytes, x509.Certificate], Awaitable[Claim]]
"""Looks whether the file bears the seal of that certificate, over all of it, and reads what it says of itself. Raises
NotGenuine.
"""


@dataclass(frozen=True)
class Door:
    """What receiving takes, on the application's state as `door`: the key to sign receipts with, and how a seal is
    checked.
    """

    key: Callable[[], SigningKey]
    check: SealCheck = check_seal


@dataclass(frozen=True)
class PeersOnly(Rule):
    """Lets in who shows the token of a sender, and nobody else: an account's own token is refused."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        del handler
        visit = visit_of(connection)
        if visit.scope is not None:
            raise NotAllowed("peers-only")
        kind, _, token = connection.headers.get("authorization", "").partition(" ")
        peer = await peers.by_token(token.strip()) if kind.lower() == "bearer" and token else None
        if peer is None:
            raise SignInNeeded
        connection.scope["state"]["peer"] = peer
        visit.bearer = True


@dataclass(frozen=True, slots=True)
class _Said:
    """What the headers say."""

    message: UUID
    kind: str
    sender: str
    period: str
    version: int
    digest: str


@post(
    "/api/v1/deliveries",
    guards=[PeersOnly("peer")],
    request_max_body_size=FILE_LIMIT,
    status_code=201,
    include_in_schema=True,
    summary="Take what another instance has sealed",
    tags=["delivery"],
)
async def take_delivery(request: WebRequest) -> Response[bytes]:
    """Take a sealed PDF and answer with a signed receipt; the same message is answered with the same receipt.

    400: what the headers say cannot be read, or the file is not what they say or not sealed by the pinned certificate;
    403: the sender speaks for somebody else; 409: the message or the version came before with other contents.
    """
    visit, peer = visit_of(request), _peer(request)
    said = _read(request)
    if (said.sender, said.kind) != (peer.code, peer.kind):
        raise NotAllowed("peer-other-sender", {"code": peer.code})
    content = await request.body()
    if hashlib.sha256(content).hexdigest() != said.digest:
        raise BadInput.one("Content-Digest", "digest-differs")
    parcel = _parcel(said, peer, len(content))
    answer = await _again(parcel) or await _take(request, peer, said, content, visit)
    status = 200 if answer.repeated else 201
    return Response(answer.receipt.encode(), status_code=status, media_type="application/json")


@get(
    "/api/v1/deliveries/{message:uuid}",
    guards=[PeersOnly("peer")],
    include_in_schema=True,
    summary="Tell the sender of a message what was decided on it",
    tags=["delivery"],
)
async def read_delivery(request: WebRequest, message: FromPath[UUID]) -> Response[bytes]:
    """The receipt of a message and every decision on what it brought, oldest first, signed like the receipt.

    404: no such message of this sender was received.
    """
    peer = _peer(request)
    await peers.seen(peer, visit_of(request).now)
    body = await decided_on(message, peer.kind, peer.code)
    key = await asyncio.to_thread(_door(request).key)
    return Response(issue(body, key).encode(), media_type="application/json")


def _peer(request: WebRequest) -> peers.Peer:
    return cast("peers.Peer", request.scope["state"]["peer"])


def _door(request: WebRequest) -> Door:
    return cast("Door", request.app.state.door)


async def _again(parcel: Parcel) -> Answer | None:
    async with transaction():
        return await answered(parcel)


async def _take(request: WebRequest, peer: peers.Peer, said: _Said, content: bytes, visit: Visit) -> Answer:
    door = _door(request)
    claim = await _checked(door, peer, said, content)
    data = request.app.state.settings.data
    await asyncio.to_thread(files.store, data, content)
    parcel = _parcel(said, peer, len(content), claim)
    key = await asyncio.to_thread(door.key)
    async with transaction():
        answer = await receive(parcel, key, visit.now)
        await peers.seen(peer, visit.now)
        if not answer.repeated:
            told = {"kind": said.kind, "version": said.version, "file": said.digest, "receipt": answer.number}
            await append(None, None, "delivery.received", f"{said.sender}/{said.period}", told, visit.now)
    return answer


async def _checked(door: Door, peer: peers.Peer, said: _Said, content: bytes) -> Claim:
    try:
        claim = await door.check(content, peer.certificate)
    except NotGenuine as error:
        raise BadInput.one(None, "seal-refused", why=error.code) from error
    if (claim.kind, claim.sender, claim.period, claim.version) != (
        said.kind,
        said.sender,
        said.period,
        said.version,
    ):
        raise BadInput.one(None, "file-says-otherwise")
    return claim


def _parcel(said: _Said, peer: peers.Peer, size: int, claim: Claim | None = None) -> Parcel:
    return Parcel(
        message=said.message,
        kind=said.kind,
        sender=said.sender,
        peer=peer.id,
        bureau=peer.bureau,
        period=said.period,
        version=said.version,
        facts_digest=claim.facts_digest if claim else "",
        bytes_digest=said.digest,
        size=size,
        document=claim.document if claim else "",
    )


def _read(request: WebRequest) -> _Said:
    """Raises BadInput naming every header that cannot be read."""
    readers: dict[str, Callable[[str], object]] = {
        "Idempotency-Key": UUID,
        "Delivery-Kind": str,
        "Delivery-From": str,
        "Delivery-Period": lambda text: Period.parse(text).id,
        "Delivery-Version": _version,
        "Content-Digest": _digest,
    }
    found: dict[str, object] = {}
    problems = []
    for name, reader in readers.items():
        try:
            found[name] = reader(request.headers.get(name, ""))
        except (ValueError, binascii.Error):
            problems.append(Problem(name, "header-unread", {"name": name}))
    if problems:
        raise BadInput(problems)
    return _Said(*found.values())  # type: ignore[arg-type]


def _version(text: str) -> int:
    if not VERSION.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _digest(text: str) -> str:
    found = DIGEST.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return base64.b64decode(found[1]).hex()


ROUTER = Router("/", route_handlers=[take_delivery, read_delivery], security=[{"bearer": []}])
