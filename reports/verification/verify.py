"""Whether a sealed file is genuine: its signature, its data, its score worked out again, its pages drawn again.

Offline: what it takes are the file, the certificates that are trusted, the standards, and the workers that draw. All
that is wrong is told, as far as it can be told; a file whose signature does not hold is not looked into any further.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

from reports.document import ReturnDocument
from reports.pdf import Renderer
from reports.rollup import agree as rollup_agree
from reports.rollup.document import RollupDocument
from reports.sealing import sealed_pdf
from reports.sealing.keys import fingerprint
from reports.sealing.sealed_pdf import Content
from reports.sealing.signature import Broken, Signature, read_signature
from reports.verification.agree import disagreements
from reports.verification.pages import PageCheck, check_pages
from safety.standards import Standards

LARGEST = 8 * 1024 * 1024
"""A return is a fraction of this; larger files are not looked into."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a file is not genuine: a stable code, and what goes into its sentence."""

    code: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a check. What a file says of itself is given only where its signature holds.

    `page` is how the pages were compared: `same` drawing to the byte, `words` the same though drawn with other fonts,
    or, of a file that another edition of the program drew, its `figures`.
    """

    reasons: tuple[Reason, ...]
    sealed_by: str = ""
    fingerprint: str = ""
    sealed_at: datetime | None = None
    document: ReturnDocument | RollupDocument | None = None
    page: Literal["same", "words", "figures", ""] = ""

    @property
    def genuine(self) -> bool:
        return not self.reasons


async def verify(
    pdf: bytes, trusted: Iterable[x509.Certificate], standards: Standards, renderer: Renderer
) -> Verdict:
    """The verdict on a file; never raises for anything in it."""
    return await _Verifying(tuple(trusted), standards, renderer).verdict(pdf)


@dataclass(frozen=True, slots=True)
class _Verifying:
    trusted: Sequence[x509.Certificate]
    standards: Standards
    renderer: Renderer

    async def verdict(self, pdf: bytes) -> Verdict:
        try:
            signature = await asyncio.to_thread(_signature, pdf)
        except Broken as error:
            return Verdict((Reason(error.code, error.values),))
        reasons = list(self._distrust(signature))
        content, data = await asyncio.to_thread(self._look, pdf, signature)
        reasons += data
        page: PageCheck | None = None
        if content is not None:
            page = await check_pages(content, signature.drawn, self.renderer)
            reasons += [Reason(code) for code in page.reasons]
        return Verdict(
            reasons=tuple(reasons),
            sealed_by=_name(signature.certificate),
            fingerprint=fingerprint(signature.certificate),
            sealed_at=signature.signed_at,
            document=content.document if content else None,
            page=page.how if page and not page.reasons else "",
        )

    def _distrust(self, signature: Signature) -> Iterable[Reason]:
        if fingerprint(signature.certificate) not in {fingerprint(one) for one in self.trusted}:
            yield Reason("not-trusted", {"fingerprint": fingerprint(signature.certificate)})

    def _look(self, pdf: bytes, signature: Signature) -> tuple[Content | None, list[Reason]]:
        """The attached document, and what is wrong with it."""
        try:
            content = sealed_pdf.read(pdf, signature.drawn)
        except Broken as error:
            return None, [Reason(error.code, error.values)]
        reasons = self._disagreements(content.document)
        if signature.signed_at < content.document.made_at.replace(microsecond=0):
            reasons.append(Reason("sealed-before-made"))
        return content, reasons

    def _disagreements(self, document: ReturnDocument | RollupDocument) -> list[Reason]:
        if isinstance(document, RollupDocument):
            values = {"standards": document.standards}
            return [Reason(code, values) for code in rollup_agree.disagreements(document, self.standards)]
        return [Reason(item.code, item.values) for item in disagreements(document, self.standards)]


def _signature(pdf: bytes) -> Signature:
    if len(pdf) > LARGEST:
        raise Broken("too-large")
    return read_signature(pdf)


def _name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()
