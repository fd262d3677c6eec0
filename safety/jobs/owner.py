"""Who holds a claim: this very process, named so that another one on the same machine sees when it is gone.

A lease alone would make a restarted service wait for its own dead self; and under a clock that stands still, for ever.
"""

import os
import socket
from functools import cache
from pathlib import Path


@cache
def _started(pid: int) -> str:
    return _start_of(pid) or "0"


def _start_of(pid: int) -> str | None:
    """When a process started, in the kernel's ticks; None for one that is not there or has died unburied."""
    try:
        # The command's name, in brackets, may hold spaces: the fields are counted from behind it.
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else fields[19]


def me() -> str:
    """This process: host, process id, and when it started (ids are used again)."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{pid}/{_started(pid)}"


def is_gone(owner: str) -> bool:
    """Whether a process of this machine no longer runs. Of another machine's, only its lease can tell."""
    parts = owner.rsplit("/", 2)
    if len(parts) != 3 or parts[0] != socket.gethostname() or not parts[1].isdecimal():
        return False
    return _start_of(int(parts[1])) != parts[2]
