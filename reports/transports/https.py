"""To another instance: the file in the body, what it is in the headers, a signed receipt as the answer.

Later it is asked under the message's own address what was decided, and answers with that, signed too.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from uuid import UUID

import httpx
import msgspec
from cryptography import x509

from reports.delivery import decided, receipts, signed
from reports.transports import Envelope, Receipt, Told, TransportError

PATH = "/api/v1/deliveries"
ANSWER_SECONDS = 60.0
LONGEST_SAID = 300
WAIT = frozenset({401, 408, 425, 429})
"""Refusals that are not about the message: a token to be mended, a receiver that is busy."""


class Https:
    """`base_url` is the other instance's address, `certificate` that of the key with which it signs its answers."""

    name = "https"

    def __init__(
        self, base_url: str, token: str, certificate: x509.Certificate, context: ssl.SSLContext | None = None
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._certificate = certificate
        self._context = context or ssl.create_default_context()

    @property
    def place(self) -> str:
        return self._base_url

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        """Raises TransportError; permanent, if the receiver refuses this message for good."""
        headers = headers_of(envelope, self._token)
        answer = await self._call("POST", PATH, headers, content)
        return self._receipt(envelope, answer)

    async def ask(self, message: UUID) -> Told:
        """Raises TransportError."""
        answer = await self._call("GET", f"{PATH}/{message}", {"authorization": f"Bearer {self._token}"})
        return Told(self._checked(answer, decided.Body), answer.decode())

    async def _call(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> bytes:
        try:
            async with httpx.AsyncClient(
                verify=self._context, timeout=ANSWER_SECONDS, trust_env=False
            ) as client:
                answer = await client.request(
                    method, self._base_url + path, content=content, headers=dict(headers)
                )
        except httpx.HTTPError as error:
            raise TransportError(f"{type(error).__name__}: {error}") from error
        if answer.status_code not in {200, 201}:
            raise _refusal(answer)
        return answer.content

    def _checked(self, text: bytes, kind: type[signed.Body]) -> signed.Body:
        try:
            return signed.check(text, kind, self._certificate)
        except signed.BadAnswer as error:
            raise TransportError(str(error)) from error

    def _receipt(self, envelope: Envelope, text: bytes) -> Receipt:
        body = self._checked(text, receipts.Body)
        expected = (envelope.message, envelope.kind, envelope.sender, envelope.bytes_digest, envelope.size)
        if (body.message, body.kind, body.sender, body.bytes_digest, body.size) != expected:
            raise TransportError("the receipt is for something else")
        return Receipt(body.number, body.bytes_digest, body.received_at, self.name, text.decode())


def headers_of(envelope: Envelope, token: str) -> dict[str, str]:
    """What the receiver must know before it looks inside. The digest is RFC 9530's."""
    digest = base64.b64encode(bytes.fromhex(envelope.bytes_digest)).decode()
    return {
        "authorization": f"Bearer {token}",
        "content-type": "application/pdf",
        "content-digest": f"sha-256=:{digest}:",
        "idempotency-key": str(envelope.message),
        "delivery-kind": envelope.kind,
        "delivery-from": envelope.sender,
        "delivery-period": envelope.period,
        "delivery-version": str(envelope.version),
    }


def _refusal(answer: httpx.Response) -> TransportError:
    status = answer.status_code
    permanent = 400 <= status < 500 and status not in WAIT
    return TransportError(f"{status} {_said(answer)}".strip(), permanent=permanent)


def _said(answer: httpx.Response) -> str:
    """The words of an RFC 9457 problem, shortened; nothing of any other page."""
    try:
        problem = msgspec.json.decode(answer.content, type=dict[str, object])
    except msgspec.DecodeError:
        return ""
    errors = problem.get("errors")
    listed = (
        [one.get("message") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    )
    return " ".join(str(part) for part in (problem.get("detail") or problem.get("title"), *listed) if part)[
        :LONGEST_SAID
    ]
