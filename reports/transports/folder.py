"""Into a folder, such as a share of the level above: written aside, through to the disk, and renamed into place."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from reports.files import sync_folder
from reports.transports import Envelope, Receipt, TransportError


class Folder:
    """The folder is there or it is not; it is never made: a share that is not mounted would be hidden by it."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        return str(self._folder)

    async def send(self, envelope: Envelope, content: bytes) -> Receipt:
        """Raises TransportError; permanent, if a file of that name holds something else."""
        try:
            kept = await asyncio.to_thread(self._put, envelope, content)
        except OSError as error:
            raise TransportError(f"{type(error).__name__}: {error.strerror}") from error
        return Receipt(envelope.message, envelope.bytes_digest, envelope.now, self.name, str(kept))

    def _put(self, envelope: Envelope, content: bytes) -> Path:
        place = self._folder / envelope.file_name
        if not place.exists():
            aside = self._folder / f".{envelope.message}.part"
            with aside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.rename(place)
            sync_folder(self._folder)
        elif place.read_bytes() != content:
            raise TransportError(
                f"{envelope.file_name} is there already and holds something else", permanent=True
            )
        return place
