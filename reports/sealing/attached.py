"""The data attached to a finished PDF."""

from __future__ import annotations

import io

import pikepdf

from safety.errors import NotFound


def attached(content: bytes, name: str) -> bytes:
    """The file of that name inside a PDF. Raises NotFound where there is none, or no PDF."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if name not in pdf.attachments:
                raise NotFound
            return pdf.attachments[name].get_file().read_bytes()
    except pikepdf.PdfError as error:
        raise NotFound from error
