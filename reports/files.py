"""Files kept by their content: the name is the digest, so a file once there is never written again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

FOLDER = "evidence"
"""Below the data folder; what backups keep of it."""


def path_of(data: Path, digest: str) -> Path:
    """Where the file of a digest is, whether or not it is there."""
    return data / FOLDER / digest[:2] / digest


def store(data: Path, content: bytes) -> str:
    """Keep the content and return its SHA-256 once it is safely on the disk, under its name or not at all."""
    digest = hashlib.sha256(content).hexdigest()
    place = path_of(data, digest)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        _write(place, content)
    return digest


def read(data: Path, digest: str) -> bytes:
    """The content of a digest.

    Raises:
        FileNotFoundError: there is none.
        ValueError: what is there is not what was stored.
    """
    content = path_of(data, digest).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise ValueError(f"the file of {digest} has been altered")
    return content


def _write(place: Path, content: bytes) -> None:
    aside = place.with_name(f".{place.name}.{secrets.token_hex(6)}")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(place)
        sync_folder(place.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """A rename is safe only once the folder that holds the name has been written through to the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
