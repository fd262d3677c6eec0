"""What `return verify` does: a file checked without a database and without the network."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import data_folder
from safety.errors import BadInput

if TYPE_CHECKING:
    from cryptography import x509

    from reports.verification.verify import Verdict


def verdict_on(file: Path, trust: tuple[Path, ...]) -> Verdict:
    """The verdict on a file; without `trust`, by the certificates in the data folder.

    Raises BadInput for a file or a certificate that cannot be read.
    """
    try:
        pdf = file.read_bytes()
    except OSError as error:
        raise BadInput.one("FILE", "pdf-unreadable", path=str(file)) from error
    return asyncio.run(_checked(pdf, _trusted(trust)))


def _trusted(trust: tuple[Path, ...]) -> tuple[x509.Certificate, ...]:
    from reports.sealing.keys import BadKey, certificates_in, trusted

    if not trust:
        try:
            return trusted(data_folder())
        except BadKey as error:
            named = "".join(error.__notes__)
            raise BadInput.one("SAFE_CAMPUS_DATA", "certificate-unreadable", path=named) from error
    found: list[x509.Certificate] = []
    for path in trust:
        try:
            found += certificates_in(path.read_bytes())
        except (OSError, BadKey) as error:
            raise BadInput.one("--trust", "certificate-unreadable", path=str(path)) from error
    return tuple(found)


async def _checked(pdf: bytes, trusted: tuple[x509.Certificate, ...]) -> Verdict:
    from config.rules import product_standards
    from reports.pdf import Renderer
    from reports.verification.verify import verify

    renderer = Renderer(data_folder(), size=1)
    try:
        return await verify(pdf, trusted, product_standards(), renderer)
    finally:
        await renderer.close()
