"""The worker process: `python -m reports.drawing.worker`, documents in, PDFs out, until its input ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import BinaryIO

from reports.drawing.pool import FAILED, LENGTH
from reports.pdf import Drawer, answer

LOOK_EVERY_SECONDS = 1.0


def main() -> None:
    """Answer requests one by one. Ends after a failure (the service starts another) and with the service."""
    # Ctrl-C reaches the whole group; the service closes its workers itself, after their documents.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    answers = _claim_standard_output()
    drawer = Drawer()
    while (request := _read_frame(sys.stdin.buffer)) is not None:
        status, payload = answer(drawer, request)
        answers.write(LENGTH.pack(1 + len(payload)) + bytes((status,)) + payload)
        answers.flush()
        if status == FAILED:
            return
        drawer.tidy()


def _claim_standard_output() -> BinaryIO:
    """The answers' pipe, for answers alone: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _read_frame(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    body = source.read(size)
    return body if len(body) == size else None


def _end_with(parent: int) -> None:
    """An idle worker sees its input end; a busy one must not outlive a service that was killed."""
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main()
