"""The page where anybody checks a return: with the file, or with the digest that stands on paper. Nothing is kept."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile

from reports.page_parts import text_of
from reports.pdf import Renderer
from reports.rollup.document import RollupDocument
from reports.sealing.keys import SigningKey, in_groups, pem, trusted
from reports.verification import known
from reports.verification.verdicts import rows, sentence
from reports.verification.verify import Verdict, verify
from safety import in_use
from safety.errors import BadInput, Problem
from safety.web.forms import FormState, form_state
from safety.web.guards import OWN_ACCOUNT, open_to_all
from safety.web.pages import page
from safety.web.visit import WebRequest

Page = Response[str]
LARGEST = 1024 * 1024
"""A return is less than a third of it, and what is larger would be put on the disk."""
WAITING = 4
DIGEST_LENGTH = 64


class Desk:
    """Where files are checked, one at a time: a check takes seconds of processor time, and anybody may ask for one.

    So many may wait; whoever comes then is asked to come again.
    """

    def __init__(self, data: Path, load_key: Callable[[], SigningKey]) -> None:
        self._data = data
        self._load_key = load_key
        self._key: SigningKey | None = None
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def key(self) -> SigningKey:
        """What this instance seals with; read once."""
        if self._key is None:
            self._key = await asyncio.to_thread(self._load_key)
        return self._key

    async def check(self, pdf: bytes, renderer: Renderer) -> Verdict:
        """The verdict on a file. Raises BadInput (`verify-busy`) when too many wait already."""
        if self._waiting >= WAITING:
            raise BadInput.one(None, "verify-busy")
        self._waiting += 1
        try:
            async with self._turn:
                certificates = await asyncio.to_thread(trusted, self._data)
                return await verify(pdf, certificates, in_use.standards(), renderer)
        finally:
            self._waiting -= 1


@get("/verify", guards=[open_to_all()])
async def verify_page(request: WebRequest) -> Page:
    """Choose a file; with `?d=` (from the QR code), what is known here of the return with that digest."""
    digest = request.query_params.get("d", "").strip().lower()
    if len(digest) != DIGEST_LENGTH or not digest.isalnum():
        digest = ""
    found = await known.by_digest(digest) if digest else []
    return await _draw(request, FormState(), digest=digest, found=found)


@post("/verify", guards=[open_to_all()], opt=OWN_ACCOUNT, status_code=200, request_max_body_size=LARGEST)
async def verify_file(request: WebRequest) -> Page:
    """The verdict on the file that was sent; it is not kept."""
    given = (await request.form()).get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        problems = [Problem("file", "file-missing")]
        return await _draw(request, form_state(request, problems=problems), 400)
    try:
        verdict = await _desk(request).check(await given.read(), request.app.state.renderer)
    except BadInput as error:
        return await _draw(request, form_state(request, problems=error.problems), 503)
    return await _draw(request, FormState(), verdict=verdict, name=given.filename)


@get("/verify/certificate.pem", guards=[open_to_all()])
async def certificate(request: WebRequest) -> Response[bytes]:
    """The certificate that this instance seals with."""
    key = await _desk(request).key()
    headers = {"content-disposition": 'attachment; filename="safe-campus.pem"'}
    return Response(pem(key.certificate), media_type="application/x-pem-file", headers=headers)


def _desk(request: WebRequest) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _draw(
    request: WebRequest,
    form: FormState,
    status: int = 200,
    *,
    digest: str = "",
    found: list[known.KnownReturn] | None = None,
    verdict: Verdict | None = None,
    name: str = "",
) -> Page:
    text = text_of(request)
    document = verdict.document if verdict and verdict.genuine else None
    here = None
    if isinstance(document, RollupDocument):
        here = await known.rollup(
            document.bureau.code, document.period.id, document.version, document.facts_digest
        )
    elif document is not None:
        here = await known.of(
            document.school.code, document.period.id, document.version, document.facts_digest
        )
    return page(
        request,
        "verify.html",
        status,
        form=form,
        digest=digest,
        found=found or [],
        verdict=verdict,
        name=name,
        here=here,
        rows=rows(verdict, text) if verdict else [],
        reasons=[sentence(reason, text) for reason in verdict.reasons] if verdict else [],
        fingerprint=in_groups((await _desk(request).key()).fingerprint),
    )


ROUTER = Router("/", route_handlers=[verify_page, verify_file, certificate])
