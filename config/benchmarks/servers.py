"""Servers under measurement: started as processes of their own on loopback, looked at from outside, stopped again."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from config.benchmarks.load import Outcome, Plan

PATIENCE = 30.0
PROGRAM = "from config.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on a port of 127.0.0.1."""

    port: int
    process: subprocess.Popen[bytes]

    def memory(self) -> dict[str, float] | None:
        """Resident megabytes of the process now and at most; None where the system does not tell."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return None
        text = status.read_text(encoding="ascii")
        found = {name: re.search(rf"{field}:\s+(\d+) kB", text) for name, field in FIELDS.items()}
        return {name: round(int(match[1]) / 1024, 1) for name, match in found.items() if match}


FIELDS = {"resident_mb": "VmRSS", "most_mb": "VmHWM"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serve(arguments: Sequence[str], environ: Mapping[str, str], port: int, path: str) -> Iterator[Server]:
    """A Python program that serves on `port`, ready when `path` answers. RuntimeError with its output if not."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            env={**os.environ, **environ},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            if not _answers(process, f"http://127.0.0.1:{port}{path}"):
                output.seek(0)
                raise RuntimeError(output.read().decode(errors="replace")[-2000:])
            yield Server(port, process)
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _answers(process: subprocess.Popen[bytes], address: str) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - loopback
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def put_load(plan: Plan) -> Outcome:
    """Carry out a plan from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "config.benchmarks.load"],
        input=msgspec.json.encode(plan),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Outcome)
