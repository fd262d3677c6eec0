"""Whether a file from another instance bears the seal of its sender, and what it says of itself."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import msgspec
from cryptography import x509

from reports.document import SCHEMA as RETURN
from reports.rollup import document as rollup
from reports.sealing.attached import attached
from reports.sealing.keys import fingerprint
from reports.sealing.signature import Broken, read_signature
from safety.errors import NotFound

KINDS = {RETURN: ("return", "return.json"), rollup.SCHEMA: ("rollup", "rollup.json")}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a sealed file says of itself: `document` is the data attached to it, as text."""

    kind: str
    sender: str
    period: str
    version: int
    facts_digest: str
    document: str


class NotGenuine(Exception):
    """A file whose seal does not hold, or is not of the certificate that was pinned. `code` is stable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class _Coded(msgspec.Struct):
    code: str


class _Quarter(msgspec.Struct):
    id: str


class _Head(msgspec.Struct):
    """What all versions of both documents say: another instance may be older or newer than this one."""

    schema: str
    period: _Quarter
    version: int
    facts_digest: str
    bureau: _Coded
    school: _Coded | None = None
    draft: bool = False


async def check_seal(content: bytes, pinned: x509.Certificate) -> Claim:
    """What a file says that bears the seal of that very certificate, over all of it.

    Raises NotGenuine: a code of `signature.Broken`; `other-certificate`; `no-data`; `draft`.
    """
    return await asyncio.to_thread(_check, content, pinned)


def _check(content: bytes, pinned: x509.Certificate) -> Claim:
    try:
        signature = read_signature(content)
    except Broken as error:
        raise NotGenuine(error.code) from error
    if fingerprint(signature.certificate) != fingerprint(pinned):
        raise NotGenuine("other-certificate")
    return _claim(_attached(signature.drawn))


def _attached(drawn: bytes) -> bytes:
    """The data inside the file as it was drawn; behind that there is the signature alone."""
    for _, name in KINDS.values():
        with contextlib.suppress(NotFound):
            return attached(drawn, name)
    raise NotGenuine("no-data")


def _claim(data: bytes) -> Claim:
    try:
        head = msgspec.json.decode(data, type=_Head)
        text = data.decode()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotGenuine("no-data") from error
    kind, _ = KINDS.get(head.schema, ("", ""))
    sender = head.school if kind == "return" else head.bureau
    if not kind or sender is None:
        raise NotGenuine("no-data")
    if head.draft:
        raise NotGenuine("draft")
    return Claim(kind, sender.code, head.period.id, head.version, head.facts_digest, text)
