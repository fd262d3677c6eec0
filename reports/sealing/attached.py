"""The data attached to a finished PDF."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf

from reports import files
from reports.kinds import ATTACHMENT
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


def received_return(data: Path, digest: str) -> bytes:
    """`return.json` of a received file, by the file's digest in the folder in which files are kept. Raises NotFound, or
    OSError or ValueError for a file that is gone or was altered.
    """
    return attached(files.read(data, digest), ATTACHMENT)
